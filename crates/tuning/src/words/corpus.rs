//! Languages, and the names that each has for the same things, for training and for tests.
//!
//! Knows neither where names come from nor how a model reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A name as a table has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub language: String,
    /// Most letters of the language's names are of this script.
    pub script: String,
    pub thing: String,
    pub name: String,
    pub split: Split,
    pub role: Role,
}

/// What a name is for. Things are split, so a test thing is one in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Split {
    Train,
    Test,
}

/// Whether a language is seen in pretraining.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Pretraining,
    /// Held out, in the script of those seen.
    Unseen,
    /// Held out, in another script.
    OtherScript,
}

impl Split {
    pub const ALL: [Split; 2] = [Split::Train, Split::Test];

    /// As tables spell it.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Test => "test",
        }
    }
}

impl Role {
    pub const ALL: [Role; 3] = [Role::Pretraining, Role::Unseen, Role::OtherScript];

    /// As tables spell it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Pretraining => "pretraining",
            Role::Unseen => "unseen",
            Role::OtherScript => "other_script",
        }
    }
}

/// A thing's name in one language.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    pub thing: String,
    pub text: String,
}

/// A language with its names, in the order of things.
#[derive(Debug, Clone, PartialEq)]
pub struct Language {
    /// Its tag: `de`, `sr-Latn`.
    pub tag: String,
    pub script: String,
    pub role: Role,
    pub train: Vec<Name>,
    pub test: Vec<Name>,
}

impl Language {
    pub fn names(&self, split: Split) -> &[Name] {
        match split {
            Split::Train => &self.train,
            Split::Test => &self.test,
        }
    }
}

/// All languages, sorted by tag; elsewhere a language is its place here.
#[derive(Debug, Clone, PartialEq)]
pub struct Corpus {
    languages: Vec<Language>,
    pretraining: Vec<usize>,
    unseen: Vec<usize>,
    other_script: Vec<Vec<usize>>,
}

/// Why names are no corpus.
#[derive(Debug, Clone, PartialEq)]
pub enum CorpusError {
    /// A language's rows disagree on its role or script.
    Role { language: String },
    /// A thing is in both splits.
    Thing { thing: String },
    /// A name of a test thing is one for training, in some language.
    Leak {
        name: String,
        test: String,
        train: String,
    },
    /// A language names a thing twice.
    Twice { language: String, thing: String },
    /// A language has no name of a split.
    Empty { language: String, split: Split },
    /// Not one language is seen in pretraining.
    NoPretraining,
}

impl fmt::Display for CorpusError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            CorpusError::Role { language } => {
                write!(
                    f,
                    "the rows of language `{language}` disagree on its role or its script"
                )
            }
            CorpusError::Thing { thing } => {
                write!(f, "thing `{thing}` is both for training and for tests")
            }
            CorpusError::Leak { name, test, train } => write!(
                f,
                "`{name}` names a thing for tests in language `{test}` and one for training in `{train}`"
            ),
            CorpusError::Twice { language, thing } => {
                write!(f, "language `{language}` names thing `{thing}` twice")
            }
            CorpusError::Empty { language, split } => {
                write!(
                    f,
                    "language `{language}` has no names of split `{}`",
                    split.name()
                )
            }
            CorpusError::NoPretraining => {
                write!(f, "no language has role `{}`", Role::Pretraining.name())
            }
        }
    }
}

impl std::error::Error for CorpusError {}

/// A name as it is compared and read: in small letters.
pub fn folded(name: &str) -> String {
    name.to_lowercase()
}

impl Corpus {
    /// From rows in any order. A language that gives several things of a split the same name has it once,
    /// for the first thing.
    ///
    /// # Errors
    /// When rows contradict each other, when a name of a test thing is one for training in any language, and
    /// when a language lacks names of a split.
    pub fn new(mut rows: Vec<Row>) -> Result<Corpus, CorpusError> {
        rows.sort_by(|a, b| (&a.language, &a.thing).cmp(&(&b.language, &b.thing)));
        splits_are_apart(&rows)?;
        let mut languages: Vec<Language> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut last_thing = None;
        for row in rows {
            if languages.last().is_none_or(|last| last.tag != row.language) {
                seen.clear();
                last_thing = None;
                languages.push(Language {
                    tag: row.language.clone(),
                    script: row.script.clone(),
                    role: row.role,
                    train: Vec::new(),
                    test: Vec::new(),
                });
            }
            let Some(language) = languages.last_mut() else {
                continue;
            };
            if (language.role, &language.script) != (row.role, &row.script) {
                let language = row.language;
                return Err(CorpusError::Role { language });
            }
            if last_thing.as_ref() == Some(&row.thing) {
                let (language, thing) = (row.language, row.thing);
                return Err(CorpusError::Twice { language, thing });
            }
            last_thing = Some(row.thing.clone());
            if seen.insert(folded(&row.name)) {
                let names = match row.split {
                    Split::Train => &mut language.train,
                    Split::Test => &mut language.test,
                };
                let (thing, text) = (row.thing, row.name);
                names.push(Name { thing, text });
            }
        }
        for language in &languages {
            for split in Split::ALL {
                if language.names(split).is_empty() {
                    let language = language.tag.clone();
                    return Err(CorpusError::Empty { language, split });
                }
            }
        }
        let of = |role| -> Vec<usize> {
            let places = 0..languages.len();
            places.filter(|&at| languages[at].role == role).collect()
        };
        let mut scripts: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for at in of(Role::OtherScript) {
            scripts.entry(&languages[at].script).or_default().push(at);
        }
        let other_script = scripts.into_values().collect();
        let (pretraining, unseen) = (of(Role::Pretraining), of(Role::Unseen));
        match pretraining.is_empty() {
            true => Err(CorpusError::NoPretraining),
            false => Ok(Corpus {
                languages,
                pretraining,
                unseen,
                other_script,
            }),
        }
    }

    pub fn languages(&self) -> &[Language] {
        &self.languages
    }

    /// Those that pretraining sees; a language's place here is its class in the auxiliary task.
    pub fn pretraining(&self) -> &[usize] {
        &self.pretraining
    }

    /// Those held out, in the script of those seen.
    pub fn unseen(&self) -> &[usize] {
        &self.unseen
    }

    /// Those held out in other scripts, a list a script.
    pub fn other_script(&self) -> &[Vec<usize>] {
        &self.other_script
    }

    /// A language's place by its tag.
    pub fn find(&self, tag: &str) -> Option<usize> {
        self.languages
            .binary_search_by(|language| language.tag.as_str().cmp(tag))
            .ok()
    }
}

/// No thing, and no name in any language, is both for training and for tests.
fn splits_are_apart(rows: &[Row]) -> Result<(), CorpusError> {
    let mut things: BTreeMap<&str, Split> = BTreeMap::new();
    let mut training: BTreeMap<String, &str> = BTreeMap::new();
    for row in rows {
        if *things.entry(&row.thing).or_insert(row.split) != row.split {
            let thing = row.thing.clone();
            return Err(CorpusError::Thing { thing });
        }
        if row.split == Split::Train {
            training.entry(folded(&row.name)).or_insert(&row.language);
        }
    }
    let tests = rows.iter().filter(|row| row.split == Split::Test);
    for row in tests {
        if let Some(train) = training.get(&folded(&row.name)) {
            return Err(CorpusError::Leak {
                name: row.name.clone(),
                test: row.language.clone(),
                train: (*train).to_owned(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use icl::math::stream::Stream;

    /// A corpus of made-up languages, each with letters of its own in other shares: 12 in pretraining, 6
    /// unseen, 4 and 5 in two other scripts; 60 things.
    pub fn made_up() -> Corpus {
        let mut rows = Vec::new();
        for language in 0..27_u64 {
            let (role, script, first) = match language {
                0..12 => (Role::Pretraining, "Latin", 'a'),
                12..18 => (Role::Unseen, "Latin", 'a'),
                18..22 => (Role::OtherScript, "Greek", 'α'),
                _ => (Role::OtherScript, "Cyrillic", 'а'),
            };
            let mut letters = Stream::new(5, "letters", &[language]);
            let own: Vec<u32> = (0..8).map(|_| letters.index(24) as u32).collect();
            for thing in 0..60_u64 {
                let mut stream = Stream::new(5, "name", &[language, thing]);
                // Half of its letters are the language's own, the others any.
                let mut letter = || match stream.index(2) {
                    0 => own[stream.index(own.len())],
                    _ => stream.index(24) as u32,
                };
                let name = (0..8).filter_map(|_| char::from_u32(first as u32 + letter()));
                let name = name.collect();
                rows.push(Row {
                    language: format!("l{language:02}"),
                    script: script.into(),
                    thing: format!("thing/{thing:02}"),
                    name,
                    split: match thing % 3 {
                        0 => Split::Test,
                        _ => Split::Train,
                    },
                    role,
                });
            }
        }
        Corpus::new(rows).expect("it is a corpus")
    }

    fn row(language: &str, thing: &str, name: &str, split: Split) -> Row {
        Row {
            language: language.into(),
            script: "Latin".into(),
            thing: thing.into(),
            name: name.into(),
            split,
            role: Role::Pretraining,
        }
    }

    #[test]
    fn rows_become_languages_with_roles() {
        let corpus = made_up();
        assert_eq!(corpus.pretraining(), (0..12).collect::<Vec<_>>());
        assert_eq!(corpus.unseen(), (12..18).collect::<Vec<_>>());
        // By the scripts' names: Cyrillic, Greek.
        let sizes: Vec<usize> = corpus.other_script().iter().map(Vec::len).collect();
        assert_eq!(sizes, [5, 4]);
        assert_eq!(corpus.find("l03"), Some(3));
        assert_eq!(corpus.find("l3"), None);
        assert_eq!(corpus.languages()[3].test.len(), 20);
        assert_eq!(corpus.languages()[3].train.len(), 40);
    }

    #[test]
    fn a_name_for_two_things_counts_once() {
        let corpus = Corpus::new(vec![
            row("x", "c", "Armenian", Split::Train),
            row("x", "a", "armenian", Split::Train),
            row("x", "b", "Latin", Split::Test),
        ])
        .unwrap();
        assert_eq!(corpus.languages()[0].train.len(), 1);
        assert_eq!(corpus.languages()[0].train[0].thing, "a");
    }

    #[test]
    fn contradictions_are_told() {
        let error = |rows| Corpus::new(rows).unwrap_err().to_string();
        let (train, test) = (Split::Train, Split::Test);
        assert_eq!(
            error(vec![
                row("x", "a", "One", train),
                row("y", "a", "Two", test)
            ]),
            "thing `a` is both for training and for tests"
        );
        assert_eq!(
            error(vec![
                row("x", "a", "One", train),
                row("y", "b", "ONE", test)
            ]),
            "`ONE` names a thing for tests in language `y` and one for training in `x`"
        );
        assert_eq!(
            error(vec![
                row("x", "a", "One", train),
                row("x", "a", "Two", train)
            ]),
            "language `x` names thing `a` twice"
        );
        assert_eq!(
            error(vec![row("x", "a", "One", train)]),
            "language `x` has no names of split `test`"
        );
        let mut other = row("x", "b", "Two", test);
        other.role = Role::Unseen;
        assert_eq!(
            error(vec![row("x", "a", "One", train), other]),
            "the rows of language `x` disagree on its role or its script"
        );
        assert_eq!(error(vec![]), "no language has role `pretraining`");
    }
}
