//! Verb `provenance`: where any copy of a published file came from, and how to make it again.
//!
//! Two witnesses: the record inside the file, which travels with it, and pipeline.lock, which knows
//! the digests of all files and artifacts. Neither needs the other.

use crate::cli::args::{ProvenanceArgs, Scope};
use crate::cli::exit;
use crate::cli::foreign::check_parquet;
use crate::cli::git::Git;
use crate::cli::grammar::PROGRAM;
use crate::cli::panics::caught;
use crate::cli::session::Session;
use crate::cli::terminal;
use provenance::carried::Unreadable;
use provenance::embed::{Format, take_apart};
use retrace::base::digest::Digest;
use retrace::base::error::{Error, ErrorKind, Result};
use retrace::base::files;
use retrace::lock::file::{self, Block, Lock, LockFile, Record};
use retrace::stage::publication::{FORMAT, Origin};
use retrace::store::workspace::{LOCK_FILE, Workspace};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A larger file is none of ours.
const MAX_BYTES: u64 = 1 << 30;

/// The record inside a file, as [`retrace::stage::publication::provenance`] makes it.
#[derive(Debug, Serialize, Deserialize)]
struct Carried {
    #[serde(rename = "retrace", alias = "icl-repro")]
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
    format: Option<Format>,
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

/// Says where a file came from.
pub fn provenance(scope: &Scope, args: &ProvenanceArgs) -> Result<u8> {
    let looked = look(&args.file)?;
    let root = Workspace::find_root(Path::new(".")).ok();
    let (recorded, in_the_way) = match &root {
        Some(root) => find(root, &looked)?,
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
    let claims = match (&recorded, &root) {
        (Some(recorded), Some(_)) => claims(scope, &recorded.stage),
        _ => Vec::new(),
    };
    let text = match args.json {
        true => format!("{:#}\n", as_json(&looked, recorded.as_ref(), &claims)),
        false => as_text(
            &args.file,
            &looked,
            recorded.as_ref(),
            &claims,
            root.is_some(),
        ),
    };
    terminal::print(&text);
    Ok(if changed { exit::DIFFERS } else { exit::OK })
}

/// Reads a file and what it carries.
fn look(path: &Path) -> Result<Looked> {
    let config = |message: String| Error::config(message);
    let io = |e: std::io::Error| Error {
        kind: ErrorKind::Config,
        ..Error::io("read", path, &e)
    };
    let bytes = files::read_at_most(path, MAX_BYTES).map_err(io)?;
    let file = Digest::of(&bytes);
    let Some(format) = Format::of_bytes(&bytes) else {
        return Ok(Looked {
            format: None,
            file,
            content: file,
            carried: None,
        });
    };
    // Files of others meet libraries here that may panic, or believe any size.
    let apart = caught(|| {
        if format == Format::Parquet {
            check_parquet(&bytes).map_err(Unreadable)?;
        }
        take_apart(format, &bytes)
    });
    let apart = apart.unwrap_or_else(|panic| Err(Unreadable(panic)));
    let apart = apart.map_err(|e| {
        let name = format.name();
        config(format!(
            "{} looks like {name} but cannot be read: {e}",
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
        #[serde(rename = "retrace", alias = "icl-repro")]
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
        return Err(Error::config(message).hint("update icl-repro"));
    }
    serde_json::from_str(text).map_err(damaged)
}

fn unknown(path: &Path, looked: &Looked, has_lock: bool) -> Error {
    let (shown, digest) = (path.display(), looked.file.short());
    let carries = match looked.format {
        Some(format) => format!("{shown} is {} without provenance", format.name()),
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
fn find(root: &Path, looked: &Looked) -> Result<(Option<Recorded>, Option<String>)> {
    let lock = LockFile::at(root.join(LOCK_FILE)).telling(terminal::warn);
    if let Some(recorded) = find_in(lock.get()?.clone(), looked, None) {
        return Ok((Some(recorded), None));
    }
    let git = match Git::open(root) {
        Ok(git) => git,
        Err(error) if root.join(".git").exists() => return Ok((None, error.hint_for(PROGRAM))),
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
        if let Ok((lock, _)) = Lock::salvage(&name, &bytes)
            && let Some(recorded) = find_in(lock, looked, Some(revision.commit))
        {
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

/// The claims that a stage bears on; none where the pipeline cannot be opened.
fn claims(scope: &Scope, stage: &str) -> Vec<String> {
    let session = Session::open(scope);
    session.map_or(Vec::new(), |session| {
        crate::cli::claims::resting_on(&session, stage)
    })
}

impl Recorded {
    /// Whether the file is, byte for byte, what was published.
    fn is_exact(&self, looked: &Looked) -> bool {
        self.record.file_digest() == looked.file
    }

    fn commands(&self) -> Vec<String> {
        let run = format!("icl-repro run {}", self.stage);
        match &self.commit {
            None => vec![run],
            Some(commit) => vec![
                format!("git checkout {commit}"),
                format!("make stage STAGE={}", self.stage),
            ],
        }
    }
}

fn as_text(
    path: &Path,
    looked: &Looked,
    recorded: Option<&Recorded>,
    claims: &[String],
    has_lock: bool,
) -> String {
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
                Some(format) => format!("none in this {} file: it was removed", format.name()),
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
            let named = format!("{}.{}", recorded.stage, recorded.output);
            line("as", &format!("{named}, {}", recorded.record.path));
            line("key", &recorded.block.key.to_string());
            line("code", &file::code_name(&recorded.block.parts));
            let none = "none rests on it directly".to_owned();
            let ids = if claims.is_empty() {
                none
            } else {
                claims.join(", ")
            };
            line("claims", &ids);
            recorded.commands().iter().for_each(|c| line("again", c));
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

fn as_json(looked: &Looked, recorded: Option<&Recorded>, claims: &[String]) -> Json {
    let lock = recorded.map(|recorded| {
        json!({
            "stage": recorded.stage,
            "output": recorded.output,
            "path": PathBuf::from(&recorded.record.path),
            "exact": recorded.is_exact(looked),
            "key": recorded.block.key,
            "code": *recorded.block.parts.code,
            "commit": recorded.commit,
            "claims": claims,
            "commands": recorded.commands(),
        })
    });
    let changed = |carried: &Carried| carried.content != looked.content;
    json!({
        "file": looked.file,
        "content": looked.content,
        "format": looked.format.map(Format::name),
        "carried": looked.carried,
        "changed": looked.carried.as_ref().map(changed),
        "lock": lock,
    })
}
