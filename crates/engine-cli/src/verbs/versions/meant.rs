//! Which side a word means: the repository itself, a variation by its name or by what was set, a profile, or
//! a git revision.

use crate::console::typed;
use crate::pipeline::git::Git;
use crate::pipeline::scope::Scope;
use crate::pipeline::session;
use crate::program::description::Program;
use crate::verbs::versions::side::Side;
use retrace::base::error::{Error, PROGRAM, Result};
use retrace::spec::file::Spec;
use retrace::store::variation::{self, Variation};
use retrace::store::workspace::{Outputs, SPEC_FILE, Workspace};
use std::path::Path;

/// Words for the repository as it lies there.
const THIS: [&str; 2] = ["this", "committed"];

/// What the options mean: the working tree, or a variation or folder that was made.
///
/// # Errors
/// Nothing was made there yet.
pub fn of_scope(program: &Program, scope: &Scope) -> Result<(Workspace, Side)> {
    let (workspace, _) = session::locate(program, scope)?;
    let side = match workspace.outputs() {
        Outputs::Committed => Side::WorkingTree,
        Outputs::Named { .. } => Side::Folder(workspace.out.clone()),
        Outputs::Variant => {
            let mut known = variation::variations(&workspace)?.into_iter();
            let found = known.find(|one| one.folder == workspace.out);
            let found = found.ok_or_else(|| {
                let options = scope.variant().options();
                Error::config(format!("nothing was made with{options} yet"))
                    .hint(format!("`{PROGRAM} run STAGE` makes a stage with it"))
            })?;
            Side::Variation(found)
        }
    };
    Ok((workspace, side))
}

/// What a word means.
///
/// # Errors
/// It means nothing, or several variations: the hint names what there is.
pub fn of_word(workspace: &Workspace, word: &str) -> Result<Side> {
    if THIS.contains(&word) {
        return Ok(Side::WorkingTree);
    }
    let known = variation::variations(workspace)?;
    match &variation::meant(&known, word)[..] {
        [one] => return Ok(Side::Variation((*one).clone())),
        [] => {}
        several => return Err(ambiguous(word, several)),
    }
    if word.contains('=') {
        return Err(unknown(workspace, &known, word, None));
    }
    if profiles(workspace)?.iter().any(|profile| profile == word) {
        let error = Error::config(format!("nothing was made with profile {word} yet"));
        let command = typed::plain_command(&format!("run --profile {}", typed::quoted(word)));
        return Err(error.hint(format!("`{command}` makes it")));
    }
    let git = match Git::open(&workspace.root) {
        Ok(git) => git,
        Err(error) => return Err(unknown(workspace, &known, word, Some(error))),
    };
    match git.revision(word) {
        Ok(revision) => Ok(Side::Revision(git, revision)),
        Err(error) => Err(unknown(workspace, &known, word, Some(error))),
    }
}

/// The variation that a word means.
///
/// # Errors
/// It means none, or several: the hint names what there is.
pub fn variation(workspace: &Workspace, word: &str) -> Result<Variation> {
    let known = variation::variations(workspace)?;
    match &variation::meant(&known, word)[..] {
        [one] => Ok((*one).clone()),
        [] => {
            let error = Error::config(format!("there is no variation `{word}`"));
            Err(match known.is_empty() {
                true => error.hint("nothing was made with --set or --profile yet"),
                false => error.suggest(word, known.iter().map(|one| one.name.as_str())),
            })
        }
        several => Err(ambiguous(word, several)),
    }
}

fn ambiguous(word: &str, several: &[&Variation]) -> Error {
    let names: Vec<&str> = several.iter().map(|one| one.name.as_str()).collect();
    let message = format!("`{word}` was set in {} variations", names.len());
    Error::config(message).hint(format!("name one of them: {}", names.join(", ")))
}

/// Refuses a word; `git` is what git said of it.
fn unknown(workspace: &Workspace, known: &[Variation], word: &str, git: Option<Error>) -> Error {
    if word.contains('=') {
        let error = Error::config(format!("nothing was made with `--set {word}` yet"));
        let run = format!("run STAGE --set {}", typed::quoted(word));
        let made = known
            .iter()
            .filter(|one| one.sets.as_ref() != Some(&Vec::new()));
        let made: Vec<String> = made.map(Variation::values).collect();
        let list = match made.is_empty() {
            true => String::new(),
            false => format!("; there are: {}", made.join("; ")),
        };
        return error.hint(format!("`{}` makes it{list}", typed::plain_command(&run)));
    }
    let shown = word.escape_debug();
    let message = format!("`{shown}` is no variation, no profile and no git revision");
    let profiles = profiles(workspace).unwrap_or_default();
    let names = known.iter().map(|one| one.name.as_str());
    let names = THIS
        .into_iter()
        .chain(names)
        .chain(profiles.iter().map(String::as_str));
    let names: std::collections::BTreeSet<&str> = names.collect();
    match retrace::base::error::nearest_name(word, names.iter().copied()) {
        Some(name) => Error::config(message).hint(format!("did you mean `{name}`?")),
        None => {
            let names: Vec<&str> = names.into_iter().collect();
            let revisions = git.and_then(|error| error.hint).map_or_else(
                || "; `git log --oneline` lists revisions".to_owned(),
                |hint| format!("; of revisions: {hint}"),
            );
            Error::config(message).hint(format!("known: {}{revisions}", names.join(", ")))
        }
    }
}

/// The profiles of pipeline.yaml.
fn profiles(workspace: &Workspace) -> Result<Vec<String>> {
    let path = workspace.root.join(SPEC_FILE);
    let spec = Spec::parse(SPEC_FILE, &text(&path)?)?;
    let names = spec.profiles.iter();
    Ok(names.map(|(name, _)| name.text.clone()).collect())
}

fn text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| Error::io("read", path, &e))
}
