//! Plain servers of HTTP, and what they answer.

use crate::program::{Program, SECRET, content, failed};
use crate::server::{Server, answer};
use serde_json::json;

#[test]
fn a_plain_server_is_a_store_that_cannot_list() {
    let server = Server::plain();
    let mut program = Program::ready(&format!("{}/dav/a b", server.url).replace(' ', "%20"), &[]);
    assert_eq!(program.look("objects/ab/c"), json!({"absent": true}));
    assert_eq!(program.get("objects/ab/c", 9).0, json!({"absent": true}));
    assert_eq!(program.put("objects/ab/c", b"four"), json!({"done": true}));
    assert_eq!(
        program.look("objects/ab/c"),
        json!({"listed": [{"name": "objects/ab/c", "size": 4, "age_s": 60}]})
    );
    let (told, file) = program.get("objects/ab/c", 4);
    assert_eq!(
        (told, content(&file)),
        (json!({"bytes": 4}), b"four".to_vec())
    );
    // Replaced, not kept.
    assert_eq!(program.put("objects/ab/c", b""), json!({"done": true}));
    let (told, file) = program.get("objects/ab/c", 4);
    assert_eq!((told, content(&file)), (json!({"bytes": 0}), Vec::new()));
    let listed = program.ask(json!({"verb": "list", "prefix": "objects/"}));
    let (kind, words) = failed(&listed);
    assert_eq!(kind, "other");
    assert!(words.contains("cannot do this (it answers 501)"), "{words}");
    for _ in 0..2 {
        let removed = program.ask(json!({"verb": "remove", "name": "objects/ab/c"}));
        assert_eq!(removed, json!({"done": true}));
    }
    assert_eq!(program.look("objects/ab/c"), json!({"absent": true}));
    assert!(
        server
            .asked()
            .iter()
            .all(|asked| asked.path.starts_with("/dav/a%20b/objects"))
    );
    assert!(program.end());
}

#[test]
fn a_large_file_is_one_request_that_says_its_length() {
    let server = Server::plain();
    let mut program = Program::ready(&format!("{}/a", server.url), &[]);
    let large: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 251) as u8).collect();
    assert_eq!(program.put("objects/ab/c", &large), json!({"done": true}));
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].headers["content-length"], "20000000");
    assert!(!asked[0].headers.contains_key("transfer-encoding"));
    let (told, file) = program.get("objects/ab/c", 20_000_000);
    assert_eq!(told, json!({"bytes": 20_000_000}));
    assert!(content(&file) == large);
}

#[test]
fn more_than_was_asked_for_is_not_read() {
    let server = Server::plain();
    let mut program = Program::ready(&server.url, &[]);
    program.put("objects/ab/c", b"some bytes");
    let (told, file) = program.get("objects/ab/c", 9);
    assert_eq!(failed(&told).0, "too_large");
    assert!(failed(&told).1.contains("10 bytes"), "{told}");
    assert_eq!(content(&file), b"what was there before");
    // A file that is gone is somebody's who has given up: it is not made again.
    let gone = program.folder.path().join("gone");
    let told =
        program.ask(json!({"verb": "get", "name": "objects/ab/c", "file": gone, "most": 99}));
    assert_eq!(failed(&told).0, "local");
    assert!(!gone.exists());
    // Nor is the store at fault where this side has no space for it, or no file.
    let full = program
        .ask(json!({"verb": "get", "name": "objects/ab/c", "file": "/dev/full", "most": 99}));
    assert_eq!(failed(&full).0, "local", "{full}");
    let told = program.ask(json!({"verb": "put", "name": "objects/ab/d", "file": gone}));
    assert_eq!(failed(&told).0, "local", "{told}");
}

#[test]
fn what_a_server_answers_has_a_kind_and_few_requests() {
    for (status, kind, requests) in [
        ("401 Unauthorized", "denied", 1),
        ("403 Forbidden", "denied", 1),
        ("507 Insufficient Storage", "full", 2),
        ("413 Payload Too Large", "full", 1),
        ("503 Service Unavailable", "unreachable", 2),
        ("429 Too Many Requests", "unreachable", 2),
        ("405 Method Not Allowed", "other", 1),
    ] {
        let server = Server::start(move |_| answer(status, b"<Code>secret=1</Code>"));
        let mut program = Program::ready(&server.url, &[]);
        let told = program.put("objects/ab/c", b"four");
        assert_eq!(failed(&told).0, kind, "{status}: {told}");
        let number = &status[..3];
        assert!(failed(&told).1.contains(number), "{status}: {told}");
        assert!(failed(&told).1.contains(&server.url), "{status}: {told}");
        assert!(!failed(&told).1.contains("secret"), "{status}: {told}");
        assert_eq!(server.methods().len(), requests, "{status}");
    }
}

#[test]
fn a_redirect_to_a_plain_address_is_not_followed() {
    let elsewhere = answer("302 Found\r\nLocation: http://192.0.2.1/b", b"");
    let server = Server::start(move |_| elsewhere.clone());
    let mut program = Program::ready(&server.url, &[]);
    let (kind, words) = {
        let told = program.look("a");
        (failed(&told).0.to_owned(), failed(&told).1.to_owned())
    };
    assert_eq!(kind, "other");
    assert!(words.contains("somewhere else (it answers 302)"), "{words}");
}

#[test]
fn who_asks_is_said_by_a_variable_and_by_nothing_else() {
    let server = Server::plain();
    let value = format!("Bearer {SECRET}");
    let host = server.url.trim_start_matches("http://");
    let variable = format!("{host} {value}");
    let mut program = Program::ready(&server.url, &[("RETRACE_HTTP_AUTHORIZATION", &variable)]);
    program.put("objects/ab/c", b"four");
    assert_eq!(server.asked()[0].headers["authorization"], value);
    let elsewhere = format!("other.org {value}");
    let mut program = Program::ready(&server.url, &[("RETRACE_HTTP_AUTHORIZATION", &elsewhere)]);
    program.look("objects/ab/c");
    assert!(!server.asked()[1].headers.contains_key("authorization"));
    let mut program = Program::start(&server.url, &[("RETRACE_HTTP_AUTHORIZATION", SECRET)]);
    let told = program.next();
    assert!(
        failed(&told).1.contains("not a host and the value"),
        "{told}"
    );
}

#[test]
fn a_variable_that_names_no_server_is_told_at_once() {
    for (url, variable) in [
        ("s3://cache/a", "AWS_ENDPOINT_URL"),
        ("s3://cache/a", "AWS_ENDPOINT_URL_S3"),
        ("gs://cache/a", "GOOGLE_BASE_URL"),
        ("az://cache/a", "AZURE_STORAGE_ENDPOINT"),
    ] {
        for text in [
            "nonsense",
            "http://127.0.0.1:\"",
            "http://a b",
            "ftp://h.org",
            "127.0.0.1:9000",
            "http://h.org:99999",
        ] {
            let mut program = Program::start(url, &[(variable, text)]);
            let told = program.next();
            let words = format!("{variable} is not the URL of a server");
            assert!(failed(&told).1.contains(&words), "{text}: {told}");
            assert!(!program.end());
        }
    }
}

#[test]
fn a_url_that_is_no_store_is_told_at_once() {
    for (url, words) in [
        (format!("https://me:{SECRET}@h.org/a"), "before an @"),
        (format!("https://h.org/a?sig={SECRET}"), "a ? or #"),
        ("ftp://h.org/a".to_owned(), "ftp:// is no store"),
        ("az://cache/a".to_owned(), "AZURE_STORAGE_ACCOUNT_NAME"),
    ] {
        let mut program = Program::start(&url, &[]);
        let told = program.next();
        assert_eq!(told["retrace_remote"], 1);
        assert!(failed(&told).1.contains(words), "{url}: {told}");
        assert!(!program.end());
    }
}

#[test]
fn nothing_goes_unencrypted_to_another_machine() {
    let mut program = Program::ready("http://192.0.2.1/a", &[]);
    let told = program.look("objects/ab/c");
    let (kind, words) = failed(&told);
    assert_eq!(kind, "other");
    assert!(words.contains("ALLOW_HTTP=true"), "{words}");
}

#[test]
fn requests_that_are_none_are_told_by_number() {
    let mut program = Program::ready("http://127.0.0.1:9", &[]);
    program.send(&json!({"id": 9, "verb": "sell"}));
    let told = program.next();
    assert_eq!(told["id"], 9);
    assert!(failed(&told).1.contains("same version"), "{told}");
    for name in ["", "../a", "a/../../b"] {
        let told = program.look(name);
        assert!(failed(&told).1.contains("not a name"), "{name}: {told}");
    }
}
