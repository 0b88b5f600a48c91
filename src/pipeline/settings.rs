//! What a profile and `--set` change: variables before `${...}` is filled in, parameters after.

use crate::pipeline::error::{Error, Place, Result};
use crate::pipeline::expand::{Budget, Draft, Scope};
use crate::pipeline::node::{Key, Node};
use crate::pipeline::spec::{Spec, parse_option_value};

/// What the command line changes.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// A profile of pipeline.yaml; `None` is the default profile.
    pub profile: Option<String>,
    /// `stage.param=value` or `vars.name=value`, in order.
    pub sets: Vec<String>,
}

/// A change of a parameter of the stages that a pattern names.
pub struct ParamChange {
    /// A stage's name or id, or a glob.
    pattern: String,
    param: String,
    place: Place,
    value: Node,
}

/// Applies what changes variables; returns what changes parameters, for after they are filled in.
pub fn apply_settings(spec: &mut Spec, settings: &Settings) -> Result<Vec<ParamChange>> {
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
        changes.push((Key { place, text }, parse_option_value(&shown, value)?));
    }
    let mut params = Vec::new();
    for (path, value) in changes {
        let error = |message: String| Error::config(message).at(&path.place);
        let Some((pattern, param)) = path.text.split_once('.') else {
            return Err(error(format!(
                "`{}` is not stage.param or vars.name",
                path.text
            )));
        };
        if pattern != "vars" {
            let (pattern, param) = (pattern.to_owned(), param.to_owned());
            params.push(ParamChange {
                pattern,
                param,
                place: path.place,
                value,
            });
        } else if spec.vars.get_path(param).is_some() {
            spec.vars.set_path(param, value)?;
        } else {
            let known = spec
                .vars
                .entries("vars")?
                .iter()
                .map(|(key, _)| key.text.as_str());
            return Err(error(format!("there is no variable `{param}`")).suggest(param, known));
        }
    }
    Ok(params)
}

/// Changes parameters of stages whose matrices are expanded.
pub fn change_params(
    drafts: &mut [Draft],
    vars: &Node,
    changes: &[ParamChange],
    budget: &Budget,
) -> Result<()> {
    for ParamChange {
        pattern,
        param,
        place,
        value,
    } in changes
    {
        let glob = glob::Pattern::new(pattern)
            .map_err(|e| Error::config(format!("`{pattern}`: {e}")).at(place))?;
        let matches = |draft: &&mut Draft| {
            draft.spec.name.text == *pattern || draft.id == *pattern || glob.matches(&draft.id)
        };
        let items = &[];
        let scope = Scope {
            vars,
            items,
            budget,
        };
        let value = scope.fill(value, 0)?;
        let mut found = false;
        for draft in drafts.iter_mut().filter(matches) {
            found = true;
            draft.params.set_path(param, value.clone())?;
        }
        if !found {
            let known = drafts.iter().map(|draft| draft.spec.name.text.as_str());
            let error = Error::config(format!("there is no stage `{pattern}`")).at(place);
            return Err(error.suggest(pattern, known.chain(["vars"])));
        }
    }
    Ok(())
}
