//! What can stand at the cursor of a command line: the answer to a shell's script of completions.
//!
//! Verbs, options and their values come from the grammar; stages, groups and profiles from the pipeline.yaml that the
//! words before the cursor mean. Nothing is run, written or said on stderr: what cannot be read completes nothing.

use crate::pipeline::scope::Scope;
use crate::pipeline::session;
use crate::program::description::Program;
use clap::{Command, FromArgMatches};
use clap_complete::engine::{
    ArgValueCompleter, CompletionCandidate as Candidate, PathCompleter, ValueCompleter, complete,
};
use retrace::base::files;
use retrace::spec::names::Names;
use retrace::stage::publication::PUBLISHED;
use retrace::store::workspace::{SPEC_FILE, Workspace};
use retrace::yaml::node::MAX_BYTES;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The lines of the answer: for `arguments` that are the place of the word at the cursor and the words up to it.
pub fn answer(program: &Program, grammar: Command, arguments: &[OsString]) -> Option<String> {
    let (place, words) = arguments.split_first()?;
    let place: usize = place.to_str()?.parse().ok()?;
    let word = words.get(place)?.clone();
    let here = Here::of(&grammar, &words[..place]);
    let mut grammar = completing(grammar, program, &Arc::new(here));
    let found = complete(&mut grammar, words.to_vec(), place, None).ok()?;
    let is_option = |found: &Candidate| found.get_value().as_encoded_bytes().starts_with(b"-");
    // All options beside all stages would be a wall.
    let asks_for_options = word.as_encoded_bytes().starts_with(b"-");
    let only_options = found.iter().all(is_option);
    let shown = found
        .iter()
        .filter(|found| asks_for_options || only_options || !is_option(found));
    Some(shown.filter_map(line).collect())
}

fn line(candidate: &Candidate) -> Option<String> {
    let value = candidate.get_value().to_str()?;
    let help = candidate.get_help().map(ToString::to_string);
    let help = help.unwrap_or_default();
    let help = help.lines().next().unwrap_or_default();
    let is_whole = |text: &str| !text.contains(['\n', '\t']);
    is_whole(value).then(|| format!("{value}\t{}\n", help.replace('\t', " ")))
}

/// The pipeline that the words before the cursor mean, as far as it can be read.
#[derive(Default)]
struct Here {
    names: Names,
    /// The folders of published files, as the working directory sees them.
    published: Option<PathBuf>,
}

impl Here {
    fn of(grammar: &Command, words: &[OsString]) -> Here {
        let lenient = grammar.clone().ignore_errors(true);
        let matches = lenient.try_get_matches_from(words);
        let scope = matches.and_then(|matches| Scope::from_arg_matches(&matches));
        let Ok(scope) = scope else {
            return Here::default();
        };
        let start = scope.directory.as_deref().unwrap_or(Path::new("."));
        let Ok(root) = Workspace::find_root(start) else {
            return Here::default();
        };
        let text = files::read_at_most(&root.join(SPEC_FILE), MAX_BYTES as u64).ok();
        let text = text.and_then(|text| String::from_utf8(text).ok());
        let names = text.and_then(|text| {
            let read = |settings| Names::read(SPEC_FILE, &text, &settings).ok();
            // A profile that is mistyped is no reason to complete no other word.
            read(session::settings(&scope)).or_else(|| read(Default::default()))
        });
        // Paths are completed from the working directory, so not for another one.
        let published = scope.directory.is_none().then(|| root.join(PUBLISHED));
        match names {
            Some(names) => Here { names, published },
            None => Here::default(),
        }
    }

    fn ids(&self) -> impl Iterator<Item = &str> {
        let stages = self.names.stages.iter();
        stages.flat_map(|stage| stage.ids.iter().map(String::as_str))
    }

    /// What a target may be. The items of a matrix come after its name: a matrix may have thousands.
    fn targets(&self, word: &str) -> Vec<Candidate> {
        let stages = &self.names.stages;
        let mut found = Vec::new();
        let matrices = stages.iter().filter(|stage| stage.has_matrix);
        let all = matrices.map(|stage| (format!("{}@*", stage.name), counted(stage.ids.len())));
        if word.contains('@') {
            found.extend(all);
            found.extend(self.ids().map(|id| (id.to_owned(), String::new())));
        } else {
            let names = stages.iter().map(|stage| match stage.has_matrix {
                true => (stage.name.clone(), counted(stage.ids.len())),
                false => (stage.name.clone(), String::new()),
            });
            let groups = self.names.groups.iter();
            found.extend(names.chain(all));
            found.extend(groups.map(|name| (name.clone(), "group".to_owned())));
        }
        found.retain(|(value, _)| value.starts_with(word));
        let found = found.into_iter().map(|(value, about)| {
            let about = (!about.is_empty()).then(|| about.into());
            Candidate::new(value).help(about)
        });
        found.collect()
    }

    /// Published files, and the folders that lead there.
    fn files(&self, word: &OsStr) -> Vec<Candidate> {
        let Some(published) = self.published.as_ref().filter(|_| !word.is_empty()) else {
            return Vec::new();
        };
        let leads_there = |path: &Path| {
            let path = std::path::absolute(path).unwrap_or_default();
            path.starts_with(published) || published.starts_with(&path)
        };
        let mut found = PathCompleter::any().complete(word);
        found.retain(|path| leads_there(Path::new(path.get_value())));
        found
    }
}

fn counted(stages: usize) -> String {
    crate::console::terminal::count(stages, "stage")
}

/// The grammar, with what only the pipeline knows where such a word may stand.
fn completing(grammar: Command, program: &Program, here: &Arc<Here>) -> Command {
    let verbs: Vec<String> = verbs(&grammar);
    let answers: Vec<String> = program
        .answers()
        .iter()
        .map(|a| a.name.to_owned())
        .collect();
    with_names(grammar, here, &verbs, &answers)
}

fn verbs(grammar: &Command) -> Vec<String> {
    let verbs = grammar.get_subcommands();
    verbs.map(|verb| verb.get_name().to_owned()).collect()
}

fn with_names(grammar: Command, here: &Arc<Here>, verbs: &[String], answers: &[String]) -> Command {
    let of = |which: fn(&Here) -> Vec<&str>| {
        let here = here.clone();
        ArgValueCompleter::new(move |word: &OsStr| beginning(which(&here), word))
    };
    let listed = |list: &[String]| {
        let list = list.to_vec();
        ArgValueCompleter::new(move |word: &OsStr| beginning(list.iter().map(|s| &**s), word))
    };
    let targets = {
        let here = here.clone();
        ArgValueCompleter::new(move |word: &OsStr| {
            let mut found = word.to_str().map_or(Vec::new(), |word| here.targets(word));
            found.extend(here.files(word));
            found
        })
    };
    let verb = grammar.get_name().to_owned();
    grammar
        .mut_args(|argument| {
            let completer = match (argument.get_id().as_str(), verb.as_str()) {
                ("targets", _) => targets.clone(),
                ("stage", "repeat") => of(|here| here.ids().collect()),
                ("groups", _) => of(|here| here.names.groups.iter().map(|s| &**s).collect()),
                ("profile", _) => of(|here| here.names.profiles.iter().map(|s| &**s).collect()),
                ("answer", "schema") => listed(answers),
                ("verb", "man") => listed(verbs),
                _ => return argument,
            };
            argument.add(completer)
        })
        .mut_subcommands(|verb| with_names(verb, here, verbs, answers))
}

fn beginning<'a>(words: impl IntoIterator<Item = &'a str>, word: &OsStr) -> Vec<Candidate> {
    let Some(word) = word.to_str() else {
        return Vec::new();
    };
    let found = words.into_iter().filter(|known| known.starts_with(word));
    found.map(Candidate::new).collect()
}
