//! Messages about pipeline.yaml speak of pipelines, not of the libraries that read it.

use crate::mended::language::{refused, told};
use crate::toy::Ask;
use crate::yaml::{attacks, open};
use icl_repro::registry;
use retrace::yaml::node::Node;

/// Words of serde, serde-saphyr and Rust that nobody who writes YAML knows.
const FOREIGN: [&str; 36] = [
    "Policy",
    "Options",
    "Option<",
    "String>",
    "serde",
    "saphyr",
    "granit",
    "struct",
    "enum ",
    "variant",
    "u64",
    "u32",
    "usize",
    "i64",
    "i128",
    "f64",
    "&str",
    "borrow",
    "deserialize",
    "visitor",
    "seed",
    "untagged",
    "newtype",
    "tuple",
    "unit",
    "budget",
    "Budget",
    "breach",
    "Nodes {",
    "Depth {",
    "{ ",
    "utf-8",
    "replay",
    "weak",
    "scalar into",
    "null into",
];

fn check(name: &str, message: &str) {
    // What the message quotes is the user's.
    let own: String = message.split('`').step_by(2).collect();
    // Names of parameters may be listed.
    let own = own.split(" | known:").next().unwrap_or_default();
    for word in FOREIGN.iter().filter(|word| **word != "seed") {
        assert!(!own.contains(word), "{name}: `{word}` in: {message}");
    }
}

#[test]
fn hostile_documents_are_answered_in_our_words() {
    let mut refused = 0;
    for (name, bytes) in attacks() {
        // Long ones say nothing that short ones do not, and take long.
        if bytes.len() > 300_000 || name.starts_with("a matrix of") || name.contains("fan") {
            continue;
        }
        if let Err(message) = open(&bytes, &[], &registry::kinds()) {
            refused += 1;
            check(&name, &message);
        }
    }
    assert!(refused > 150, "{refused}");
}

#[test]
fn faults_of_the_document_are_named() {
    for (text, message) in [
        ("a: 1\na: 2\n", "p:2:1: the key `a` is a duplicate"),
        ("{a: 1, a: 2}", "the key `a` is a duplicate"),
        ("~: 1\n", "a key must be text, not nothing"),
        ("? [a, b]\n: 1\n", "a key must be one text"),
        ("? {a: 1}\n: 1\n", "a key must be one text"),
        ("a: *b\n", "there is no anchor"),
        ("a: &a [*a]\n", "alias"),
        ("a: !!int x\n", "not what its tag says"),
        ("a: !!float x\n", "not what its tag says"),
        ("a: !!bool 7\n", "not what its tag says"),
        ("a: !!binary \"#\"\n", "`!!binary` marks is no text"),
        ("a: \"\\x\"\n", ""),
        ("a: \"\\u12\"\n", ""),
        ("a:\n\t- b\n", ""),
        ("a: [1, 2\n", ""),
        ("a: {b: 1\n", ""),
        ("a: 'x\n", ""),
        ("a: b: c\n", ""),
        ("- a\nb: c\n", ""),
        ("a: @x\n", ""),
        ("a: `x`\n", ""),
        ("a: %x\n", ""),
        ("---\na: 1\n---\nb: 1\n", "second document"),
        ("<<: 1\n", "`<<` takes a mapping"),
        ("%YAML 9.9\n---\na\n", ""),
        ("a: |9\n", ""),
        ("\u{0}", ""),
    ] {
        match Node::parse("p", text) {
            Ok(node) => assert!(message.is_empty(), "{text}: {node:?}"),
            Err(error) => {
                let told = told(&error);
                assert!(told.contains(message), "{text:?}: {told}");
                assert!(told.starts_with("p:"), "{text:?}: {told}");
                check(text, &told);
            }
        }
    }
    let deep = "[".repeat(100) + &"]".repeat(100);
    assert!(told(&Node::parse("p", &deep).expect_err("deep")).contains("nest deeper than 40"));
    let many = format!("[{}]", "1, ".repeat(250_000));
    assert!(told(&Node::parse("p", &many).expect_err("many")).contains("more than 200000 values"));
}

#[test]
fn faults_of_values_are_named() {
    let tasks = "version: 2\nstages:\n  s:\n    kind: tasks\n    params: {d: 5, noise_var: 0.1, pairs: 10, seed: 0}\n    \
                 outputs: {task: artifacts/t, data_set: artifacts/d}\n";
    for (right, wrong, message) in [
        (
            "d: 5",
            "d: -5",
            "expected a whole number of at least 0, not the number -5",
        ),
        ("d: 5", "d: 5.5", "not the number 5.5"),
        ("d: 5", "d: x", "not the text `x`"),
        ("d: 5", "d: [5]", "not a list"),
        ("d: 5", "d: {x: 5}", "not a mapping"),
        ("d: 5", "d: null", "not nothing"),
        ("d: 5", "d: true", "not `true`"),
        ("d: 5", "d: 99999999999999999999999", "the number"),
        ("d: 5", "d: 0x7fffffffffffffffffff", ""),
        ("d: 5", "d: 1e400", ""),
        ("d: 5", "d: .nan", ""),
        ("noise_var: 0.1", "noise_var: -1", "at least 0"),
        ("noise_var: 0.1", "noise_var: abc", "expected a number"),
        ("noise_var: 0.1, ", "", "the key `noise_var` is missing"),
        (
            "{d: 5, noise_var: 0.1, pairs: 10, seed: 0}",
            "[5, 0.1, 10, 0]",
            "expected a mapping, not a list",
        ),
        (
            "{d: 5, noise_var: 0.1, pairs: 10, seed: 0}",
            "5",
            "expected a mapping",
        ),
    ] {
        assert!(tasks.contains(right), "{right}");
        let yaml = tasks.replace(right, wrong);
        let told = open(yaml.as_bytes(), &[], &registry::kinds()).expect_err(wrong);
        assert!(told.contains(message), "{wrong}: {told}");
        assert!(told.starts_with("pipeline.yaml:"), "{wrong}: {told}");
        check(wrong, &told);
    }
    for (text, message) in [
        ("7", "expected text, not the number 7 | write it in quotes"),
        ("true", "expected text, not `true` | write it in quotes"),
        ("null", "expected text, not nothing"),
        ("[a]", "expected text, not a list"),
    ] {
        let yaml = format!(
            "version: 2\nstages:\n  s: {{kind: join, params: {{text: {text}}}, outputs: {{out: artifacts/s}}}}\n"
        );
        let told = told(&refused(&yaml, &Ask::default()));
        assert!(told.contains(message), "{text}: {told}");
        check(text, &told);
    }
    // What looks like a number and is none in YAML 1.2 is the text that was written.
    for text in ["007", "1_000"] {
        let yaml = format!(
            "version: 2\nstages:\n  s: {{kind: join, params: {{text: {text}}}, outputs: {{out: artifacts/s}}}}\n"
        );
        let repo = crate::toy::Repo::new(&yaml);
        repo.run(&Ask::default()).expect("it runs");
        assert_eq!(repo.take_runs(), [text]);
    }
}
