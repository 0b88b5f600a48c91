//! Which stages a list of targets means.

use crate::base::error::{Error, Result};
use crate::resolve::stages::Pipeline;
use crate::stage::stage::Stage;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What the user asked for.
pub struct Selection {
    /// The stages that the targets name.
    pub targets: BTreeSet<usize>,
    /// These and everything they depend on.
    pub closure: BTreeSet<usize>,
    /// Of a question without targets: the stages of opt-in groups that nothing else needs. A run leaves
    /// them out; what looks at everything has them in the closure, and knows that nobody asked for them.
    pub unasked: BTreeSet<usize>,
}

impl Selection {
    /// Whether every stage of a pipeline is selected, or left out because nobody asked for it.
    pub fn is_whole(&self, pipeline: &Pipeline) -> bool {
        self.closure.union(&self.unasked).count() == pipeline.stages.len()
    }
}

impl Pipeline {
    /// The stages meant by targets (ids, matrix names, globs, groups, output paths) and groups;
    /// when both are empty everything but what opt-in groups alone have.
    ///
    /// # Errors
    /// There is no such target or group: the hint has the nearest name.
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
            let stages = 0..self.stages.len();
            found.extend(stages.filter(|&stage| self.stages[stage].opt_in.is_empty()));
            let mut selection = self.closure_of(found);
            let left_out = (0..self.stages.len()).filter(|s| !selection.closure.contains(s));
            selection.unasked = left_out.collect();
            return Ok(selection);
        }
        Ok(self.closure_of(found))
    }

    /// Every stage, those of opt-in groups too.
    ///
    /// # Errors
    /// As of [`Pipeline::select`].
    pub fn everything(&self) -> Result<Selection> {
        let stages: BTreeSet<usize> = (0..self.stages.len()).collect();
        Ok(Selection {
            targets: stages.clone(),
            closure: stages,
            unasked: self.select(&[], &[])?.unasked,
        })
    }

    /// What a selection leaves out, in words; `None` where that is nothing.
    pub fn left_out(&self, selection: &Selection) -> Option<String> {
        let stages = selection.unasked.difference(&selection.closure);
        let stages: BTreeSet<usize> = stages.copied().collect();
        let number = match stages.len() {
            0 => return None,
            1 => "1 stage".to_owned(),
            more => format!("{more} stages"),
        };
        let groups = self.opt_in_groups(&stages);
        let what = if groups.len() == 1 {
            "an opt-in group"
        } else {
            "opt-in groups"
        };
        Some(format!(
            "{number} of {what} left out: {}",
            groups.join(", ")
        ))
    }

    /// Whether a target names anything.
    pub fn knows(&self, target: &str) -> bool {
        self.find(target).is_ok_and(|stages| !stages.is_empty())
    }

    /// The selection with everything that depends on its targets, and what that needs; of opt-in groups
    /// only what was selected before.
    pub fn with_downstream(&self, selection: Selection) -> Selection {
        let mut targets = selection.targets;
        let mut unasked = selection.unasked;
        for (index, stage) in self.stages.iter().enumerate() {
            if stage.upstream().iter().any(|u| targets.contains(u)) {
                match stage.opt_in.is_empty() {
                    true => drop(targets.insert(index)),
                    false => drop(unasked.insert(index)),
                }
            }
        }
        let mut selection = self.closure_of(targets);
        unasked.retain(|stage| !selection.closure.contains(stage));
        selection.unasked = unasked;
        selection
    }

    /// The selection of these stages and everything that they depend on.
    pub(crate) fn closure_of(&self, targets: BTreeSet<usize>) -> Selection {
        let mut closure = targets.clone();
        for index in (0..self.stages.len()).rev() {
            if closure.contains(&index) {
                closure.extend(self.stages[index].upstream());
            }
        }
        Selection {
            targets,
            closure,
            unasked: BTreeSet::new(),
        }
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
        for (rank, group) in self.groups.iter().enumerate().rev() {
            for stage in self.group(&group.name)? {
                ranks[stage] = rank;
            }
        }
        // What a stage reads comes before it: one way back through all of them.
        for index in (0..self.stages.len()).rev() {
            for before in self.stages[index].upstream() {
                ranks[before] = ranks[before].min(ranks[index]);
            }
        }
        Ok(ranks)
    }

    /// The stages of a group, by its number, and everything that they depend on.
    pub fn needed_by_group(&self, number: usize) -> Result<BTreeSet<usize>> {
        let name = &self.groups[number].name;
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
        if self.groups.iter().any(|group| group.name == target) {
            found.extend(self.group(target)?);
        }
        Ok(found)
    }

    /// Ids, names of matrices and groups, each once, in the order of the file.
    fn target_names(&self) -> Vec<&str> {
        let ids = self.stages.iter().map(|stage| stage.id.as_str());
        let names = ids.clone().filter_map(|id| Some(id.split_once('@')?.0));
        let groups = self.groups.iter().map(|group| group.name.as_str());
        let mut seen = BTreeSet::new();
        let all = groups.chain(names).chain(ids);
        all.filter(|name| seen.insert(*name)).collect()
    }
}
