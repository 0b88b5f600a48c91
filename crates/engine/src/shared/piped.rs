//! A shared store behind a second program, which has the network client that this one does not have.
//!
//! One process for a session. Requests and answers are JSON, a line each, matched by number
//! (`crates/remote/src/protocol.rs` has all of them); bytes move through files. A program that ends, says what
//! nobody understands, or says nothing for `PATIENCE` is the same as a store that cannot be reached: for
//! all who wait, and for all who ask later. Knows neither what a name means nor any service.

use crate::shared::backend::{Backend, Failure, FailureKind, Listed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

/// The program's name, as a file beside this one or on the path.
pub const NAME: &str = "retrace-remote";
/// Where else it is, if this variable is set.
const VARIABLE: &str = "RETRACE_REMOTE";
/// The protocol that is spoken here.
const VERSION: u32 = 1;
/// Its first line needs no network: it comes at once, on a busy machine a little later.
const FIRST_WORD: Duration = Duration::from_secs(10);
/// It gives a request up after seconds without a byte, so who hears nothing for so long has lost it.
const PATIENCE: Duration = Duration::from_secs(60);
/// As many as it works on at once: a request that waits there would look like one that is stuck.
const AT_ONCE: usize = 16;
/// A list of all objects of a store is one line.
const MAX_LINE: u64 = 1 << 30;

/// A store that a second program reaches.
#[derive(Debug)]
pub struct Piped {
    shown: String,
    session: Arc<Session>,
    requests: Mutex<(u64, ChildStdin)>,
    child: Mutex<Child>,
    patience: Duration,
}

/// What the thread that reads answers and those who wait for them share.
#[derive(Debug, Default)]
struct Session {
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: BTreeMap<u64, mpsc::Sender<Outcome>>,
    under_way: usize,
    /// Why nothing more will come.
    ended: Option<Failure>,
}

#[derive(Serialize)]
struct Request<'a> {
    id: u64,
    #[serde(flatten)]
    verb: Verb<'a>,
}

#[derive(Serialize)]
#[serde(tag = "verb", rename_all = "lowercase")]
enum Verb<'a> {
    Look {
        name: &'a str,
    },
    Get {
        name: &'a str,
        file: &'a Path,
        most: u64,
    },
    Put {
        name: &'a str,
        file: &'a Path,
    },
    List {
        prefix: &'a str,
    },
    Remove {
        name: &'a str,
    },
}

#[derive(Deserialize)]
struct Reply {
    id: u64,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Bytes(u64),
    Absent(bool),
    Listed(Vec<Entry>),
    Done(bool),
    Failed(Told),
    /// No answer yet, but bytes have moved.
    Moved(serde::de::IgnoredAny),
}

#[derive(Debug, Deserialize)]
struct Entry {
    name: String,
    size: u64,
    age_s: u64,
}

#[derive(Debug, Deserialize)]
struct Told {
    kind: String,
    words: String,
}

#[derive(Deserialize)]
struct Hello {
    retrace_remote: u32,
    url: Option<String>,
    failed: Option<Told>,
}

impl Piped {
    /// Starts the program for a URL. The store is not asked for anything yet.
    ///
    /// # Errors
    /// The program is not there, or the URL or the environment is not what it needs.
    pub fn start(url: &str) -> Result<Self, Failure> {
        // Every list of processes would show them.
        let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
        let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') || url.contains(['?', '#']) {
            return Err(other(
                "the store's URL may hold credentials (it has an @, ? or #): they belong into the environment",
            ));
        }
        let mut command = Command::new(program()?);
        command.arg(url);
        Piped::over(command, FIRST_WORD, PATIENCE)
    }

    /// Starts a command that has so long for its first line, and so long for any other.
    fn over(
        mut command: Command,
        first_word: Duration,
        patience: Duration,
    ) -> Result<Self, Failure> {
        let program = PathBuf::from(command.get_program());
        // In a group of its own: Ctrl-C is for this program, which may have results to put there yet.
        let started = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        let mut child =
            started.map_err(|e| other(format!("cannot start {}: {e}", program.display())))?;
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(other("a pipe to the store's program is missing"));
        };
        let session = Arc::new(Session::default());
        let (tell, told) = mpsc::channel();
        let reader = Arc::clone(&session);
        std::thread::spawn(move || reader.read(answers, &tell));
        let mut piped = Piped {
            shown: String::new(),
            session,
            requests: Mutex::new((0, requests)),
            child: Mutex::new(child),
            patience,
        };
        // Dropped on the way out, it ends the program.
        let hello = told.recv_timeout(first_word);
        let hello = hello.map_err(|_| {
            let (program, seconds) = (program.display(), first_word.as_secs());
            other(format!(
                "{program} has said nothing for {seconds} s, and {NAME} says at once that it is there: look whether it is one and what it waits for, `{program}` alone prints its usage"
            ))
        })?;
        match hello {
            Some(Hello {
                failed: Some(told), ..
            }) => Err(told.into()),
            Some(Hello {
                retrace_remote: VERSION,
                url: Some(url),
                ..
            }) => {
                piped.shown = url;
                Ok(piped)
            }
            Some(Hello { retrace_remote, .. }) => Err(other(format!(
                "{} speaks version {retrace_remote}, this program {VERSION}: build both from the same source ({})",
                program.display(),
                how_to_build()
            ))),
            None => {
                let ended = piped.child().try_wait().ok().flatten();
                let how = ended.map_or_else(String::new, |status| format!(" ({status})"));
                Err(other(format!(
                    "{} is no {NAME}, or cannot run here{how}",
                    program.display()
                )))
            }
        }
    }

    /// Asks and waits for the answer.
    fn ask(&self, verb: Verb) -> Result<Outcome, Failure> {
        let _turn = Turn::wait(&self.session)?;
        let (tell, told) = mpsc::channel();
        self.send(verb, tell)?;
        loop {
            match told.recv_timeout(self.patience) {
                Ok(Outcome::Moved(_)) => {}
                Ok(Outcome::Failed(told)) => return Err(told.into()),
                Ok(outcome) => return Ok(outcome),
                Err(mpsc::RecvTimeoutError::Disconnected) => return Err(self.session.why()),
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    let seconds = self.patience.as_secs();
                    let words = format!("{}: its program says nothing for {seconds} s", self.shown);
                    self.session.end(&words);
                    // Nothing of it may still write into a file of ours.
                    let _ = self.child().kill();
                    return Err(self.session.why());
                }
            }
        }
    }

    fn send(&self, verb: Verb, tell: mpsc::Sender<Outcome>) -> Result<(), Failure> {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.0 += 1;
        let id = requests.0;
        {
            let mut state = self.session.lock();
            if let Some(ended) = &state.ended {
                return Err(ended.clone());
            }
            state.waiting.insert(id, tell);
        }
        let sent = serde_json::to_vec(&Request { id, verb }).map_err(std::io::Error::other);
        let sent = sent.and_then(|mut line| {
            line.push(b'\n');
            requests.1.write_all(&line)
        });
        sent.map_err(|e| {
            self.session.lock().waiting.remove(&id);
            match e.kind() {
                std::io::ErrorKind::Other => other(format!("{}: not a request: {e}", self.shown)),
                _ => {
                    self.session
                        .end(&format!("{}: its program has ended", self.shown));
                    self.session.why()
                }
            }
        })
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer that is none to what was asked.
    fn odd(&self, outcome: &Outcome) -> Failure {
        let words = format!(
            "{}: its program answers another question: {outcome:?}",
            self.shown
        );
        self.session.end(&words);
        self.session.why()
    }
}

impl Drop for Piped {
    /// Ends the program: nobody waits for it any more.
    fn drop(&mut self) {
        let mut child = self.child();
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Backend for Piped {
    fn shown(&self) -> String {
        self.shown.clone()
    }

    fn look(&self, name: &str) -> Result<Option<Listed>, Failure> {
        match self.ask(Verb::Look { name })? {
            Outcome::Listed(mut found) if found.len() == 1 => Ok(found.pop().map(Listed::from)),
            Outcome::Absent(true) => Ok(None),
            outcome => Err(self.odd(&outcome)),
        }
    }

    fn get(&self, name: &str, to: &Path, most: u64) -> Result<Option<u64>, Failure> {
        let file = &absolute(to)?;
        match self.ask(Verb::Get { name, file, most })? {
            Outcome::Bytes(bytes) => Ok(Some(bytes)),
            Outcome::Absent(true) => Ok(None),
            outcome => Err(self.odd(&outcome)),
        }
    }

    fn put(&self, name: &str, from: &Path) -> Result<(), Failure> {
        let file = &absolute(from)?;
        match self.ask(Verb::Put { name, file })? {
            Outcome::Done(true) => Ok(()),
            outcome => Err(self.odd(&outcome)),
        }
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, Failure> {
        match self.ask(Verb::List { prefix })? {
            Outcome::Listed(entries) => {
                let mut listed: Vec<Listed> = entries.into_iter().map(Listed::from).collect();
                listed.sort_by(|a, b| a.name.cmp(&b.name));
                Ok(listed)
            }
            outcome => Err(self.odd(&outcome)),
        }
    }

    fn remove(&self, name: &str) -> Result<(), Failure> {
        match self.ask(Verb::Remove { name })? {
            Outcome::Done(true) => Ok(()),
            outcome => Err(self.odd(&outcome)),
        }
    }
}

/// One of the requests that may be under way; its place is free when it is dropped.
struct Turn<'a>(&'a Session);

impl<'a> Turn<'a> {
    fn wait(session: &'a Session) -> Result<Self, Failure> {
        let is_full = |state: &mut State| state.ended.is_none() && state.under_way >= AT_ONCE;
        let state = session.freed.wait_while(session.lock(), is_full);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        if let Some(ended) = &state.ended {
            return Err(ended.clone());
        }
        state.under_way += 1;
        Ok(Turn(session))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.lock().under_way -= 1;
        self.0.freed.notify_one();
    }
}

impl Session {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing more will come: all who wait hear it. The first reason stays.
    fn end(&self, words: &str) {
        let mut state = self.lock();
        let failure = || Failure::new(FailureKind::Unreachable, words);
        state.ended.get_or_insert_with(failure);
        state.waiting.clear();
        drop(state);
        self.freed.notify_all();
    }

    fn why(&self) -> Failure {
        let ended = self.lock().ended.clone();
        ended.unwrap_or_else(|| {
            Failure::new(FailureKind::Unreachable, "the store's program has ended")
        })
    }

    /// Reads answers until there are no more: the first line goes to who started the program.
    fn read(&self, answers: ChildStdout, hello: &mpsc::Sender<Option<Hello>>) {
        let mut answers = BufReader::new(answers);
        let first = line(&mut answers).and_then(|line| serde_json::from_slice(&line).ok());
        let shown = first
            .as_ref()
            .and_then(|hello: &Hello| hello.url.clone())
            .unwrap_or_default();
        if hello.send(first).is_err() {
            return;
        }
        while let Some(line) = line(&mut answers) {
            let Ok(Reply { id, outcome }) = serde_json::from_slice(&line) else {
                return self.end(&format!("{shown}: its program says what is no answer"));
            };
            let mut state = self.lock();
            let sender = match outcome {
                Outcome::Moved(_) => state.waiting.get(&id).cloned(),
                _ => state.waiting.remove(&id),
            };
            drop(state);
            match sender {
                // Who asked may have given up.
                Some(sender) => drop(sender.send(outcome)),
                None => {
                    return self.end(&format!("{shown}: its program answers what nobody asked"));
                }
            }
        }
        self.end(&format!("{shown}: its program has ended"));
    }
}

/// A line without its end; `None` where there is none that is whole.
fn line(from: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    from.take(MAX_LINE).read_until(b'\n', &mut line).ok()?;
    (line.pop() == Some(b'\n')).then_some(line)
}

/// Where the program is.
///
/// # Errors
/// It is nowhere.
pub fn program() -> Result<PathBuf, Failure> {
    if let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        if path.is_file() {
            return Ok(path);
        }
        return Err(other(format!(
            "{VARIABLE} names {}, which is no file",
            path.display()
        )));
    }
    let beside = std::env::current_exe().ok();
    let beside = beside
        .iter()
        .filter_map(|path| path.parent().map(Path::to_owned));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = beside
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(NAME))
        .find(|path| path.is_file());
    found.ok_or_else(|| {
        let how = how_to_build();
        other(format!(
            "a store with a URL needs the program {NAME}, which is not beside this one nor on the PATH: {how}, or set {VARIABLE}"
        ))
    })
}

fn how_to_build() -> String {
    "build it with `cargo build --release --locked --manifest-path crates/remote/Cargo.toml --target-dir target`, or install it with `cargo install --locked --path crates/remote`".to_owned()
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    let absolute = std::path::absolute(path);
    absolute.map_err(|e| {
        let words = format!("no path to {}: {e}", path.display());
        Failure::new(FailureKind::Local, words)
    })
}

fn other(words: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Other, words)
}

impl From<Told> for Failure {
    fn from(told: Told) -> Failure {
        let kind = match told.kind.as_str() {
            "unreachable" => FailureKind::Unreachable,
            "denied" => FailureKind::Denied,
            "forbidden" => FailureKind::Forbidden,
            "full" => FailureKind::Full,
            "too_large" => FailureKind::TooLarge,
            "local" => FailureKind::Local,
            _ => FailureKind::Other,
        };
        Failure::new(kind, told.words)
    }
}

impl From<Entry> for Listed {
    fn from(entry: Entry) -> Listed {
        Listed {
            name: entry.name,
            size: entry.size,
            age_s: entry.age_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(300);
    const LONG: Duration = PATIENCE;

    /// A program that says hello, then does what a shell is told; `read` takes a request.
    fn scripted(script: &str, patience: Duration) -> Result<Piped, Failure> {
        let hello = r#"echo '{"retrace_remote":1,"url":"s3://cache"}'"#;
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{hello}\n{script}")]);
        Piped::over(command, LONG, patience)
    }

    fn answering(lines: &[&str]) -> Piped {
        let script: String = lines
            .iter()
            .map(|line| format!("read -r asked\necho '{line}'\n"))
            .collect();
        scripted(&format!("{script}cat > /dev/null"), PATIENCE).unwrap()
    }

    #[test]
    fn every_verb_has_its_answer() {
        let piped = answering(&[
            r#"{"id":1,"listed":[{"name":"objects/ab/c","size":12,"age_s":9}]}"#,
            r#"{"id":2,"absent":true}"#,
            r#"{"id":3,"bytes":5}"#,
            r#"{"id":4,"done":true}"#,
            r#"{"id":5,"listed":[{"name":"b","size":2,"age_s":3},{"name":"a","size":1,"age_s":0}]}"#,
            r#"{"id":6,"failed":{"kind":"full","words":"no space"}}"#,
            r#"{"id":7,"failed":{"kind":"of a later version","words":"hm"}}"#,
            r#"{"id":8,"failed":{"kind":"local","words":"no space here"}}"#,
            r#"{"id":9,"failed":{"kind":"forbidden","words":"not for you"}}"#,
        ]);
        assert_eq!(piped.shown(), "s3://cache");
        let file = Path::new("relative");
        let found = piped.look("objects/ab/c").unwrap().unwrap();
        assert_eq!(
            (&*found.name, found.size, found.age_s),
            ("objects/ab/c", 12, 9)
        );
        assert_eq!(piped.look("objects/ab/d"), Ok(None));
        assert_eq!(piped.get("objects/ab/c", file, 5), Ok(Some(5)));
        assert_eq!(piped.put("objects/ab/c", file), Ok(()));
        let listed = piped.list("").unwrap();
        assert_eq!(
            listed.iter().map(|found| &*found.name).collect::<Vec<_>>(),
            ["a", "b"]
        );
        assert_eq!((listed[1].size, listed[1].age_s), (2, 3));
        let full = Failure::new(FailureKind::Full, "no space");
        assert_eq!(piped.remove("pins/a"), Err(full));
        assert_eq!(piped.look("a").unwrap_err().kind, FailureKind::Other);
        let failure = piped.put("objects/ab/c", file).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Local);
        let failure = piped.get("objects/ab/c", file, 5).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Forbidden);
    }

    #[test]
    fn the_request_is_one_line_with_an_absolute_path() {
        let folder = tempfile::tempdir().unwrap();
        let seen = folder.path().join("seen");
        let script = format!(
            "read -r asked\nprintf '%s' \"$asked\" > '{}'\necho '{{\"id\":1,\"bytes\":3}}'\ncat > /dev/null",
            seen.display()
        );
        let piped = scripted(&script, PATIENCE).unwrap();
        piped
            .get("objects/ab/c", &folder.path().join("x"), 9)
            .unwrap();
        let request: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&seen).unwrap()).unwrap();
        let expected = serde_json::json!({
            "id": 1, "verb": "get", "name": "objects/ab/c", "file": folder.path().join("x"), "most": 9
        });
        assert_eq!(request, expected);
    }

    #[test]
    fn answers_find_who_asked_in_whatever_order_they_come() {
        let script = "read -r a\nread -r b\nread -r c\n\
            for id in 3 1 2; do echo \"{\\\"id\\\":$id,\\\"bytes\\\":$id}\"; done\ncat > /dev/null";
        let piped = scripted(script, PATIENCE).unwrap();
        std::thread::scope(|scope| {
            let ask = || piped.get("a", Path::new("b"), 9).unwrap().unwrap();
            let asked: Vec<_> = (0..3).map(|_| scope.spawn(ask)).collect();
            let mut sizes: Vec<u64> = asked
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect();
            sizes.sort_unstable();
            assert_eq!(sizes, [1, 2, 3]);
        });
    }

    #[test]
    fn a_program_that_dies_or_talks_nonsense_is_a_store_that_is_gone() {
        for (script, words) in [
            ("read -r asked", "has ended"),
            ("read -r asked\necho hello\ncat > /dev/null", "no answer"),
            (
                "read -r asked\necho '{\"id\":99,\"bytes\":1}'\ncat > /dev/null",
                "nobody asked",
            ),
            (
                "read -r asked\necho '{\"id\":1,\"done\":true}'\ncat > /dev/null",
                "another question",
            ),
            (
                "read -r asked\nprintf '{\"id\":1,\"bytes\":1}'",
                "has ended",
            ),
        ] {
            let piped = scripted(script, PATIENCE).unwrap();
            let failures = std::thread::scope(|scope| {
                let asked: Vec<_> = (0..40).map(|_| scope.spawn(|| piped.look("a"))).collect();
                let failed = asked
                    .into_iter()
                    .map(|thread| thread.join().unwrap().unwrap_err());
                failed.collect::<Vec<_>>()
            });
            for failure in failures.iter().chain([&piped.remove("a").unwrap_err()]) {
                assert_eq!(failure.kind, FailureKind::Unreachable, "{script}");
                assert!(failure.words.contains(words), "{script}: {failure:?}");
                assert!(failure.words.contains("s3://cache"), "{failure:?}");
            }
        }
    }

    #[test]
    fn silence_is_the_end_and_progress_is_not() {
        let piped = scripted("cat > /dev/null", SHORT).unwrap();
        let failure = piped.look("a").unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable);
        assert!(failure.words.contains("says nothing"), "{failure:?}");
        assert_eq!(piped.look("b"), Err(failure));
        // What has moved is no answer, and nothing is asked twice.
        let script = "read -r asked\nfor n in 1 2 3 4; do echo '{\"id\":1,\"moved\":'$n'}'; done\n\
            echo '{\"id\":1,\"done\":true}'\ncat > /dev/null";
        let piped = scripted(script, PATIENCE).unwrap();
        assert_eq!(piped.remove("a"), Ok(()));
    }

    #[test]
    fn a_program_that_cannot_start_says_why() {
        let of = |line: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", line]);
            Piped::over(command, LONG, LONG).unwrap_err().words
        };
        let told =
            of(r#"echo '{"retrace_remote":1,"failed":{"kind":"other","words":"no bucket"}}'"#);
        assert_eq!(told, "no bucket");
        let told = of(r#"echo '{"retrace_remote":2,"url":"s3://cache"}'"#);
        assert!(
            told.contains("speaks version 2") && told.contains("cargo build"),
            "{told}"
        );
        let told = of("echo usage: something else");
        assert!(told.contains("is no retrace-remote"), "{told}");
        let told = of("exit 3");
        assert!(told.contains("is no retrace-remote"), "{told}");
        let command = Command::new("/nothing/of/this/name");
        let told = Piped::over(command, LONG, LONG).unwrap_err().words;
        assert!(
            told.contains("cannot start /nothing/of/this/name"),
            "{told}"
        );
    }

    // Who answers later waits for a server; who has not said a word waits for nothing that could come.
    #[test]
    fn a_program_that_never_speaks_is_not_waited_for_as_a_server_is() {
        let mut command = Command::new("sleep");
        command.arg("600");
        let start = std::time::Instant::now();
        let told = Piped::over(command, SHORT, LONG).unwrap_err().words;
        assert!(start.elapsed() < LONG / 2, "{:?}", start.elapsed());
        assert!(
            told.starts_with("sleep has said nothing for ") && told.contains("its usage"),
            "{told}"
        );
        const { assert!(FIRST_WORD.as_secs() <= 10 && PATIENCE.as_secs() > 30) };
        let late = "read -r asked\nsleep 1\necho '{\"id\":1,\"done\":true}'\ncat > /dev/null";
        let hello = r#"echo '{"retrace_remote":1,"url":"s3://cache"}'"#;
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{hello}\n{late}")]);
        let piped = Piped::over(command, Duration::from_millis(900), LONG).unwrap();
        assert_eq!(piped.remove("a"), Ok(()), "later than its first word");
    }

    #[test]
    fn a_url_with_credentials_goes_into_no_command_line() {
        for url in [
            "https://me:hunter2@h/a",
            "s3://hunter2@b",
            "https://h/a?sig=hunter2",
            "https://h/a#hunter2",
        ] {
            let told = Piped::start(url).unwrap_err().words;
            assert!(
                told.contains("environment") && !told.contains("hunter2"),
                "{told}"
            );
        }
    }
}
