//! All that the verbs know of the program whose verbs they are.

use crate::answers::{self, answer::Described};
use crate::program::examples::Examples;
use crate::program::exit::{self, Exit};
use crate::program::formats::Formats;
use crate::program::plain::PlainFiles;
use crate::program::verdicts::CompareVerdicts;
use retrace::base::error::Result;
use retrace::stage::kind::Kind;
use retrace::stage::publication::Publisher;
use retrace::stage::sources::Sources;

/// A program with a pipeline of its own.
pub struct Program {
    /// What its users type.
    pub name: &'static str,
    pub version: &'static str,
    pub kinds: fn() -> Vec<Box<dyn Kind>>,
    pub sources: Sources,
    /// Gives published files their provenance; without one they are published as stages made them.
    pub publisher: Option<Box<dyn Publisher>>,
    pub formats: Box<dyn Formats>,
    pub build: Build,
    /// Compares verdicts of two versions.
    pub verdicts: Option<CompareVerdicts>,
    /// Refuses a machine that computes other bits.
    pub check: Option<fn() -> Result<()>>,
    pub examples: Examples,
    /// Exit codes that only this program has.
    pub exits: &'static [Exit],
    /// What the verbs that only this program has print with `--json`.
    pub own_answers: &'static [&'static [Described]],
}

/// How the program itself is made: what users are told to type.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    /// Builds it from the sources beside pipeline.yaml.
    pub program: &'static str,
    /// Does that and runs a stage, whose id follows.
    pub stage: &'static str,
}

impl Program {
    /// A program without a publisher and with nothing but plain files.
    pub fn new(
        name: &'static str,
        version: &'static str,
        kinds: fn() -> Vec<Box<dyn Kind>>,
        sources: Sources,
    ) -> Self {
        Program {
            name,
            version,
            kinds,
            sources,
            publisher: None,
            formats: Box::new(PlainFiles),
            build: Build {
                program: "cargo build --release",
                stage: "cargo run --release -- run ",
            },
            verdicts: None,
            check: None,
            examples: &[],
            exits: &[],
            own_answers: &[],
        }
    }

    /// Default folder of the cache, below the root of the repository.
    pub fn cache(&self) -> String {
        format!(".{}", self.name)
    }

    /// What verbs print with `--json`, those of the program among them, by name.
    pub fn answers(&self) -> Vec<Described> {
        let mut answers = [answers::ALL, &self.own_answers.concat()].concat();
        answers.sort_by_key(|answer| answer.name);
        answers
    }

    /// Every exit code, those of the program among them, in order.
    pub fn exits(&self) -> Vec<Exit> {
        let mut exits = [exit::ALL, self.exits].concat();
        exits.sort_by_key(|exit| exit.code);
        exits
    }
}
