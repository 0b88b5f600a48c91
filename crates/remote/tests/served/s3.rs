//! What a server of S3 answers. `tests/remote` of the repository has whole ones.

use crate::program::{Program, SECRET, content, failed};
use crate::server::{Server, answer};
use serde_json::json;

fn error(code: &str) -> Vec<u8> {
    // Servers repeat in their errors what they were sent.
    format!("<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>").into_bytes()
}

#[test]
fn an_object_that_is_absent_is_no_bucket_that_is_absent() {
    let server = Server::start(|asked| match asked.method.as_str() {
        "HEAD" => answer("404 Not Found", b""),
        _ => answer("404 Not Found", &error("NoSuchBucket")),
    });
    let mut program = Program::s3(&server.url);
    let told = program.look("objects/ab/c");
    let (kind, words) = failed(&told);
    assert_eq!(kind, "other");
    assert!(
        words.contains("s3://cache/a: there is no such bucket"),
        "{words}"
    );
    let told = program.get("objects/ab/c", 9).0;
    assert!(failed(&told).1.contains("no such bucket"), "{told}");

    let server = Server::start(|asked| match asked.method.as_str() {
        "HEAD" => answer("404 Not Found", b""),
        _ => answer("404 Not Found", &error("NoSuchKey")),
    });
    let mut program = Program::s3(&server.url);
    for _ in 0..3 {
        assert_eq!(program.look("objects/ab/c"), json!({"absent": true}));
    }
    // Once it is clear that the bucket is there, one request is enough.
    assert_eq!(server.methods(), ["HEAD", "GET", "HEAD", "HEAD"]);
    assert!(server.asked()[0].path.starts_with("/cache/a/objects/ab/c"));
    let authorization = &server.asked()[0].headers["authorization"];
    assert!(
        authorization.starts_with("AWS4-HMAC-SHA256 Credential=somebody/"),
        "{authorization}"
    );
}

#[test]
fn credentials_that_are_wrong_or_old_are_named_and_not_shown() {
    for (status, code) in [
        ("403 Forbidden", "AccessDenied"),
        ("403 Forbidden", "SignatureDoesNotMatch"),
        ("400 Bad Request", "ExpiredToken"),
    ] {
        let server = Server::start(move |_| answer(status, &error(code)));
        let mut program = Program::s3(&server.url);
        let told = program.put("objects/ab/c", b"four");
        let (kind, words) = failed(&told);
        assert_eq!(kind, "denied", "{told}");
        assert!(
            words.contains(code) && words.contains("AWS_SECRET_ACCESS_KEY"),
            "{words}"
        );
        assert_eq!(server.methods(), ["PUT"]);
    }
}

#[test]
fn an_object_that_a_bucket_refuses_may_be_absent_and_nothing_else_may() {
    let refusing = |code: &'static str| {
        Server::start(move |asked| match asked.method.as_str() {
            "HEAD" => answer("403 Forbidden", b""),
            _ => answer("403 Forbidden", &error(code)),
        })
    };
    let server = refusing("AccessDenied");
    let mut program = Program::s3(&server.url);
    let (told, file) = program.get("objects/ab/c", 9);
    let (kind, words) = failed(&told);
    assert_eq!(kind, "forbidden");
    assert!(
        words.contains("s3://cache/a does not give it (it answers 403 AccessDenied)"),
        "{words}"
    );
    assert_eq!(content(&file), b"what was there before");
    // An answer without a body says nothing of why: one more request does.
    let told = program.look("objects/ab/c");
    assert_eq!(failed(&told).0, "forbidden", "{told}");
    assert_eq!(server.methods(), ["GET", "HEAD", "GET"]);
    for verb in [
        json!({"verb": "list", "prefix": "objects/"}),
        json!({"verb": "remove", "name": "objects/ab/c"}),
        json!({"verb": "put", "name": "objects/ab/c", "file": file}),
    ] {
        let told = program.ask(verb.clone());
        assert_eq!(failed(&told).0, "denied", "{verb}: {told}");
    }
    for code in [
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "ExpiredToken",
    ] {
        let mut program = Program::s3(&refusing(code).url);
        for told in [
            program.look("objects/ab/c"),
            program.get("objects/ab/c", 9).0,
        ] {
            let (kind, words) = failed(&told);
            assert_eq!(kind, "denied", "{code}: {told}");
            assert!(words.contains(code), "{words}");
        }
    }
}

#[test]
fn a_removal_that_is_refused_is_told_as_such() {
    let server = Server::start(|_| answer("403 Forbidden", &error("AccessDenied")));
    let mut program = Program::s3(&server.url);
    let told = program.ask(json!({"verb": "remove", "name": "objects/ab/c"}));
    assert_eq!(failed(&told).0, "denied", "{told}");
    assert_eq!(server.methods(), ["DELETE"]);
}

#[test]
fn an_upload_in_parts_that_fails_is_taken_back() {
    let server = Server::start(|asked| {
        match asked.method.as_str() {
        "POST" if asked.path.ends_with("?uploads=") || asked.path.ends_with("?uploads") => answer(
            "200 OK",
            b"<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>",
        ),
        "PUT" if asked.path.contains("partNumber=2") => answer("403 Forbidden", &error("QuotaExceeded")),
        "PUT" => answer("200 OK", b""),
        "DELETE" => answer("204 No Content", b""),
        _ => answer("500 Internal Server Error", b""),
    }
    });
    let mut program = Program::s3(&server.url);
    let told = program.put("objects/ab/c", &vec![7; (8 << 20) + 1]);
    assert_eq!(failed(&told).0, "full", "{told}");
    assert_eq!(server.methods(), ["POST", "PUT", "PUT", "DELETE"]);
    assert_eq!(server.asked()[1].body.len(), 8 << 20);
}

#[test]
fn a_list_has_names_from_the_place_and_ages_by_the_servers_clock() {
    let page = "<ListBucketResult><Contents><Key>a/objects/ab/d</Key><Size>4</Size>\
        <LastModified>2025-12-31T23:59:00.000Z</LastModified><ETag>e</ETag></Contents>\
        <Contents><Key>a/objects/ab/c</Key><Size>5</Size>\
        <LastModified>2026-01-01T01:00:00.000Z</LastModified><ETag>e</ETag></Contents></ListBucketResult>";
    let server = Server::start(move |_| answer("200 OK", page.as_bytes()));
    let mut program = Program::s3(&server.url);
    let listed = program.ask(json!({"verb": "list", "prefix": "objects/"}));
    // The server's time is 00:01.
    let expected = json!({"listed": [
        {"name": "objects/ab/c", "size": 5, "age_s": 0},
        {"name": "objects/ab/d", "size": 4, "age_s": 120},
    ]});
    assert_eq!(listed, expected);
    assert!(server.asked()[0].path.contains("prefix=a%2Fobjects%2F"));
}
