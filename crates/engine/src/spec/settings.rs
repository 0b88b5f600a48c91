//! What a profile and `--set` change: variables before `${...}` is filled in, parameters after.
//!
//! A change that reaches nothing is an error, also in a profile that nobody asked for.

use crate::base::error::{Error, Place, Result, nearest_name};
use crate::spec::expand::Draft;
use crate::spec::file::Spec;
use crate::spec::fill::{Budget, Scope};
use crate::spec::ids::Pattern;
use crate::yaml::node::{Key, Node};

/// What the command line changes.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// A profile of pipeline.yaml; `None` is the default profile.
    pub profile: Option<String>,
    /// `stage.param=value` or `vars.name=value`, in order.
    pub sets: Vec<String>,
}

/// A change as it is written: what is changed, and to what.
pub type Change = (Key, Node);

/// More changes of all profiles together are refused: each is compared with each stage.
const MAX_CHANGES: usize = 1_000;
/// What a change of a variable begins with.
const VARS: &str = "vars.";

/// The changes that are asked for, in order.
pub fn changes(spec: &Spec, settings: &Settings) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    if let Some(wanted) = &settings.profile {
        let found = spec.profiles.iter().find(|(name, _)| name.text == *wanted);
        let Some((_, profile)) = found else {
            let known = spec.profiles.iter().map(|(name, _)| name.text.as_str());
            let error = Error::config(format!("there is no profile `{wanted}`"));
            return Err(error.suggest(wanted, known));
        };
        changes.extend(profile.iter().cloned());
    }
    for option in &settings.sets {
        let shown = format!("--set {option}");
        let (path, value) = option.split_once('=').ok_or_else(|| {
            Error::config(format!("`{shown}` has no `=`")).hint("write --set stage.param=value")
        })?;
        let place = Place::whole(shown.as_str());
        let text = path.trim().to_owned();
        let value = Node::written(place.clone(), value);
        changes.push((Key { place, text }, value));
    }
    Ok(changes)
}

/// Applies what changes variables.
pub fn change_vars(spec: &mut Spec, changes: &[Change]) -> Result<()> {
    for (path, value) in changes {
        if let Some(variable) = path.text.strip_prefix(VARS) {
            check_variable(&spec.vars, path, variable)?;
            spec.vars.set_path(variable, value.clone())?;
        }
    }
    Ok(())
}

/// Refuses changes of variables that nothing names, once everything is filled in.
pub fn check_use(changes: &[Change], budget: &Budget) -> Result<()> {
    for (path, _) in changes {
        let variable = path.text.strip_prefix(VARS);
        let variable = variable.and_then(|path| path.split('.').next());
        if let Some(variable) = variable.filter(|variable| !budget.has_used(variable)) {
            let message = format!(
                "`{}` changes nothing: no stage uses `${{{variable}}}`",
                path.text
            );
            return Err(Error::config(message).at(&path.place));
        }
    }
    Ok(())
}

/// Changes parameters of stages whose matrices are expanded.
pub fn change_params(
    drafts: &mut [Draft],
    vars: &Node,
    changes: &[Change],
    budget: &Budget,
) -> Result<()> {
    let scope = Scope::of_file(vars, budget);
    for (path, value) in changes.iter().filter(|(path, _)| !is_variable(path)) {
        let (stages, param) = target(drafts, vars, path)?;
        let value = scope.fill(value, 0)?;
        for stage in stages {
            drafts[stage].params.set_path(param, value.clone())?;
        }
    }
    Ok(())
}

/// Refuses a profile that names something that is not there, asked for or not. `accepts` says what is
/// wrong with a stage's parameters.
pub fn check_profiles(
    spec: &Spec,
    drafts: &[Draft],
    budget: &Budget,
    accepts: impl Fn(&Draft, &Node) -> Result<()>,
) -> Result<()> {
    let count = spec.profiles.iter().map(|(_, changes)| changes.len());
    if count.sum::<usize>() > MAX_CHANGES {
        let message = format!("the profiles make more than {MAX_CHANGES} changes in all");
        return Err(Error::config(message).at(&spec.profiles[0].0.place));
    }
    let vars = &spec.vars;
    let scope = Scope::of_file(vars, budget);
    for (profile, changes) in &spec.profiles {
        let of_profile = |mut error: Error| {
            error.message = format!("profile `{}`: {}", profile.text, error.message);
            error
        };
        for (path, written) in changes {
            let value = scope.fill(written, 0).map_err(of_profile)?;
            if let Some(variable) = path.text.strip_prefix(VARS) {
                check_variable(vars, path, variable).map_err(of_profile)?;
                continue;
            }
            let (stages, param) = target(drafts, vars, path).map_err(of_profile)?;
            let Some(draft) = stages.first().map(|&stage| &drafts[stage]) else {
                continue;
            };
            let mut params = draft.params.clone();
            params.set_path(param, value.clone()).map_err(of_profile)?;
            // What else is wrong may be right with the profile's other changes.
            let is_own = |error: &Error| error.place.as_ref() == Some(&written.place);
            match accepts(draft, &params) {
                Err(error) if is_own(&error) => return Err(of_profile(error)),
                _ => {}
            }
        }
    }
    Ok(())
}

fn is_variable(path: &Key) -> bool {
    path.text.starts_with(VARS)
}

fn check_variable(vars: &Node, path: &Key, variable: &str) -> Result<()> {
    if vars.get_path(variable).is_some() {
        return Ok(());
    }
    // The nearest is looked for where the path leaves what is there.
    let (mut above, mut node, mut wrong) = (VARS.to_owned(), vars, variable);
    for step in variable.split('.') {
        wrong = step;
        let Some(below) = node.get(step) else { break };
        above += &format!("{step}.");
        node = below;
    }
    let known = node.entries("vars").unwrap_or_default();
    let known = known.iter().map(|(key, _)| key.text.as_str());
    let error = Error::config(format!("there is no variable `{variable}`")).at(&path.place);
    Err(match nearest_name(wrong, known.clone()) {
        Some(name) => error.hint(format!("did you mean `{above}{name}`?")),
        None => error.suggest(wrong, known),
    })
}

/// The stages that a path means, and the parameter. An item may have dots: the longest beginning of
/// the path that names a stage is the stage.
fn target<'p>(drafts: &[Draft], vars: &Node, path: &'p Key) -> Result<(Vec<usize>, &'p str)> {
    let text = path.text.as_str();
    let error = |message: String| Error::config(message).at(&path.place);
    let Some((first, after)) = text.split_once('.') else {
        let error = error(format!("`{text}` is not stage.param or vars.name"));
        let known = vars
            .entries("vars")?
            .iter()
            .map(|(key, _)| key.text.as_str());
        return Err(error.hint(match nearest_name(text, known) {
            Some(name) => format!("did you mean `{VARS}{name}`?"),
            None => format!("write stage.param, or {VARS}name for a variable"),
        }));
    };
    if first.is_empty() || after.is_empty() {
        return Err(error(format!("`{text}` is not stage.param or vars.name")));
    }
    // No beginning with more dots than an id has can be one.
    let dots = drafts
        .iter()
        .map(|draft| draft.id.matches('.').count())
        .max();
    let ends = text.match_indices('.').map(|(end, _)| end);
    let ends: Vec<usize> = ends.take(1 + dots.unwrap_or(0)).collect();
    let named = |end: &usize| {
        let pattern = Pattern::read(&text[..*end]).ok()?;
        let matches = |i: &usize| pattern.matches(&drafts[*i].id);
        let stages: Vec<usize> = (0..drafts.len()).filter(matches).collect();
        (!stages.is_empty()).then_some((stages, &text[end + 1..]))
    };
    let mut found = ends.iter().rev().filter_map(named);
    let Some((stages, param)) = found.next() else {
        // A glob is told what is wrong with it.
        Pattern::read(first).map_err(|e| e.at(&path.place))?;
        let (stage, known) = unknown(drafts, text, first);
        let error = error(format!("there is no stage `{stage}`"));
        return Err(error.suggest(stage, known));
    };
    // The same text may be meant as a parameter of a stage with a shorter id.
    for (others, other) in found {
        let is_there = |&&i: &&usize| drafts[i].params.get_path(other).is_some();
        if let Some(&stage) = others.iter().find(is_there) {
            let (a, b) = (&drafts[stages[0]].id, &drafts[stage].id);
            let message = format!("`{text}` may be `{param}` of `{a}` or `{other}` of `{b}`");
            return Err(error(message).hint("rename one of the items"));
        }
    }
    Ok((stages, param))
}

/// The part of a path that names no stage, and what it is compared with.
fn unknown<'a>(drafts: &'a [Draft], text: &'a str, first: &'a str) -> (&'a str, Vec<&'a str>) {
    let name = first.split('@').next().unwrap_or(first);
    let items: Vec<&str> = drafts
        .iter()
        .filter(|draft| draft.spec.name.text == name)
        .map(|draft| draft.id.as_str())
        .collect();
    if text.contains('@') && !items.is_empty() {
        return (first, items);
    }
    let mut names: Vec<&str> = drafts.iter().map(|d| d.spec.name.text.as_str()).collect();
    names.dedup();
    names.push("vars");
    (first, names)
}
