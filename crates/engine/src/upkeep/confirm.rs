//! The shortcut of a run that finds everything as it left it.
//!
//! A run that had nothing to do writes down what it was asked, what it concluded, and the stamps of
//! all files on which that rests: pipeline.yaml, the lock, the action cache, every input, object and
//! output. The same question is answered from there as long as every one of these files has the same
//! stamp. That is the trust of [`crate::store::stat`] in one file, under the same conditions, and it
//! saves reading and resolving the pipeline. One changed stamp, another program, a start of the machine
//! in between: then the run looks at everything.

use crate::base::digest::{Digest, Encoder};
use crate::base::error::Result;
use crate::base::files;
use crate::base::location::is_plain_file;
use crate::run::plan::Context;
use crate::run::settle::Summary;
use crate::spec::settings::Settings;
use crate::store::content::{digest_of_name, list};
use crate::store::stat::{Stamp, seal, unseal};
use crate::store::workspace::Workspace;
use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

const TITLE: &str = "retrace confirmed 1";
const FOLDER: &str = "confirmed";
/// A larger answer is none.
const MAX_BYTES: u64 = 256 << 20;
/// More questions than this are not remembered.
const MAX_QUESTIONS: usize = 16;

/// All that a run depends on and that is not in a file of the repository or the cache.
pub struct Question<'a> {
    /// Tells this program from one with other code.
    pub program: Digest,
    pub workspace: &'a Workspace,
    pub settings: &'a Settings,
    pub targets: &'a [String],
    pub groups: &'a [String],
    pub downstream: bool,
}

/// What a run concluded that had nothing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmed {
    pub stages: usize,
    /// All equal the lock.
    pub outputs: usize,
    /// See [`Summary::left_out`].
    pub left_out: Option<String>,
}

/// The files of answers below a cache folder; what else is there is somebody else's.
pub fn answers(cache: &Path) -> Result<Vec<PathBuf>> {
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let starts = || -> std::io::Result<bool> {
            let mut start = [0; TITLE.len()];
            std::fs::File::open(path)?.read_exact(&mut start)?;
            Ok(start == *TITLE.as_bytes())
        };
        digest_of_name(&name).is_some() && is_plain_file(path) && starts().unwrap_or(false)
    };
    Ok(list(&cache.join(FOLDER))?
        .into_iter()
        .filter(is_ours)
        .collect())
}

impl Question<'_> {
    /// The answer that is still right, if there is one.
    pub fn answer(&self) -> Option<Confirmed> {
        let text = files::read_at_most(&self.path(), MAX_BYTES).ok()?;
        let mut lines = unseal(TITLE, &text)?.split(|&byte| byte == b'\n');
        let first = std::str::from_utf8(lines.next()?).ok()?;
        let mut words = first.splitn(3, ' ');
        let (stages, outputs) = (words.next()?, words.next()?);
        for line in lines.filter(|line| !line.is_empty()) {
            let (stamp, path) = Stamp::read(line)?;
            let path = PathBuf::from(OsString::from_vec(path.to_vec()));
            if Stamp::of(&path) != Some(stamp) {
                return None;
            }
        }
        Some(Confirmed {
            stages: stages.parse().ok()?,
            outputs: outputs.parse().ok()?,
            left_out: words.next().map(str::to_owned),
        })
    }

    /// Keeps the conclusion of a run that had nothing to do; of any other there is nothing to keep.
    /// `read` are files that the caller read, with the digests of what was in them.
    pub fn keep(
        &self,
        summary: &Summary,
        context: &Context,
        read: &[(PathBuf, Digest)],
    ) -> Result<()> {
        let store = context.store;
        let nothing_to_do = summary.restored + summary.fetched + summary.ran + summary.skipped == 0
            && summary.failed.is_empty()
            && summary.differing.is_empty()
            && !summary.wrote_lock
            // Nothing tells that a file has come.
            && summary.absent.is_empty()
            && !summary.watched
            && !summary.interrupted
            && summary.outputs_equal == summary.outputs;
        if !nothing_to_do {
            return Ok(());
        }
        let own = [context.lock.read_from(), store.actions().read_from()];
        let own = own.into_iter().flatten();
        for (path, digest) in own.chain(read.iter().map(|(path, digest)| (&**path, *digest))) {
            // It may have changed since.
            if store.digest_of(path).ok() != Some(digest) {
                return Ok(());
            }
        }
        let Some(files) = store.used_files() else {
            return Ok(());
        };
        let left_out = summary.left_out.iter().map(|words| format!(" {words}"));
        let left_out: String = left_out.collect();
        let first = format!("{} {}{left_out}\n", summary.fresh, summary.outputs);
        let mut body = first.into_bytes();
        for (path, stamp) in files {
            let path = path.as_os_str().as_bytes();
            if path.contains(&b'\n') {
                return Ok(());
            }
            stamp.write(&mut body);
            body.extend_from_slice(path);
            body.push(b'\n');
        }
        let kept = answers(&self.workspace.cache)?;
        if kept.len() >= MAX_QUESTIONS {
            kept.iter()
                .for_each(|path| drop(std::fs::remove_file(path)));
        }
        files::write_unsynced(&self.path(), &seal(TITLE, &body))
    }

    fn path(&self) -> PathBuf {
        let mut e = Encoder::new("retrace question");
        e.bytes(self.program.as_bytes());
        let Workspace {
            root, cache, out, ..
        } = self.workspace;
        for folder in [root, cache, out] {
            e.bytes(folder.as_os_str().as_bytes());
        }
        let profile: Vec<String> = self.settings.profile.iter().cloned().collect();
        for list in [&profile, &self.settings.sets, self.targets, self.groups] {
            e.word(list.len() as u64);
            list.iter().for_each(|text| e.text(text));
        }
        e.tag(self.downstream.into());
        let name = e.finish().to_string();
        self.workspace.cache.join(FOLDER).join(name)
    }
}
