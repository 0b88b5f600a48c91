//! Reads files of git revisions through the `git` program.
//!
//! Only plumbing commands, whose output does not depend on the user's settings; a revision is first
//! turned into a commit, so that nothing a user types is taken for an option or a path.

use crate::pipeline::error::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder inside a repository.
pub struct Git {
    folder: PathBuf,
}

/// A revision as the user named it, and its commit.
#[derive(Clone, Debug)]
pub struct Revision {
    pub name: String,
    pub commit: String,
}

impl Git {
    /// Makes sure that `folder` is in a repository and that git can be run.
    pub fn open(folder: &Path) -> Result<Git> {
        let git = Git {
            folder: folder.to_owned(),
        };
        let output = git.run(&["rev-parse", "--git-dir"])?;
        if output.status.success() {
            return Ok(git);
        }
        let said = said(&output);
        let message = if said.contains("not a git repository") {
            format!("{} is in no git repository", folder.display())
        } else {
            format!("git cannot use {}: {said}", folder.display())
        };
        Err(Error::config(message).hint("`diff` compares revisions: run it in a git clone"))
    }

    /// The commit that a name such as `HEAD~3`, `main` or `1a2b3c4` means.
    pub fn revision(&self, name: &str) -> Result<Revision> {
        let commit = format!("{name}^{{commit}}");
        let args = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &commit,
        ];
        let output = self.run(&args)?;
        if output.status.success() {
            return Ok(Revision {
                name: name.to_owned(),
                commit: String::from_utf8_lossy(&output.stdout).trim().to_owned(),
            });
        }
        let error = Error::config(format!("there is no revision `{}`", name.escape_debug()));
        Err(error.hint("`git log --oneline` and `git branch --all` list what there is"))
    }

    /// A file of a revision, its path relative to the folder; `None` where the revision has none.
    /// One of more than `most` bytes is refused.
    pub fn file(&self, revision: &Revision, path: &str, most: u64) -> Result<Option<Vec<u8>>> {
        let named = format!("{}:./{path}", revision.commit);
        let output = self.run(&[
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &named,
        ])?;
        if !output.status.success() {
            return Ok(None);
        }
        let object = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let output = self.run(&["cat-file", "-s", &object])?;
        let size = String::from_utf8_lossy(&output.stdout).trim().parse();
        if size.is_ok_and(|size: u64| size > most) {
            let name = &revision.name;
            let message = format!("{name}:{path} has more than {most} bytes");
            return Err(Error::failed(message));
        }
        let output = self.run(&["cat-file", "blob", &object])?;
        if output.status.success() {
            return Ok(Some(output.stdout));
        }
        let (name, said) = (&revision.name, said(&output));
        Err(Error::failed(format!(
            "git cannot show {name}:{path}: {said}"
        )))
    }

    /// The latest commit, from HEAD back, in which a file contains a text; `None` when none ever did.
    pub fn containing(&self, path: &str, text: &str, most: u64) -> Result<Option<Revision>> {
        let search = format!("-S{text}");
        let log = self.run(&["log", &search, "--format=%H", "--", path])?;
        if !log.status.success() {
            return Ok(None);
        }
        // Each of these commits added the text or took it away.
        for commit in String::from_utf8_lossy(&log.stdout).lines() {
            for name in [commit.to_owned(), format!("{commit}^")] {
                let Ok(revision) = self.revision(&name) else {
                    continue;
                };
                let file = self.file(&revision, path, most)?.unwrap_or_default();
                if String::from_utf8_lossy(&file).contains(text) {
                    return Ok(Some(revision));
                }
            }
        }
        Ok(None)
    }

    fn run(&self, args: &[&str]) -> Result<Output> {
        let output = Command::new("git")
            .args(args)
            .current_dir(&self.folder)
            .env("LC_ALL", "C")
            .output();
        output.map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Error::config("the program `git` is not there")
                .hint("install git, or add its folder to PATH"),
            _ => Error::failed(format!("cannot run git: {e}")),
        })
    }
}

/// The first line that git wrote to stderr.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines().next().unwrap_or_default().to_owned()
}

impl Revision {
    /// The name, and the start of the commit where the name is not that already.
    pub fn shown(&self) -> String {
        let short = &self.commit[..self.commit.len().min(8)];
        if self.commit.starts_with(&self.name) {
            short.to_owned()
        } else {
            format!("{} ({short})", self.name)
        }
    }
}
