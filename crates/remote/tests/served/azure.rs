//! What a server of Azure answers. `tests/remote` of the repository has a whole one.

use crate::program::{Program, SECRET, failed};
use crate::server::{Server, answer};
use serde_json::json;

#[test]
fn what_became_of_a_removal_is_in_the_middle_of_a_success() {
    for (part, kind) in [
        ("202 Accepted", None),
        ("404 The specified blob does not exist.", None),
        ("403 This request is not authorized.", Some("denied")),
        ("503 The server is busy.", Some("unreachable")),
    ] {
        let server = Server::start(move |asked| {
            assert_eq!(asked.method, "POST");
            let body = format!(
                "--b\r\nContent-Type: application/http\r\nContent-ID: 0\r\n\r\nHTTP/1.1 {part}\r\nContent-Length: 0\r\n\r\n\r\n--b--\r\n"
            );
            answer(
                "202 Accepted\r\nContent-Type: multipart/mixed; boundary=b",
                body.as_bytes(),
            )
        });
        let endpoint = format!("{}/somebody", server.url);
        let variables = [
            ("AZURE_STORAGE_ENDPOINT", &*endpoint),
            ("AZURE_STORAGE_ACCOUNT_NAME", "somebody"),
            (
                "AZURE_STORAGE_SAS_KEY",
                &format!("sv=2018-11-09&sig={SECRET}"),
            ),
        ];
        let mut program = Program::ready("az://cache/a", &variables);
        let told = program.ask(json!({"verb": "remove", "name": "objects/ab/c"}));
        match kind {
            None => assert_eq!(told, json!({"done": true}), "{part}"),
            Some(kind) => {
                assert_eq!(failed(&told).0, kind, "{part}: {told}");
                assert!(failed(&told).1.contains(&part[..3]), "{part}: {told}");
            }
        }
    }
}
