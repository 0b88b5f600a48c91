//! Columns that stages want held against those that the stages before them write.
//!
//! What nobody declares is left to the run: a file of one's own has the columns that it has.

use crate::base::error::{Error, Result};
use crate::spec::ids::Pattern;
use crate::stage::columns::Wanted;
use crate::stage::stage::{Input, Source, Stage};
use std::collections::BTreeSet;

/// Refuses a stage that wants a column which the output it reads does not have, or a table that is none
/// of its inputs.
pub fn check(stages: &[Stage]) -> Result<()> {
    for stage in stages {
        for (wanted, place) in stage.job.wants() {
            check_one(stage, &wanted, stages).map_err(|mut error| {
                let path = match wanted.param.as_str() {
                    "" => String::new(),
                    param => format!("{param}: "),
                };
                error.message = format!("stage `{}`: {path}{}", stage.id, error.message);
                error.at(place.as_ref().unwrap_or(&stage.place))
            })?;
        }
    }
    Ok(())
}

fn check_one(stage: &Stage, wanted: &Wanted, stages: &[Stage]) -> Result<()> {
    let Wanted {
        role,
        label,
        column,
        ..
    } = wanted;
    // Read once for all inputs: a stage may have thousands, and want as many columns.
    let pattern = Pattern::read(label).ok().filter(Pattern::is_glob);
    let start = pattern.as_ref().map_or(label.as_str(), Pattern::start);
    let of_role = beginning(&stage.inputs, role, start).iter();
    let is_meant = |input: &&Input| is_named(&input.label, label, pattern.as_ref());
    if !label.is_empty() && !of_role.clone().any(|input| is_meant(&input)) {
        let message = format!("no input of `{role}` is called `{label}`");
        // The names that were given, not what a `*` stood for.
        let known = beginning(&stage.inputs, role, "").iter();
        let known = known.map(|input| input.label.split('@').next().unwrap_or_default());
        let known: BTreeSet<&str> = known.filter(|name| !name.is_empty()).collect();
        return Err(Error::config(message).suggest(label, known));
    }
    for input in of_role.filter(is_meant) {
        let Source::Output {
            stage: from,
            output,
        } = &input.source
        else {
            continue;
        };
        let from = &stages[*from];
        let Some(columns) = from.job.columns(output) else {
            continue;
        };
        if !columns.contains(column) {
            let message = format!(
                "input `{}`, {}.{output}, has no column `{column}`",
                input.key_name(),
                from.id
            );
            let known = columns.iter().map(String::as_str);
            return Err(Error::config(message).suggest(column, known));
        }
    }
    Ok(())
}

/// The inputs of a role whose labels begin so, of all, which are in the order of roles and labels.
fn beginning<'a>(inputs: &'a [Input], role: &str, start: &str) -> &'a [Input] {
    let place = |input: &Input| (input.role.as_str(), input.label.as_str()) < (role, start);
    let inputs = &inputs[inputs.partition_point(place)..];
    let begins = |input: &Input| input.role == role && input.label.starts_with(start);
    &inputs[..inputs.partition_point(begins)]
}

/// Whether a label is the one that is named, one of those that were given under that name, or matched.
fn is_named(label: &str, name: &str, glob: Option<&Pattern>) -> bool {
    let group = label.split_once('@').map(|(group, _)| group);
    let matches = || glob.is_some_and(|glob| glob.matches(label));
    name.is_empty() || label == name || group == Some(name) || matches()
}
