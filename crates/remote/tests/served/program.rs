//! The program under test, and what it says.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

pub struct Program {
    child: Child,
    answers: BufReader<ChildStdout>,
    pub folder: tempfile::TempDir,
    said: String,
}

/// Credentials that are in no answer.
pub const SECRET: &str = "hunter2hunter2hunter2";

impl Program {
    /// Starts it for a URL, with nothing in the environment but `variables`; its first line is [`Program::hello`].
    pub fn start(url: &str, variables: &[(&str, &str)]) -> Program {
        let mut child = Command::new(env!("CARGO_BIN_EXE_retrace-remote"))
            .arg(url)
            .env_clear()
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        let folder = tempfile::tempdir().expect("a folder");
        Program {
            child,
            answers,
            folder,
            said: String::new(),
        }
    }

    /// As [`Program::start`], and it says that it can begin.
    pub fn ready(url: &str, variables: &[(&str, &str)]) -> Program {
        let mut program = Program::start(url, variables);
        let hello = program.next();
        assert_eq!(hello["retrace_remote"], 1, "{hello}");
        assert_eq!(hello["url"], url, "{hello}");
        program
    }

    /// For a bucket of S3 at a server.
    pub fn s3(server: &str) -> Program {
        Program::ready(
            "s3://cache/a",
            &[
                ("AWS_ENDPOINT_URL", server),
                ("AWS_ACCESS_KEY_ID", "somebody"),
                ("AWS_SECRET_ACCESS_KEY", SECRET),
            ],
        )
    }

    pub fn send(&mut self, request: &Value) {
        let mut requests = self.child.stdin.as_ref().expect("open");
        writeln!(requests, "{request}").expect("it reads");
    }

    /// Its next line; null after the last.
    pub fn next(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("a line");
        self.said.push_str(&line);
        assert!(!self.said.contains(SECRET), "{}", self.said);
        serde_json::from_str(&line).unwrap_or(Value::Null)
    }

    /// Asks for one thing; the answer without its number.
    pub fn ask(&mut self, mut request: Value) -> Value {
        request["id"] = json!(7);
        self.send(&request);
        let mut answer = self.next();
        while answer.get("moved").is_some() {
            answer = self.next();
        }
        let id = answer
            .as_object_mut()
            .and_then(|answer| answer.remove("id"));
        assert_eq!(id, Some(json!(7)), "{answer}");
        answer
    }

    pub fn look(&mut self, name: &str) -> Value {
        self.ask(json!({"verb": "look", "name": name}))
    }

    /// Gets into a file that is there.
    pub fn get(&mut self, name: &str, most: u64) -> (Value, PathBuf) {
        let file = self.file("copy", b"what was there before");
        let answer = self.ask(json!({"verb": "get", "name": name, "file": file, "most": most}));
        (answer, file)
    }

    pub fn put(&mut self, name: &str, content: &[u8]) -> Value {
        let file = self.file("new", content);
        self.ask(json!({"verb": "put", "name": name, "file": file}))
    }

    pub fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let file = self.folder.path().join(name);
        std::fs::write(&file, content).expect("a file");
        file
    }

    /// Ends its standard input; whether it ended well.
    pub fn end(mut self) -> bool {
        drop(self.child.stdin.take());
        self.child.wait().expect("it ends").success()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The kind and the words of an answer that is a failure.
pub fn failed(answer: &Value) -> (&str, &str) {
    let failed = &answer["failed"];
    let text = |key: &str| {
        failed[key]
            .as_str()
            .unwrap_or_else(|| panic!("no {key}: {answer}"))
    };
    (text("kind"), text("words"))
}

pub fn content(file: &Path) -> Vec<u8> {
    std::fs::read(file).expect("a file")
}
