//! Which stages a group has, and which opt-in groups have a stage.

use crate::base::error::{Error, Result};
use crate::resolve::stages::Pipeline;
use crate::spec::ids::Pattern;
use crate::stage::stage::Stage;
use std::collections::BTreeSet;

impl Pipeline {
    /// Refuses a group that names a stage that does not exist, asked for or not, and one that is not
    /// opt-in but has a stage of one that is.
    ///
    /// # Errors
    /// There is such a group; the error says where.
    pub fn check_groups(&self) -> Result<()> {
        let names = self.groups.iter().map(|group| &group.name);
        names
            .map(String::as_str)
            .try_for_each(|name| self.group(name).map(drop))
    }

    /// The stages that a group has.
    ///
    /// # Errors
    /// As of [`Pipeline::check_groups`]; there is no such group.
    pub fn group(&self, name: &str) -> Result<BTreeSet<usize>> {
        let Some(group) = self.groups.iter().find(|group| group.name == name) else {
            let known = self.groups.iter().map(|group| group.name.as_str());
            return Err(Error::config(format!("there is no group `{name}`")).suggest(name, known));
        };
        let mut found = BTreeSet::new();
        for (target, place) in &group.targets {
            let mut stages = self.matching(target).map_err(|e| e.at(place))?;
            if stages.is_empty() {
                let error = Error::config(format!("group `{name}`: there is no stage `{target}`"));
                let known = self.stages.iter().map(|stage| stage.id.as_str());
                return Err(error.at(place).suggest(target, known));
            }
            let is_opt_in = |stage: &usize| !self.stages[*stage].opt_in.is_empty();
            if let Some(&first) = stages.iter().find(|s| is_opt_in(s) && !group.opt_in) {
                let rest = stages.iter().filter(|s| !is_opt_in(s)).copied();
                let rest: BTreeSet<usize> = rest.collect();
                if rest.is_empty() || !Pattern::read(target)?.is_glob() {
                    return Err(self.is_opt_in(name, first).at(place));
                }
                stages = rest;
            }
            found.extend(stages);
        }
        Ok(found)
    }

    /// Stages whose id, or name before `@`, is `pattern` or matches it as a glob.
    pub(crate) fn matching(&self, pattern: &str) -> Result<BTreeSet<usize>> {
        let pattern = Pattern::read(pattern)?;
        Ok((0..self.stages.len())
            .filter(|&i| pattern.matches(&self.stages[i].id))
            .collect())
    }

    fn is_opt_in(&self, group: &str, stage: usize) -> Error {
        let Stage { id, opt_in, .. } = &self.stages[stage];
        let other = &self.groups[opt_in[0]].name;
        let message =
            format!("group `{group}` has `{id}`, which the opt-in group `{other}` has too");
        Error::config(message).hint(format!(
            "take it out of one of them, or make `{group}` opt-in as well: `{{opt_in: true, stages: [...]}}`"
        ))
    }

    /// The names of the opt-in groups that have one of these stages, in the order of the file.
    pub fn opt_in_groups(&self, stages: &BTreeSet<usize>) -> Vec<&str> {
        let has = |number: &usize| {
            let mut stages = stages.iter();
            stages.any(|&stage| self.stages[stage].opt_in.contains(number))
        };
        let numbers = (0..self.groups.len()).filter(has);
        numbers
            .map(|number| self.groups[number].name.as_str())
            .collect()
    }
}
