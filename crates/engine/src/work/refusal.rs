//! Whether a worker may work on a plan: it must be the same program, with the same pipeline.yaml and inputs.
//!
//! Keys would tell that something is other, but only by work that nobody asked for. Says what is other and what to do.

use crate::base::digest::Digest;
use crate::base::error::{Error, Result};
use crate::run::plan::Context;
use crate::work::plan::{PlannedCode, TaskPlan, read_by};
use std::collections::{BTreeMap, BTreeSet};

impl TaskPlan {
    /// Refuses a worker of another program or pipeline.yaml; `program` is the digest of its file, `pipeline` that
    /// of what it has opened.
    ///
    /// # Errors
    /// Something is other: the error names it.
    pub fn check_program(
        &self,
        context: &Context,
        program: Digest,
        pipeline: Digest,
    ) -> Result<()> {
        for (name, planned) in &self.code {
            let kind = context.kinds.iter().find(|kind| kind.name() == name);
            let Some(kind) = kind else {
                let error = Error::config(format!("this program has no kind of stages `{name}`"));
                return Err(error.hint(BESIDE));
            };
            let here = PlannedCode::of(&**kind);
            if here.digest != planned.digest {
                let what = differing(&planned.parts, &here.parts);
                let message = format!(
                    "this program has other code for stages of kind `{name}` than the plan: {what}"
                );
                return Err(Error::config(message).hint(BESIDE));
            }
        }
        if program != self.program {
            let message = "this program is not the file that the plan was made with";
            return Err(Error::config(message).hint(BESIDE));
        }
        if pipeline != self.pipeline {
            let message = "pipeline.yaml is not the one that the plan was made with";
            return Err(Error::config(message).hint(AGAIN));
        }
        Ok(())
    }

    /// Refuses a worker that has other inputs for these stages; `planned` are those of all tasks.
    ///
    /// # Errors
    /// A file is other, or something is recorded otherwise: the error names it.
    pub(crate) fn check_inputs(
        &self,
        context: &Context,
        stages: &BTreeSet<usize>,
        planned: &BTreeSet<usize>,
    ) -> Result<()> {
        for &index in stages {
            let read = read_by(context, index, planned)?;
            for (path, found) in read.files {
                if self.inputs.get(&path) != Some(&found) {
                    let message =
                        format!("the input {path} is not the one that the plan was made with");
                    return Err(Error::config(message).hint(AGAIN));
                }
            }
            for (name, found) in read.recorded {
                if self.recorded.get(&name) != Some(&found) {
                    let message = format!(
                        "what is recorded of {name} is not what it was when the plan was made"
                    );
                    return Err(Error::config(message).hint(AGAIN));
                }
            }
        }
        Ok(())
    }
}

const BESIDE: &str =
    "use the program that lies beside the plan, or make the plan anew with this one";
/// What helps where the repository has changed.
const AGAIN: &str =
    "bring it back as it was, or make the plan anew: `{program} plan` with the same options";

/// The first part that is other.
fn differing(planned: &BTreeMap<String, String>, here: &BTreeMap<String, String>) -> String {
    let names: BTreeSet<&String> = planned.keys().chain(here.keys()).collect();
    let mut names = names
        .into_iter()
        .filter(|name| planned.get(*name) != here.get(*name));
    let Some(first) = names.next() else {
        return "what it is made of is not recorded".to_owned();
    };
    let what = match (planned.contains_key(first), here.contains_key(first)) {
        (true, false) => "is not reached here",
        (false, true) => "is reached here alone",
        _ => "is another",
    };
    match names.count() {
        0 => format!("{first} {what}"),
        more => format!("{first} {what}, and {more} more differ"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::PROGRAM;

    #[test]
    fn the_hint_names_the_program_as_others_do() {
        assert!(AGAIN.contains(PROGRAM));
    }
}
