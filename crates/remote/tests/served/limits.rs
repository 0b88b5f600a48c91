//! Servers that do not answer, and many requests at once. Some of these take as long as the limits are.

use crate::program::{Program, failed};
use crate::server::{Server, answer};
use serde_json::json;
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

#[test]
fn nobody_there_is_told_at_once() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let mut program = Program::ready(&format!("http://{}", port.expect("a port")), &[]);
    let told = program.look("objects/ab/c");
    let (kind, words) = failed(&told);
    assert_eq!(kind, "unreachable");
    assert!(
        words.contains("cannot be reached: Connection refused"),
        "{words}"
    );
}

#[test]
fn a_server_that_says_nothing_is_given_up_after_ten_seconds() {
    // Its queue takes connections, and nobody takes them from there.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let mut program = Program::ready(&url, &[]);
    let start = Instant::now();
    for id in 0..3 {
        program.send(&json!({"id": id, "verb": "look", "name": "objects/ab/c"}));
    }
    for _ in 0..3 {
        let told = program.next();
        let (kind, words) = failed(&told);
        assert_eq!(kind, "unreachable");
        assert!(words.contains("has not moved a byte for 10 s"), "{words}");
    }
    assert!(start.elapsed() >= Duration::from_secs(10));
    // Who asks then does not wait so long again.
    let told = program.look("objects/ab/c");
    assert!(failed(&told).1.contains("for 2 s"), "{told}");
    // With a request under way, it still ends when its input does.
    program.send(&json!({"id": 9, "verb": "look", "name": "objects/ab/c"}));
    assert!(program.end());
}

#[test]
fn an_answer_that_breaks_off_is_no_object() {
    let server = Server::start(|_| {
        let mut sent = answer("200 OK", b"all of it");
        sent.truncate(sent.len() - 3);
        sent
    });
    let mut program = Program::ready(&server.url, &[]);
    let (told, _) = program.get("objects/ab/c", 99);
    assert_eq!(failed(&told).0, "unreachable", "{told}");
    // One more try, and not another.
    assert_eq!(server.methods(), ["GET", "GET"]);
}

#[test]
fn sixteen_requests_are_under_way_at_once_and_no_more() {
    #[derive(Default)]
    struct Seen {
        now: usize,
        most: usize,
        waves: usize,
    }
    static SEEN: Mutex<Seen> = Mutex::new(Seen {
        now: 0,
        most: 0,
        waves: 0,
    });
    static CHANGED: Condvar = Condvar::new();
    // Answers nobody before sixteen have asked: fewer at once would never end.
    let server = Server::start(|_| {
        let mut seen = SEEN.lock().expect("no panic");
        seen.now += 1;
        seen.most = seen.most.max(seen.now);
        let wave = seen.waves;
        if seen.now == 16 {
            seen.waves += 1;
            seen.now = 0;
            CHANGED.notify_all();
        }
        drop(
            CHANGED
                .wait_while(seen, |seen| seen.waves == wave)
                .expect("no panic"),
        );
        answer("200 OK", b"four")
    });
    let mut program = Program::ready(&server.url, &[]);
    for id in 0..64 {
        let file = program.file(&format!("copy{id}"), b"");
        program.send(&json!({"id": id, "verb": "get", "name": format!("objects/{id}"), "file": file, "most": 4}));
    }
    let mut answered = BTreeSet::new();
    while answered.len() < 64 {
        let told = program.next();
        if told.get("moved").is_none() {
            assert_eq!(told["bytes"], 4, "{told}");
            assert!(answered.insert(told["id"].as_u64()), "{told}");
        }
    }
    assert_eq!(SEEN.lock().expect("no panic").waves, 4);
    assert_eq!(SEEN.lock().expect("no panic").most, 16);
}
