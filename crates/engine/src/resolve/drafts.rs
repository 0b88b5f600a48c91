//! Where a draft finds what it reads: all drafts, by id and by pattern.
//!
//! Knows which opt-in groups have a stage, and how often patterns may be compared. What is done with what is
//! found, [`crate::resolve::bind`] knows.

use crate::base::error::{Error, Result};
use crate::resolve::groups::{self, Group};
use crate::resolve::outputs::OutputFiles;
use crate::spec::expand::Draft;
use crate::spec::ids::Pattern;
use crate::stage::kind::Kind;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// More comparisons of a pattern with a stage are refused: five hundred patterns that may be any of 100,000
/// stages take some seconds.
const MAX_LOOKS: usize = 50_000_000;

/// All drafts, among which each finds what it reads.
pub struct Drafts<'a> {
    pub drafts: &'a [Draft<'a>],
    index: BTreeMap<&'a str, usize>,
    pub outputs: OutputFiles,
    pub kinds: &'a [Box<dyn Kind>],
    groups: &'a [Group],
    /// Of each the opt-in groups that have it.
    pub opt_in: &'a [Vec<usize>],
    /// How many more stages patterns may be compared with.
    looks: Cell<usize>,
}

/// Who reads: its id, and the opt-in groups that have it.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    pub id: &'a str,
    pub opt_in: &'a [usize],
}

impl<'a> Drafts<'a> {
    /// Gathers their names and outputs.
    pub fn new(
        drafts: &'a [Draft<'a>],
        kinds: &'a [Box<dyn Kind>],
        groups: &'a [Group],
        opt_in: &'a [Vec<usize>],
    ) -> Self {
        let ids = drafts.iter().enumerate();
        Drafts {
            drafts,
            index: ids.map(|(i, draft)| (draft.id.as_str(), i)).collect(),
            outputs: OutputFiles::of_drafts(drafts),
            kinds,
            groups,
            opt_in,
            looks: Cell::new(MAX_LOOKS),
        }
    }

    /// The stage with an id.
    pub fn find(&self, id: &str) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// The stages that a pattern matches and that `is_meant`, in the order of the file.
    ///
    /// # Errors
    /// The patterns of all inputs would be compared with too many stages.
    pub fn matching(
        &self,
        pattern: &Pattern,
        is_meant: impl Fn(&Draft) -> bool,
    ) -> Result<Vec<usize>> {
        let start = pattern.start();
        let from = (Bound::Included(start), Bound::Unbounded);
        let ids = self.index.range::<str, _>(from);
        let mut looks = 0;
        let found = ids
            .take_while(|(id, _)| id.starts_with(start))
            .inspect(|_| looks += 1)
            .filter(|(id, _)| pattern.matches(id))
            .map(|(_, &stage)| stage)
            .filter(|&stage| is_meant(&self.drafts[stage]));
        let mut found: Vec<usize> = found.collect();
        found.sort_unstable();
        let left = self.looks.get().checked_sub(looks).ok_or_else(|| {
            let message = "the patterns of all inputs are compared with too many stages";
            let hint = "begin each with the name of the stage that is meant: `name@*`";
            Error::config(message).hint(hint)
        })?;
        self.looks.set(left);
        Ok(found)
    }

    /// What a glob takes of the stages that it matches, of which there is one: none that only an opt-in
    /// group has, unless the reader is in it.
    ///
    /// # Errors
    /// It matches no others.
    pub fn taken(&self, reader: Reader, glob: &str, matched: Vec<usize>) -> Result<Vec<usize>> {
        let takes = |&stage: &usize| groups::takes(reader.opt_in, &self.opt_in[stage]);
        let taken: Vec<usize> = matched.iter().copied().filter(takes).collect();
        if !taken.is_empty() {
            return Ok(taken);
        }
        let groups = matched.iter().flat_map(|&stage| &self.opt_in[stage]);
        let groups: BTreeSet<&str> = groups.map(|&g| self.groups[g].name.as_str()).collect();
        let groups: Vec<&str> = groups.into_iter().collect();
        let error = Error::config(format!(
            "`{glob}` matches stages of opt-in groups alone ({})",
            groups.join(", ")
        ));
        Err(error.hint(format!(
            "name each without a wildcard, so that every run makes it; or put `{}` into the group",
            reader.id
        )))
    }
}
