//! Which stages a list of targets means.

use crate::base::error::{Error, Result};
use crate::resolve::stages::Pipeline;
use crate::spec::ids::Pattern;
use crate::stage::stage::Stage;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What the user asked for.
pub struct Selection {
    /// The stages that the targets name.
    pub targets: BTreeSet<usize>,
    /// These and everything they depend on.
    pub closure: BTreeSet<usize>,
}

impl Pipeline {
    /// The stages meant by targets (ids, matrix names, globs, groups, output paths) and groups;
    /// everything when both are empty.
    pub fn select(&self, targets: &[String], groups: &[String]) -> Result<Selection> {
        let mut found = BTreeSet::new();
        for target in targets {
            let stages = self.find(target)?;
            if stages.is_empty() {
                let error = Error::config(format!("there is no target `{target}`"));
                let paths = self.stages.iter().flat_map(|stage| &stage.outputs);
                let paths: Vec<String> = match target.contains('/') {
                    true => paths.map(|(_, path)| path.display().to_string()).collect(),
                    false => Vec::new(),
                };
                let known = match paths.is_empty() {
                    true => self.target_names(),
                    false => paths.iter().map(String::as_str).collect(),
                };
                return Err(error.suggest(target, known));
            }
            found.extend(stages);
        }
        for group in groups {
            found.extend(self.group(group)?);
        }
        if targets.is_empty() && groups.is_empty() {
            found.extend(0..self.stages.len());
        }
        Ok(self.closure_of(found))
    }

    /// Whether a target names anything.
    pub fn knows(&self, target: &str) -> bool {
        self.find(target).is_ok_and(|stages| !stages.is_empty())
    }

    /// Refuses a group that names a stage that does not exist, asked for or not.
    pub fn check_groups(&self) -> Result<()> {
        self.groups
            .iter()
            .try_for_each(|(name, _)| self.group(name).map(drop))
    }

    /// The selection with everything that depends on its targets, and what that needs.
    pub fn with_downstream(&self, selection: Selection) -> Selection {
        let mut targets = selection.targets;
        for (index, stage) in self.stages.iter().enumerate() {
            if stage.upstream().iter().any(|u| targets.contains(u)) {
                targets.insert(index);
            }
        }
        self.closure_of(targets)
    }

    /// The selection of these stages and everything that they depend on.
    fn closure_of(&self, targets: BTreeSet<usize>) -> Selection {
        let mut closure = targets.clone();
        for index in (0..self.stages.len()).rev() {
            if closure.contains(&index) {
                closure.extend(self.stages[index].upstream());
            }
        }
        Selection { targets, closure }
    }

    /// Every stage that a stage depends on, directly or through others, in order.
    pub fn ancestors(&self, stage: &Stage) -> BTreeSet<usize> {
        self.closure_of(stage.upstream().into_iter().collect())
            .closure
    }

    /// For each stage the number of the first group that needs it, in the order of the file; one more
    /// than there are groups where none does. Stages of lower rank go first.
    pub fn ranks(&self) -> Result<Vec<usize>> {
        let mut ranks = vec![self.groups.len(); self.stages.len()];
        for rank in (0..self.groups.len()).rev() {
            for stage in self.needed_by_group(rank)? {
                ranks[stage] = rank;
            }
        }
        Ok(ranks)
    }

    /// The stages of a group, by its number, and everything that they depend on.
    pub fn needed_by_group(&self, number: usize) -> Result<BTreeSet<usize>> {
        let (name, _) = &self.groups[number];
        Ok(self.closure_of(self.group(name)?).closure)
    }

    fn find(&self, target: &str) -> Result<BTreeSet<usize>> {
        let mut found = self.matching(target)?;
        let path = Path::new(target.trim_start_matches("./"));
        // An output may be named by its path, or a figure by its stem.
        let is_named =
            |output: &PathBuf| output == path || output.file_stem() == Some(path.as_os_str());
        let writes = |stage: &Stage| stage.outputs.iter().any(|(_, output)| is_named(output));
        found.extend((0..self.stages.len()).filter(|&i| writes(&self.stages[i])));
        if self.groups.iter().any(|(name, _)| name == target) {
            found.extend(self.group(target)?);
        }
        Ok(found)
    }

    /// Stages whose id, or name before `@`, is `pattern` or matches it as a glob.
    fn matching(&self, pattern: &str) -> Result<BTreeSet<usize>> {
        let pattern = Pattern::read(pattern)?;
        Ok((0..self.stages.len())
            .filter(|&i| pattern.matches(&self.stages[i].id))
            .collect())
    }

    fn group(&self, name: &str) -> Result<BTreeSet<usize>> {
        let Some((_, patterns)) = self.groups.iter().find(|(group, _)| group == name) else {
            let known = self.groups.iter().map(|(group, _)| group.as_str());
            return Err(Error::config(format!("there is no group `{name}`")).suggest(name, known));
        };
        let mut found = BTreeSet::new();
        for (pattern, place) in patterns {
            let stages = self.matching(pattern).map_err(|e| e.at(place))?;
            if stages.is_empty() {
                let error = Error::config(format!("group `{name}`: there is no stage `{pattern}`"));
                let known = self.stages.iter().map(|stage| stage.id.as_str());
                return Err(error.at(place).suggest(pattern, known));
            }
            found.extend(stages);
        }
        Ok(found)
    }

    /// Ids, names of matrices and groups, each once, in the order of the file.
    fn target_names(&self) -> Vec<&str> {
        let ids = self.stages.iter().map(|stage| stage.id.as_str());
        let names = ids.clone().filter_map(|id| Some(id.split_once('@')?.0));
        let groups = self.groups.iter().map(|(name, _)| name.as_str());
        let mut seen = BTreeSet::new();
        let all = groups.chain(names).chain(ids);
        all.filter(|name| seen.insert(*name)).collect()
    }
}
