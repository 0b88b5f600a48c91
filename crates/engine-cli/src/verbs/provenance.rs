//! Verb `provenance`: where any copy of a published file came from, and how to make it again.
//!
//! Two witnesses: the record inside the file, which travels with it, and pipeline.lock, which knows
//! the digests of all files and artifacts. Neither needs the other.

use crate::console::panics::caught;
use crate::console::terminal;
use crate::pipeline::git::Git;
use crate::pipeline::scope::Scope;
use crate::pipeline::session::Session;
use crate::program::description::Program;
use crate::program::exit;
use clap::Args;
use retrace::base::digest::Digest;
use retrace::base::error::{Error, ErrorKind, PROGRAM, Result};
use retrace::base::files;
use retrace::lock::file::{self, Block, Lock, LockFile, Record};
use retrace::stage::publication::{FORMAT, Origin, Publisher};
use retrace::store::workspace::{KEYS_FILE, LOCK_FILE, Workspace};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct ProvenanceArgs {
    /// A figure or a table, anywhere
    pub file: PathBuf,
    /// Print an object with the record inside the file, parameters included, and what the lock says
    #[arg(long)]
    pub json: bool,
}

/// A larger file is none of ours.
const MAX_BYTES: u64 = 1 << 30;

/// The record inside a file, as [`retrace::stage::publication::provenance`] makes it.
#[derive(Debug, Serialize, Deserialize)]
struct Carried {
    #[serde(rename = "retrace")]
    format: u64,
    stage: String,
    output: String,
    kind: String,
    params: Json,
    inputs: Vec<Origin>,
    content: Digest,
}

/// A file looked at by itself.
struct Looked {
    /// What its format is called, if it is one that carries provenance.
    format: Option<&'static str>,
    file: Digest,
    /// Without provenance.
    content: Digest,
    carried: Option<Carried>,
}

/// What a lock says of it.
struct Recorded {
    stage: String,
    output: String,
    record: Record,
    block: Block,
    /// The commit whose lock it is; `None` for the one that is there now.
    commit: Option<String>,
}

/// What a program names beside a stage, such as the claims that rest on it.
#[derive(Clone, Copy)]
pub struct Beside {
    /// What they are, in the plural.
    pub what: &'static str,
    /// What is said where there is none.
    pub none: &'static str,
    /// Their names, for the id of a stage.
    pub of: fn(&Session, &str) -> Vec<String>,
}

/// What [`Beside`] says of one stage.
struct Named {
    what: &'static str,
    none: &'static str,
    names: Vec<String>,
}

/// Says where a file came from.
pub fn provenance(
    program: &Program,
    scope: &Scope,
    beside: Option<&Beside>,
    args: &ProvenanceArgs,
) -> Result<u8> {
    let looked = look(program.publisher.as_deref(), &args.file)?;
    let root = Workspace::find_root(Path::new(".")).ok();
    let (recorded, in_the_way) = match &root {
        Some(root) => find(program, root, &looked)?,
        None => (None, None),
    };
    if looked.carried.is_none() && recorded.is_none() {
        let error = unknown(&args.file, &looked, root.is_some());
        return Err(match in_the_way {
            Some(why) => error.hint(why),
            None => error,
        });
    }
    let changed = looked
        .carried
        .as_ref()
        .is_some_and(|carried| carried.content != looked.content);
    let named = beside.map(|beside| Named {
        what: beside.what,
        none: beside.none,
        // None where the pipeline cannot be opened.
        names: recorded.as_ref().map_or(Vec::new(), |recorded| {
            let session = Session::open(program, scope);
            session.map_or(Vec::new(), |session| (beside.of)(&session, &recorded.stage))
        }),
    });
    let answer = Answer {
        program,
        looked: &looked,
        recorded: recorded.as_ref(),
        named: named.as_ref(),
        has_lock: root.is_some(),
    };
    let text = match args.json {
        true => format!("{:#}\n", answer.json()),
        false => answer.text(&args.file),
    };
    terminal::print(&text);
    Ok(if changed { exit::DIFFERS } else { exit::OK })
}

/// Reads a file and what it carries.
fn look(publisher: Option<&dyn Publisher>, path: &Path) -> Result<Looked> {
    let config = |message: String| Error::config(message);
    let io = |e: std::io::Error| Error {
        kind: ErrorKind::Config,
        ..Error::io("read", path, &e)
    };
    let bytes = files::read_at_most(path, MAX_BYTES).map_err(io)?;
    let file = Digest::of(&bytes);
    let known = publisher.and_then(|publisher| Some((publisher, publisher.format(&bytes)?)));
    let Some((publisher, format)) = known else {
        return Ok(Looked {
            format: None,
            file,
            content: file,
            carried: None,
        });
    };
    // Files of others meet libraries here that may panic, or believe any size.
    let apart = caught(|| publisher.take_apart(&bytes));
    let apart = apart.unwrap_or_else(Err).map_err(|e| {
        config(format!(
            "{} looks like {format} but cannot be read: {e}",
            path.display()
        ))
        .hint("it may be cut short or damaged: take another copy")
    })?;
    let carried = apart.provenance.map(|text| read(path, &text)).transpose()?;
    Ok(Looked {
        format: Some(format),
        file,
        content: Digest::of(&apart.content),
        carried,
    })
}

fn read(path: &Path, text: &str) -> Result<Carried> {
    #[derive(Deserialize)]
    struct Version {
        #[serde(rename = "retrace")]
        format: u64,
    }
    let shown = path.display();
    let damaged = |e: serde_json::Error| {
        Error::config(format!("the provenance in {shown} cannot be read: {e}"))
            .hint("somebody may have edited it: take another copy")
    };
    let version: Version = serde_json::from_str(text).map_err(damaged)?;
    if version.format > FORMAT {
        let format = version.format;
        let message =
            format!("the provenance in {shown} has format {format}, this program knows {FORMAT}");
        return Err(Error::config(message).hint(format!("update {PROGRAM}")));
    }
    serde_json::from_str(text).map_err(damaged)
}

fn unknown(path: &Path, looked: &Looked, has_lock: bool) -> Error {
    let (shown, digest) = (path.display(), looked.file.short());
    let carries = match looked.format {
        Some(format) => format!("{shown} is {format} without provenance"),
        None => format!("{shown} is of a format that carries no provenance"),
    };
    match has_lock {
        true => {
            let message = format!(
                "{carries}, and no {LOCK_FILE} of this repository knows its digest {digest}"
            );
            Error::config(message)
                .hint("it is not from here, or another program has written it again")
        }
        false => Error::config(format!("{carries}, and there is no repository here")).hint(
            format!("with -C DIR the {LOCK_FILE} there is asked for its digest"),
        ),
    }
}

/// What the lock of the working tree says, or that of an earlier commit; where neither knows the
/// file, also what keeps earlier commits from being asked, and its remedy.
fn find(
    program: &Program,
    root: &Path,
    looked: &Looked,
) -> Result<(Option<Recorded>, Option<String>)> {
    let lock = LockFile::at(root.join(LOCK_FILE)).telling(terminal::warn);
    if let Some(recorded) = find_in(lock.get()?.clone(), looked, None) {
        return Ok((Some(recorded), None));
    }
    let git = match Git::open(root) {
        Ok(git) => git,
        Err(error) if root.join(".git").exists() => {
            return Ok((None, error.hint_for(program.name, "")));
        }
        Err(_) => return Ok((None, None)),
    };
    for digest in [looked.file, looked.content] {
        let Some(revision) = git.containing(LOCK_FILE, &digest.to_string(), file::MAX_BYTES)?
        else {
            continue;
        };
        let Some(bytes) = git.file(&revision, LOCK_FILE, file::MAX_BYTES)? else {
            continue;
        };
        let name = format!("{}:{LOCK_FILE}", revision.shown());
        let Ok((mut lock, _)) = Lock::salvage(&name, &bytes) else {
            continue;
        };
        if let Some(keys) = git.file(&revision, KEYS_FILE, file::MAX_BYTES)? {
            lock.explain(&keys);
        }
        if let Some(recorded) = find_in(lock, looked, Some(revision.commit)) {
            return Ok((Some(recorded), None));
        }
    }
    Ok((None, git.shallow().map(str::to_owned)))
}

fn find_in(lock: Lock, looked: &Looked, commit: Option<String>) -> Option<Recorded> {
    // The same artifact may come out of several stages: prefer the one that the file names.
    let named = looked.carried.as_ref().map(|carried| &carried.stage);
    let mut found = None;
    for (stage, block) in lock.stages {
        for (output, record) in &block.outputs {
            let is_it = [record.file_digest(), record.digest].contains(&looked.file)
                || record.digest == looked.content;
            if is_it && (found.is_none() || named == Some(&stage)) {
                found = Some(Recorded {
                    stage: stage.clone(),
                    output: output.clone(),
                    record: record.clone(),
                    block: block.clone(),
                    commit: commit.clone(),
                });
            }
        }
    }
    found
}

impl Recorded {
    /// Whether the file is, byte for byte, what was published.
    fn is_exact(&self, looked: &Looked) -> bool {
        self.record.file_digest() == looked.file
    }

    fn commands(&self, program: &Program) -> Vec<String> {
        let run = format!("{} run {}", program.name, self.stage);
        match &self.commit {
            None => vec![run],
            Some(commit) => vec![
                format!("git checkout {commit}"),
                format!("{}{}", program.build.stage, self.stage),
            ],
        }
    }
}

/// All that is said of a file.
struct Answer<'a> {
    program: &'a Program,
    looked: &'a Looked,
    recorded: Option<&'a Recorded>,
    named: Option<&'a Named>,
    has_lock: bool,
}

impl Answer<'_> {
    fn text(&self, path: &Path) -> String {
        let Answer {
            program,
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
                let lock = match &recorded.commit {
                    None => LOCK_FILE.to_owned(),
                    Some(commit) => format!("{LOCK_FILE} of commit {commit}"),
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
                let commands = recorded.commands(program);
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

    fn json(&self) -> Json {
        let Answer {
            program,
            looked,
            recorded,
            named,
            ..
        } = *self;
        let lock = recorded.map(|recorded| {
            let mut lock = json!({
                "stage": recorded.stage,
                "output": recorded.output,
                "path": PathBuf::from(&recorded.record.path),
                "exact": recorded.is_exact(looked),
                "key": recorded.block.key,
                "within": recorded.block.basis.get(&recorded.output).map(ToString::to_string),
                "code": recorded.block.parts.as_ref().map(|parts| &*parts.code),
                "commit": recorded.commit,
                "commands": recorded.commands(program),
            });
            if let Some(named) = named {
                lock[named.what] = json!(named.names);
            }
            lock
        });
        let changed = |carried: &Carried| carried.content != looked.content;
        json!({
            "file": looked.file,
            "content": looked.content,
            "format": looked.format,
            "carried": looked.carried,
            "changed": looked.carried.as_ref().map(changed),
            "lock": lock,
        })
    }
}
