//! What is said of a file: in words, and as JSON.

use crate::answers::provenance::{Carried, InLock, Provenance};
use crate::pipeline::scope::Scope;
use crate::program::description::Program;
use crate::verbs::provenance::look::Looked;
use crate::verbs::provenance::recorded::{Recorded, Which};
use crate::verbs::versions::side;
use retrace::lock::file;
use retrace::stage::publication::Origin;
use retrace::store::workspace::LOCK_FILE;
use std::fmt::Write as _;
use std::path::Path;

/// What a program names beside the stage.
pub struct Named {
    pub what: &'static str,
    /// What is said where there is none.
    pub none: &'static str,
    pub names: Vec<String>,
}

/// All that is said of a file.
pub struct Told<'a> {
    pub program: &'a Program,
    /// What the options were.
    pub scope: &'a Scope,
    pub looked: &'a Looked,
    pub recorded: Option<&'a Recorded>,
    pub named: Option<&'a Named>,
    pub has_lock: bool,
}

impl Told<'_> {
    pub fn text(&self, path: &Path) -> String {
        let Told {
            program,
            scope,
            looked,
            recorded,
            named,
            has_lock,
        } = *self;
        let mut text = String::new();
        let mut line = |label: &str, value: &str| {
            let _ = writeln!(text, "  {label:9} {value}");
        };
        match &looked.carried {
            Some(carried) => {
                line(
                    "stage",
                    &format!("{} (kind {})", carried.stage, carried.kind),
                );
                line("output", &carried.output);
                for origin in &carried.inputs {
                    let Origin { role, from, digest } = origin;
                    line("input", &format!("{role}: {from} ({})", digest.short()));
                }
                let changed = match carried.content == looked.content {
                    true => "as it left the stage",
                    false => "CHANGED since it left the stage",
                };
                line("content", &format!("{} {changed}", looked.content.short()));
            }
            None => {
                let why = match looked.format {
                    Some(format) => format!("none in this {format} file: it was removed"),
                    None => "this format carries none".to_owned(),
                };
                line("record", &why);
            }
        }
        match recorded {
            Some(recorded) => {
                let lock = match &recorded.lock {
                    Which::Present => LOCK_FILE.to_owned(),
                    Which::Commit(commit) => format!("{LOCK_FILE} of commit {commit}"),
                    Which::Variation(one) => {
                        format!("the lock of the variation {} ({})", one.name, one.values())
                    }
                    Which::Folder(folder) => format!("the lock in {}", folder.display()),
                };
                let what = match recorded.is_exact(looked) {
                    true => "records exactly this file",
                    false => "records this content, published with other provenance",
                };
                line("lock", &format!("{lock} {what}"));
                let output = format!("{}.{}", recorded.stage, recorded.output);
                line("as", &format!("{output}, {}", recorded.record.path));
                if let Some(basis) = recorded.block.basis.get(&recorded.output) {
                    line(
                        "compares",
                        &format!("within a tolerance, not to the bit: {basis}"),
                    );
                }
                line("key", &recorded.block.key.to_string());
                if let Some(parts) = &recorded.block.parts {
                    line("code", &file::code_name(parts));
                }
                if let Some(Named { what, none, names }) = named {
                    let ids = match names.is_empty() {
                        true => (*none).to_owned(),
                        false => names.join(", "),
                    };
                    line(what, &ids);
                }
                let commands = recorded.commands(program, scope);
                commands.iter().for_each(|c| line("again", c));
            }
            None if has_lock => {
                line(
                    "lock",
                    &format!("no {LOCK_FILE} of this repository knows it"),
                );
            }
            None => line("lock", "no repository here: -C DIR names one"),
        }
        if looked.carried.is_some() {
            line("params", "`--json` shows them");
        }
        format!("{}\n{text}", path.display())
    }

    /// The same for programs.
    pub fn said(&self) -> Provenance<'_> {
        let Told {
            program,
            scope,
            looked,
            recorded,
            named,
            ..
        } = *self;
        let lock = recorded.map(|recorded| {
            let (commit, variation) = match &recorded.lock {
                Which::Present | Which::Folder(_) => (None, None),
                Which::Commit(commit) => (Some(commit.clone()), None),
                Which::Variation(one) => (None, Some(side::options(one))),
            };
            let parts = recorded.block.parts.as_ref();
            let basis = recorded.block.basis.get(&recorded.output);
            let beside = named.map(|named| (named.what, named.names.clone()));
            InLock {
                stage: recorded.stage.clone(),
                output: recorded.output.clone(),
                path: recorded.record.path.clone(),
                exact: recorded.is_exact(looked),
                key: recorded.block.key,
                within: basis.map(ToString::to_string),
                code: parts.map(|parts| (*parts.code).clone()),
                commit,
                variation,
                commands: recorded.commands(program, scope),
                beside: beside.into_iter().collect(),
            }
        });
        let changed = |carried: &Carried| carried.content != looked.content;
        Provenance {
            file: looked.file,
            content: looked.content,
            file_format: looked.format,
            carried: looked.carried.as_ref(),
            changed: looked.carried.as_ref().map(changed),
            lock,
        }
    }
}
