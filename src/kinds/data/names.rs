//! Kind `names`: names of things in many languages, split into training and test, with held-out languages.
//!
//! Reads a gzipped text, a line a name: a language's tag, a thing, the name, separated by tabs; and refuses it
//! when its BLAKE3 digest is not the stated one. In this order:
//!
//! 1. Languages `without` are left out.
//! 2. A name (in small letters) that more than `most_languages` languages have, for whatever things, is
//!    left out everywhere. Then each language must have `least_names`.
//! 3. `test_share` of the things, drawn by `seed`, are for tests, in every language. A test name that is a
//!    training name too, in any language, is left out: `Latin` the language and the script.
//! 4. The script of a language is the one of most of its letters. Of the languages in `script`, `unseen` are
//!    drawn to be held out; the others are for pretraining. Languages of other scripts are held out too.
//!
//! Outputs: `table`, see [`COLUMNS`], by language and thing; `languages`, see
//! [`LANGUAGE_COLUMNS`].

use crate::kinds::data::name_lines::{Line, english, parse, script};
use crate::kinds::data::packed::{check_digest, read_packed};
use crate::kinds::exchange::table::failed;
use crate::kinds::exchange::words::{COLUMNS, LANGUAGE_COLUMNS, write_languages, write_names};
use crate::kinds::params::number::{Count, Share};
use crate::kinds::params::seed::Seed;
use icl::math::stream::Stream;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::columns;
use retrace::stage::kind::{Io, Role, StageKind, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tuning::words::corpus::{self, Corpus, Row, Split, folded};
use tuning::words::features::LETTERS;
use unicode_script::Script;

pub struct Names;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Digest of the file, 64 hexadecimal digits.
    blake3: String,
    /// Tags of languages to leave out.
    #[serde(default)]
    without: Vec<String>,
    /// How many languages may share a name; those that more share are left out.
    most_languages: Count,
    /// Names that a language must have then.
    least_names: Count,
    /// Share of the things that are for tests.
    test_share: Share,
    /// Script of the languages that pretraining may see, as Unicode calls it: `Latin`.
    script: String,
    /// Languages of this script that no training sees; at least four, as a prompt has so many.
    unseen: Count,
    /// Draws the things for tests and the unseen languages.
    seed: Seed,
}

impl StageKind for Names {
    const NAME: &'static str = "names";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("names")];
    const OUTPUTS: &'static [&'static str] = &["table.parquet", "languages.parquet"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        check_digest(&params.blake3)?;
        if params.unseen.get() < LETTERS {
            let unseen = params.unseen.get();
            return Err(format!(
                "unseen: {unseen} languages make no prompt, which has {LETTERS}"
            ));
        }
        match Script::from_full_name(&params.script) {
            Some(_) => Ok(()),
            None => Err(format!(
                "script: Unicode has no script `{}`: write its full name, as `Latin` or `Cyrillic`",
                params.script
            )),
        }
    }

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "table" => columns(COLUMNS),
            "languages" => columns(LANGUAGE_COLUMNS),
            _ => None,
        }
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let (file, text) = read_packed(io, "names", &params.blake3)?;
        let wrong = |mut error: Error| {
            error.message = format!("{file}: {}", error.message);
            error
        };
        let lines = parse(&text).map_err(|message| wrong(Error::failed(message)))?;
        let found = rows(params, &lines).map_err(wrong)?;
        // What readers of the table will ask for.
        let corpus = Corpus::new(found.rows.clone()).map_err(|e| wrong(failed(e)))?;
        io.log(format!(
            "{} names of {} things ({} for tests) in {} languages: {} for pretraining, {} unseen, {} in other scripts; {} test names left out since they are training names too",
            found.rows.len(),
            found.things,
            found.test_things,
            corpus.languages().len(),
            corpus.pretraining().len(),
            corpus.unseen().len(),
            corpus.other_script().iter().map(Vec::len).sum::<usize>(),
            found.both,
        ));
        write_names(io, "table", &found.rows)?;
        write_languages(io, "languages", &corpus, |tag| english(&lines, tag))
    }
}

struct Found {
    rows: Vec<Row>,
    things: usize,
    test_things: usize,
    /// Test names left out.
    both: usize,
}

fn rows(params: &Params, lines: &[Line]) -> Result<Found> {
    let tags: BTreeSet<&str> = lines.iter().map(|line| line[0]).collect();
    for tag in &params.without {
        if !tags.contains(tag.as_str()) {
            let message = format!("without: there is no language `{tag}`");
            return Err(Error::failed(message).suggest(tag, tags.iter().copied()));
        }
    }
    let is_left_out = |tag: &str| params.without.iter().any(|without| without == tag);
    let mut lines: Vec<Line> = { lines.iter().copied() }
        .filter(|[tag, ..]| !is_left_out(tag))
        .collect();
    lines.sort_unstable();
    let languages = by_language(&lines);
    // Scripts by all letters, before names are left out.
    let scripts: BTreeMap<&str, Script> = { languages.iter() }
        .map(|(tag, lines)| (*tag, script(lines)))
        .collect();
    let lines = without_shared(&lines, params.most_languages.get());
    enough_names(&languages, &lines, params.least_names.get())?;

    let mut things: Vec<&str> = lines.iter().map(|line| line[1]).collect();
    things.sort_unstable();
    things.dedup();
    let tests = (params.test_share.get() * things.len() as f64).round() as usize;
    if tests == 0 || tests == things.len() {
        let (share, all) = (params.test_share.get(), things.len());
        let message = format!("test_share: {share} of {all} things leaves {tests} for tests");
        return Err(Error::failed(message).hint("both training and tests need some"));
    }
    let seed = params.seed.get();
    let test_things = choose(&things, tests, &mut Stream::new(seed, "names tests", &[]));
    let is_test = |thing: &str| test_things.contains(thing);
    let training: BTreeSet<String> = { lines.iter() }
        .filter(|line| !is_test(line[1]))
        .map(|line| folded(line[2]))
        .collect();

    let pretrained = scripts.iter();
    let pretrained = pretrained.filter(|(_, script)| script.full_name() == params.script);
    let in_script: Vec<&str> = pretrained.map(|(tag, _)| *tag).collect();
    let needed = params.unseen.get() + LETTERS;
    if in_script.len() < needed {
        let (script, found, unseen) = (&params.script, in_script.len(), params.unseen.get());
        let known: BTreeSet<&str> = scripts.values().map(|s| s.full_name()).collect();
        let known: Vec<&str> = known.into_iter().collect();
        let message = format!(
            "{found} languages are in script `{script}`, {needed} are needed: {unseen} unseen and {LETTERS} for a prompt of pretraining"
        );
        let known = known.join(", ");
        return Err(Error::failed(message).hint(format!("the file has languages in {known}")));
    }
    let mut stream = Stream::new(seed, "names unseen", &[]);
    let unseen = choose(&in_script, params.unseen.get(), &mut stream);
    let role = |tag: &str| match (
        scripts[tag].full_name() == params.script,
        unseen.contains(tag),
    ) {
        (false, _) => corpus::Role::OtherScript,
        (true, true) => corpus::Role::Unseen,
        (true, false) => corpus::Role::Pretraining,
    };
    let row = |[language, thing, name]: &Line| Row {
        language: (*language).to_owned(),
        script: scripts[language].full_name().to_owned(),
        thing: (*thing).to_owned(),
        name: (*name).to_owned(),
        split: match is_test(thing) {
            true => Split::Test,
            false => Split::Train,
        },
        role: role(language),
    };
    let (all, things, test_things) = (lines.len(), things.len(), tests);
    let is_clean = |row: &Row| row.split == Split::Train || !training.contains(&folded(&row.name));
    let rows: Vec<Row> = lines.iter().map(row).filter(is_clean).collect();
    Ok(Found {
        both: all - rows.len(),
        rows,
        things,
        test_things,
    })
}

fn by_language<'a>(lines: &[Line<'a>]) -> BTreeMap<&'a str, Vec<Line<'a>>> {
    let mut languages: BTreeMap<&str, Vec<Line>> = BTreeMap::new();
    for line in lines {
        languages.entry(line[0]).or_default().push(*line);
    }
    languages
}

/// Without names that more than so many languages have.
fn without_shared<'a>(lines: &[Line<'a>], most: usize) -> Vec<Line<'a>> {
    let mut having: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for [language, _, name] in lines {
        having.entry(folded(name)).or_default().insert(language);
    }
    let lines = lines.iter();
    let lines = lines.filter(|line| having[&folded(line[2])].len() <= most);
    lines.copied().collect()
}

/// All languages that had names have enough of them left.
fn enough_names(before: &BTreeMap<&str, Vec<Line>>, lines: &[Line], least: usize) -> Result<()> {
    let left = by_language(lines);
    let mut few = Vec::new();
    for (tag, names) in before {
        let found = left.get(tag).map_or(0, Vec::len);
        if found < least {
            few.push(format!("`{tag}` has {found} of {}", names.len()));
        }
    }
    match few.is_empty() {
        true => Ok(()),
        false => {
            let few = few.join(", ");
            let message = format!(
                "languages with fewer than {least} names after those that too many share are left out: {few}"
            );
            Err(Error::failed(message)
                .hint("name them in `without`, or lower `least_names`, or raise `most_languages`"))
        }
    }
}

/// So many of them, uniform: the first places of a Fisher-Yates shuffle.
fn choose<'a>(from: &[&'a str], n: usize, stream: &mut Stream) -> BTreeSet<&'a str> {
    let mut left = from.to_vec();
    for place in 0..n {
        let other = place + stream.index(left.len() - place);
        left.swap(place, other);
    }
    left.into_iter().take(n).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(unseen: u64) -> Params {
        let json = serde_json::json!({
            "blake3": "0".repeat(64), "most_languages": 2, "least_names": 3, "test_share": 0.25,
            "script": "Latin", "unseen": unseen, "seed": 0
        });
        serde_json::from_value(json).unwrap()
    }

    /// Twelve things in nine Latin languages and one Greek.
    fn text() -> String {
        let mut text = String::new();
        for language in 0..9 {
            for thing in 0..12 {
                text += &format!("l{language}\tthing/{thing:02}\tname {language}{thing}\n");
            }
        }
        for thing in 0..12 {
            text += &format!("el\tthing/{thing:02}\tόνομα {thing}\n");
        }
        text
    }

    fn error(params: &Params, text: &str) -> Error {
        rows(params, &parse(text).unwrap()).err().unwrap()
    }

    #[test]
    fn things_are_split_and_languages_have_roles() {
        let text = text();
        let found = rows(&params(4), &parse(&text).unwrap()).unwrap();
        assert_eq!((found.things, found.test_things, found.both), (12, 3, 0));
        let tests = found.rows.iter().filter(|row| row.split == Split::Test);
        assert_eq!(tests.count(), 3 * 10);
        let corpus = Corpus::new(found.rows).unwrap();
        assert_eq!(corpus.pretraining().len(), 5);
        assert_eq!(corpus.unseen().len(), 4);
        let greek = corpus.find("el").unwrap();
        assert_eq!(corpus.other_script(), [vec![greek]]);
        assert_eq!(corpus.languages()[greek].script, "Greek");
        // Another seed, other things and languages.
        let other = Params {
            seed: serde_json::from_str("1").unwrap(),
            ..params(4)
        };
        let other = rows(&other, &parse(&text).unwrap()).unwrap();
        let other = Corpus::new(other.rows).unwrap();
        assert_ne!(other.languages()[1].test, corpus.languages()[1].test);
        assert_ne!(other.unseen(), corpus.unseen());
    }

    #[test]
    fn names_that_many_share_or_that_training_has_are_left_out() {
        // Three languages call thing 0 alike, two call thing 1 alike.
        let shared = text()
            .replace("name 00\n", "Samoa\n")
            .replace("name 10\n", "samoa\n")
            .replace("name 20\n", "SAMOA\n")
            .replace("name 01\n", "Malta\n")
            .replace("name 11\n", "Malta\n");
        let found = rows(&params(4), &parse(&shared).unwrap()).unwrap();
        assert!(found.rows.iter().all(|row| folded(&row.name) != "samoa"));
        let malta = found.rows.iter().filter(|row| row.name == "Malta");
        assert_eq!(malta.count(), 2);
        // All things of a language, and so some for tests and some for training, have one name.
        let mut same = text();
        for thing in 0..12 {
            same = same.replace(&format!("name 3{thing}\n"), "same\n");
        }
        let found = rows(&params(4), &parse(&same).unwrap()).unwrap();
        assert_eq!(found.both, 3);
        let error = Corpus::new(found.rows).unwrap_err().to_string();
        assert_eq!(error, "language `l3` has no names of split `test`");
    }

    #[test]
    fn what_cannot_be_done_is_told() {
        let mut few = text();
        few += "l9\tthing/00\tone\nl9\tthing/01\ttwo\n";
        let told = error(&params(4), &few);
        assert_eq!(
            told.message,
            "languages with fewer than 3 names after those that too many share are left out: `l9` has 2 of 2"
        );
        let mut without = params(4);
        without.without = vec!["l9".into()];
        assert!(rows(&without, &parse(&few).unwrap()).is_ok());
        without.without = vec!["l99".into()];
        let told = error(&without, &few);
        assert_eq!(told.message, "without: there is no language `l99`");
        let told = error(&params(6), &text());
        assert_eq!(
            told.message,
            "9 languages are in script `Latin`, 10 are needed: 6 unseen and 4 for a prompt of pretraining"
        );
        let mut empty = params(4);
        empty.test_share = serde_json::from_str("0.01").unwrap();
        let told = error(&empty, &text());
        assert_eq!(
            told.message,
            "test_share: 0.01 of 12 things leaves 0 for tests"
        );
        let told = Names::check(&params(3)).unwrap_err();
        assert_eq!(told, "unseen: 3 languages make no prompt, which has 4");
        let mut script = params(4);
        script.script = "Latn".into();
        let told = Names::check(&script).unwrap_err();
        assert!(told.contains("no script `Latn`"), "{told}");
    }
}
