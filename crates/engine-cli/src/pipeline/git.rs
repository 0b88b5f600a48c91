//! Reads files of git revisions through the `git` program.
//!
//! Plumbing commands, whose output does not depend on the user's settings, as far as there are such; a
//! revision is first turned into a commit, so that nothing a user types is taken for an option or a
//! path. What git sets for programs that it starts itself, in hooks and aliases, is kept from it: it
//! must look where it is sent, not where it was called.

use crate::console::typed::quoted;
use retrace::base::error::{Error, Result};
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

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

/// A commit that changed a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub commit: String,
    /// The commits before it that changed the file.
    pub parents: Vec<String>,
    /// Year, month and day.
    pub date: String,
    pub subject: String,
}

/// The variables of git's own that reach it: where its parts and the user's settings are. All others
/// that begin with `GIT_` are for one command in one repository, or change what is printed.
const KEPT: [&str; 4] = [
    "GIT_EXEC_PATH",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
];

/// The remedy for a history that was not fetched whole.
const UNSHALLOW: &str = "this clone is shallow: `git fetch --unshallow` brings the older commits";

/// The remedy for objects that are gone or damaged.
const FSCK: &str = "`git fsck` says what is damaged; a fresh clone has it whole";

impl Git {
    /// Makes sure that `folder` is in the working tree of a repository and that git can be run.
    ///
    /// # Errors
    /// There is no git or no repository, git does not trust it, or it has no working tree; the hint
    /// says what helps.
    pub fn open(folder: &Path) -> Result<Git> {
        let git = Git {
            folder: folder.to_owned(),
        };
        let shown = folder.display();
        let output = git.run(&["rev-parse", "--is-inside-work-tree"])?;
        if output.status.success() {
            if output.stdout.starts_with(b"true") {
                return Ok(git);
            }
            let message = format!("{shown} is inside a git folder that has no working tree");
            return Err(Error::config(message).hint("`git clone` it, and go to the clone"));
        }
        let said = said(&output);
        let in_none = said.contains("not a git repository");
        let error = Error::config(match in_none {
            true => format!("{shown} is in no git repository"),
            false => format!("git cannot use {shown}: {said}"),
        });
        Err(if said.contains("dubious ownership") {
            error.hint(format!(
                "it belongs to another user: if you trust it, `git config --global --add safe.directory {}`",
                quoted(&distrusted(&output).unwrap_or_else(|| shown.to_string()))
            ))
        } else {
            error.hint("what is committed is asked of a git clone: run it there")
        })
    }

    /// The commit that a name such as `HEAD~3`, `main` or `1a2b3c4` means.
    pub fn revision(&self, name: &str) -> Result<Revision> {
        if let Some(commit) = self.resolve(&format!("{name}^{{commit}}"))? {
            return Ok(Revision {
                name: name.to_owned(),
                commit,
            });
        }
        let shown = name.escape_debug();
        let lists = "`git log --oneline` and `git branch --all` list what there is";
        // A name that means something, but no commit that can be read. Any digest passes for a name.
        if let Some(object) = self.resolve(name)? {
            let kind = self.run(&["cat-file", "-t", &object])?;
            if kind.status.success() {
                let kind = String::from_utf8_lossy(&kind.stdout).trim().to_owned();
                let message = format!("there is no revision `{shown}`: it is a {kind}");
                return Err(Error::config(message).hint(lists));
            }
            if object != name {
                let message = format!("the commit of `{shown}` is damaged or not there");
                return Err(Error::config(message).hint(FSCK));
            }
        }
        let unborn = self.resolve("HEAD")?.is_none();
        let message = match unborn {
            true => format!("there is no revision `{shown}`, for nothing is committed yet"),
            false => format!("there is no revision `{shown}`"),
        };
        Err(Error::config(message).hint(match unborn {
            true => format!("`git commit` makes the first; {lists}"),
            false if self.is_shallow()? => format!("{UNSHALLOW}; {lists}"),
            false => lists.to_owned(),
        }))
    }

    /// Why older commits may not be found here, and what helps.
    pub fn shallow(&self) -> Option<&'static str> {
        self.is_shallow().is_ok_and(|is| is).then_some(UNSHALLOW)
    }

    fn is_shallow(&self) -> Result<bool> {
        let output = self.run(&["rev-parse", "--is-shallow-repository"])?;
        Ok(output.stdout.starts_with(b"true"))
    }

    /// The name of an object, if there is one.
    fn resolve(&self, name: &str) -> Result<Option<String>> {
        let args = ["rev-parse", "--verify", "--quiet", "--end-of-options", name];
        let output = self.run(&args)?;
        let object = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(output.status.success().then_some(object))
    }

    /// A file of a revision, its path relative to the folder; `None` where the revision has none.
    ///
    /// # Errors
    /// It has more than `most` bytes, or its objects are damaged or not there.
    pub fn file(&self, revision: &Revision, path: &str, most: u64) -> Result<Option<Vec<u8>>> {
        let cannot = |output: &Output| {
            let (name, said) = (&revision.name, said(output));
            let error = Error::failed(format!("git cannot show {name}:{path}: {said}"));
            error.hint(FSCK)
        };
        let entry = self.run(&["ls-tree", "-z", &revision.commit, "--", path])?;
        if !entry.status.success() {
            return Err(cannot(&entry));
        }
        // `mode type object`, a tab, the path.
        let entry = String::from_utf8_lossy(&entry.stdout).into_owned();
        let mut words = entry.split(['\t', ' ']);
        let (Some(_), Some("blob"), Some(object)) = (words.next(), words.next(), words.next())
        else {
            return Ok(None);
        };
        let output = self.run(&["cat-file", "-s", object])?;
        let size = String::from_utf8_lossy(&output.stdout).trim().parse();
        if size.is_ok_and(|size: u64| size > most) {
            let name = &revision.name;
            let message = format!("{name}:{path} has more than {most} bytes");
            return Err(Error::failed(message));
        }
        let output = self.run(&["cat-file", "blob", object])?;
        match output.status.success() {
            true => Ok(Some(output.stdout)),
            false => Err(cannot(&output)),
        }
    }

    /// The latest commit, from HEAD back, in which a file contains a text; `None` when none ever did.
    pub fn containing(&self, path: &str, text: &str, most: u64) -> Result<Option<Revision>> {
        let search = format!("-S{text}");
        let log = self.run(&[
            "log",
            "--no-show-signature",
            "--no-ext-diff",
            &search,
            "--format=%H",
            "--",
            path,
        ])?;
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

    /// The commits from HEAD back that changed a file, the newest first.
    ///
    /// # Errors
    /// Nothing is committed yet, or the history is damaged.
    pub fn changing(&self, path: &str) -> Result<Vec<Commit>> {
        self.revision("HEAD")?;
        let log = self.run(&[
            "log",
            "--no-show-signature",
            "--topo-order",
            // Parents are then those that changed the file too.
            "--parents",
            "--format=%H%x09%P%x09%cs%x09%s",
            "--",
            path,
        ])?;
        if !log.status.success() {
            let error = Error::failed(format!("git cannot list commits: {}", said(&log)));
            return Err(error.hint(FSCK));
        }
        let text = String::from_utf8_lossy(&log.stdout).into_owned();
        let commits = text.lines().filter_map(|line| {
            let mut parts = line.splitn(4, '\t').map(str::to_owned);
            let (commit, parents) = (parts.next()?, parts.next()?);
            Some(Commit {
                commit,
                parents: parents.split_whitespace().map(str::to_owned).collect(),
                date: parts.next()?,
                subject: parts.next()?,
            })
        });
        Ok(commits.collect())
    }

    /// A file of many commits, read by one process; `None` where a commit has none.
    ///
    /// # Errors
    /// Git stops before it has given all of them.
    pub fn versions(&self, commits: &[&str], path: &str) -> Result<Vec<Option<Vec<u8>>>> {
        let names: String = commits
            .iter()
            .map(|commit| format!("{commit}:./{path}\n"))
            .collect();
        let mut child = self
            .command(&["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(not_run)?;
        let mut names_in = child.stdin.take();
        // Written while the answers are read: git waits for neither.
        let output = std::thread::scope(|scope| {
            let writer = names_in.take();
            scope.spawn(move || writer.map(|mut pipe| pipe.write_all(names.as_bytes())));
            child.wait_with_output()
        });
        let output = output.map_err(not_run)?;
        let mut rest = output.stdout.as_slice();
        let mut found = Vec::with_capacity(commits.len());
        for commit in commits {
            let stopped = || {
                let error = Error::failed(format!("git cannot show {commit}:{path}"));
                error.hint(FSCK)
            };
            let end = rest
                .iter()
                .position(|&byte| byte == b'\n')
                .ok_or_else(stopped)?;
            let line = String::from_utf8_lossy(&rest[..end]).into_owned();
            rest = &rest[end + 1..];
            let mut words = line.rsplit(' ');
            let (Some(size), Some("blob")) = (words.next(), words.next()) else {
                found.push(None);
                continue;
            };
            let size: usize = size.parse().map_err(|_| stopped())?;
            if rest.len() <= size {
                return Err(stopped());
            }
            found.push(Some(rest[..size].to_vec()));
            rest = &rest[size + 1..];
        }
        Ok(found)
    }

    fn run(&self, args: &[&str]) -> Result<Output> {
        self.command(args).output().map_err(not_run)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .args(args)
            .current_dir(&self.folder)
            .stdin(Stdio::null());
        for (name, _) in std::env::vars_os().filter(|(name, _)| !reaches_git(name)) {
            command.env_remove(name);
        }
        // Messages are read here, and nobody is there to be asked for a password.
        command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0");
        command
    }
}

fn not_run(e: std::io::Error) -> Error {
    match e.kind() {
        std::io::ErrorKind::NotFound => Error::config("the program `git` is not there")
            .hint("install git, or add its folder to PATH"),
        _ => Error::failed(format!("cannot run git: {e}")),
    }
}

/// Whether git sees a variable of this process.
fn reaches_git(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    // It would outweigh LC_ALL where messages are translated.
    let is_other = !name.starts_with("GIT_") && name != "LANGUAGE";
    is_other || KEPT.contains(&&*name)
}

/// The first line that git wrote to stderr.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines().next().unwrap_or_default().to_owned()
}

/// The folder that git does not trust: the repository's, which may be above ours.
fn distrusted(output: &Output) -> Option<String> {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let (_, rest) = text.split_once("repository at '")?;
    Some(
        rest.split_once("'\n")
            .map_or(rest, |(path, _)| path)
            .to_owned(),
    )
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
