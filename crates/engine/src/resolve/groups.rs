//! Groups of stages, and what it means that one is opt-in.
//!
//! The stages of an opt-in group are no targets of a run without targets: such a run makes of them
//! what its own stages read by name. A glob that stands in pipeline.yaml outside an opt-in group takes
//! none of its stages, so that a stage that gathers whatever there is does not bring them back. Does not
//! know the stages of a pipeline: [`crate::resolve::members`] does.

use crate::base::error::{Error, Place, Result};
use crate::spec::expand::Draft;
use crate::spec::groups::GroupSpec;
use crate::spec::ids::Pattern;

/// More targets of all groups together are refused: each is compared with each stage.
const MAX_TARGETS: usize = 1_000;

/// A named set of stages.
#[derive(Clone, Debug)]
pub struct Group {
    pub name: String,
    /// Whether its stages run only when they are asked for.
    pub opt_in: bool,
    /// Ids, names and globs, with where they stand.
    pub targets: Vec<(String, Place)>,
}

/// The groups of a file.
///
/// # Errors
/// A target is no text, or there are too many.
pub fn read(specs: &[GroupSpec]) -> Result<Vec<Group>> {
    let mut targets = specs.iter().flat_map(|group| &group.targets);
    if let Some(first) = targets.nth(MAX_TARGETS) {
        let message = format!("the groups have more than {MAX_TARGETS} targets in all");
        return Err(Error::config(message).at(&first.place));
    }
    let group = |spec: &GroupSpec| {
        let targets = spec.targets.iter();
        let targets =
            targets.map(|target| Ok((target.text("a target")?.to_owned(), target.place.clone())));
        Ok(Group {
            name: spec.name.text.clone(),
            opt_in: spec.opt_in,
            targets: targets.collect::<Result<_>>()?,
        })
    };
    specs.iter().map(group).collect()
}

/// For each draft the numbers of the opt-in groups that have it, in ascending order.
///
/// # Errors
/// A target of such a group is no glob.
pub fn opt_in(groups: &[Group], drafts: &[Draft]) -> Result<Vec<Vec<usize>>> {
    let mut of = vec![Vec::new(); drafts.len()];
    for (number, group) in groups.iter().enumerate().filter(|(_, group)| group.opt_in) {
        for (target, place) in &group.targets {
            let pattern = Pattern::read(target).map_err(|e| e.at(place))?;
            for (groups, draft) in of.iter_mut().zip(drafts) {
                if pattern.matches(&draft.id) && !groups.contains(&number) {
                    groups.push(number);
                }
            }
        }
    }
    Ok(of)
}

/// Whether a glob of a stage in the opt-in groups `reader` takes a stage that is in those of `found`.
pub fn takes(reader: &[usize], found: &[usize]) -> bool {
    found.is_empty() || found.iter().any(|group| reader.contains(group))
}
