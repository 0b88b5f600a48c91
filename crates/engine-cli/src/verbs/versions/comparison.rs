//! Two versions of the results beside each other: what they were made with, what is other, which verdicts
//! turned.

use crate::program::description::Program;
use crate::program::verdicts::{self, Bytes, Verdicts};
use crate::verbs::versions::side::{Different, Side, Sides};
use crate::verbs::versions::tables::ChangedTable;
use crate::verbs::versions::values::{self, ChangedValue};
use retrace::base::error::{Error, PROGRAM, Result};
use retrace::lock::file::{Lock, Record};
use std::path::PathBuf;

pub struct Comparison<'p> {
    program: &'p Program,
    pub sides: Sides,
    pub different: Different,
    pub verdicts: Option<Verdicts>,
}

impl<'p> Comparison<'p> {
    /// Compares two sides of a repository.
    ///
    /// # Errors
    /// They are the same; one has no lock, or a table of verdicts cannot be read.
    pub fn of(program: &'p Program, root: PathBuf, old: Side, new: Side) -> Result<Self> {
        if is_same(&old, &new) {
            let message = format!("both are {}: there is nothing to compare", old.shown());
            return Err(Error::config(message).hint(format!(
                "name two of: `this`, a variation (`{PROGRAM} variations` lists them), a git revision"
            )));
        }
        let sides = Sides::open(root, old, new)?;
        let different = sides.different();
        let verdicts = match program.verdicts {
            Some(compare) => turned(&sides, compare)?,
            None => None,
        };
        Ok(Comparison {
            program,
            sides,
            different,
            verdicts,
        })
    }

    /// What each is called in a sentence, the older first.
    pub fn shown(&self) -> [String; 2] {
        [self.sides.old.0.shown(), self.sides.new.0.shown()]
    }

    /// The settings that differ.
    pub fn values(&self) -> Vec<ChangedValue<'_>> {
        values::values(&self.different.stages)
    }

    /// The published tables that differ, those of pictures last; but for those that the verdicts cover.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn tables(&self) -> Result<Vec<ChangedTable<'_>>> {
        let tables = self
            .sides
            .tables(&*self.program.formats, &self.different.stages);
        let covers = self.verdicts.iter().flat_map(|verdicts| &verdicts.covers);
        let covers: Vec<&str> = covers.map(String::as_str).collect();
        let mut tables = tables?;
        tables.retain(|table| !covers.contains(&table.path));
        Ok(tables)
    }

    /// An output of a stage on the older side, if it is there as its lock records it; else why not.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn old_output(&self, stage: &str, output: &str) -> Result<Bytes> {
        self.output(&self.sides.old, stage, output)
    }

    /// The same on the newer side.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn new_output(&self, stage: &str, output: &str) -> Result<Bytes> {
        self.output(&self.sides.new, stage, output)
    }

    fn output(&self, of: &(Side, Lock), stage: &str, output: &str) -> Result<Bytes> {
        let (side, lock) = of;
        let block = lock.stages.get(stage);
        match block.and_then(|block| block.outputs.get(output)) {
            None => Ok(Err(format!("{} has not run {stage}", side.shown()))),
            Some(record) => self.sides.recorded(of, &record.path, record.file_digest()),
        }
    }
}

/// Whether two sides are one and the same.
fn is_same(a: &Side, b: &Side) -> bool {
    match (a, b) {
        (Side::WorkingTree, Side::WorkingTree) => true,
        (Side::Variation(a), Side::Variation(b)) => a.folder == b.folder,
        (Side::Revision(_, a), Side::Revision(_, b)) => a.commit == b.commit,
        _ => false,
    }
}

/// What a program compares besides.
fn turned(sides: &Sides, compare: verdicts::CompareVerdicts) -> Result<Option<Verdicts>> {
    let old = |record: &Record| sides.recorded(&sides.old, &record.path, record.file_digest());
    let new = |record: &Record| sides.recorded(&sides.new, &record.path, record.file_digest());
    compare(&[
        verdicts::Side {
            shown: sides.old.0.shown(),
            lock: &sides.old.1,
            read: &old,
        },
        verdicts::Side {
            shown: sides.new.0.shown(),
            lock: &sides.new.1,
            read: &new,
        },
    ])
}
