//! The text of `--set`: read as the type that its use has.

use crate::mended::language::{refused, resolve, told};
use crate::toy::{Ask, Repo};
use retrace::base::error::Place;
use retrace::yaml::node::Node;
use retrace::yaml::typed;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Texts that YAML takes for something else, or cuts.
const TEXTS: [&str; 32] = [
    "ZS #1",
    "#FF0000",
    "007",
    "true",
    "false",
    "ZS: all",
    "null",
    "~",
    " a",
    "a ",
    "  ",
    "",
    "1e5",
    "1.0",
    "0x10",
    ".nan",
    "{}",
    "[1",
    "{a: b}",
    "[a]",
    "\"q\"",
    "'q",
    "- a",
    "* a",
    "&a b",
    "!t x",
    "| a",
    "> a",
    "%a",
    "@a",
    "a\nb",
    "größe → 1",
];

fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let node = Node::written(Place::whole("--set a.b=…"), text);
    typed::from_node(&node).map_err(|error| told(&error))
}

#[test]
fn a_text_parameter_takes_every_text_as_it_stands() {
    let yaml = "version: 2\nvars: {few: x, names: {few: y}}\nstages:\n  \
                s: {kind: join, params: {text: \"${few}\", note: \"${names.few}\"}, outputs: {out: artifacts/s}}\n";
    for text in TEXTS {
        for path in ["s.text", "vars.few", "vars.names.few", "*.text"] {
            let set = format!("{path}={text}");
            let repo = Repo::new(yaml);
            let ask = Ask {
                sets: &[&set],
                ..Ask::default()
            };
            let params = repo.with(&ask, |context| Ok(context.pipeline.stages[0].job.params()));
            let params = params.unwrap_or_else(|error| panic!("{set}: {}", told(&error)));
            let got = match path {
                "vars.names.few" => &params["note"],
                _ => &params["text"],
            };
            assert_eq!(got, text, "{set}");
        }
    }
    let repo = Repo::new(yaml);
    let sets = ["s.text=ZS #1"];
    let ask = Ask {
        sets: &sets,
        ..Ask::default()
    };
    repo.run(&ask).expect("it runs");
    assert_eq!(repo.take_runs(), ["ZS #1"]);
}

#[test]
fn a_number_is_written_in_decimal_digits() {
    for (text, number) in [
        ("1e-3", 1e-3),
        ("0.2", 0.2),
        (".5", 0.5),
        ("-2", -2.0),
        (" 7 ", 7.0),
        ("1e5", 1e5),
        ("+1.5E+2", 150.0),
    ] {
        assert_eq!(read::<f64>(text), Ok(number), "{text}");
    }
    for text in [
        "0x10", "1_000", "010", "1,5", "x", "true", "", "null", "[1]", "1e400", "0b1", "inf",
        "1 # one", "\"1\"", "NaN", ".inf",
    ] {
        let told = read::<f64>(text).expect_err(text);
        assert!(told.contains("expected a number, not"), "{text}: {told}");
        assert!(told.starts_with("--set a.b=…: "), "{text}: {told}");
    }
}

#[test]
fn a_whole_number_may_have_an_exponent() {
    for (text, number) in [
        ("100000", 100_000),
        ("1e5", 100_000),
        ("5.0", 5),
        ("1.5e1", 15),
        ("0", 0),
    ] {
        assert_eq!(read::<u64>(text), Ok(number), "{text}");
        assert_eq!(read::<i64>(text), Ok(number as i64), "{text}");
    }
    assert_eq!(read::<u64>("18446744073709551615"), Ok(u64::MAX));
    for (text, why) in [
        ("1.5", "not the number 1.5"),
        ("1e-3", "not the number 0.001"),
        ("010", "begins with a zero"),
        ("0x10", "decimal digits"),
        ("1e30", "not the number 1e30"),
        ("-1", "of at least 0, not the number -1"),
        ("18446744073709551616", "too large"),
        ("five", "not `five`"),
        ("", "not nothing"),
    ] {
        let told = read::<u64>(text).expect_err(text);
        assert!(told.contains(why), "{text}: {told}");
        assert!(!told.contains("u64"), "{told}");
    }
    // The same in the file.
    let in_file = |text: &str| {
        let node = Node::parse("p.yaml", text).expect("YAML");
        typed::from_node::<u64>(&node).map_err(|error| told(&error))
    };
    assert_eq!(in_file("1e5"), Ok(100_000));
    assert_eq!(in_file("1.0"), Ok(1));
    let zero = in_file("010").expect_err("octal or not");
    assert!(
        zero.contains("`010`") && zero.contains("begins with a zero"),
        "{zero}"
    );
    let quoted = in_file("\"10\"").expect_err("text");
    assert!(quoted.contains("not the text `10`"), "{quoted}");
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Choice {
    KeyQuery,
    Null,
    Sgd { rate: f64 },
}

#[test]
fn other_types_are_read_as_they_are_written_in_the_file() {
    assert_eq!(read::<bool>(" true "), Ok(true));
    assert!(
        read::<bool>("yes")
            .expect_err("YAML 1.1")
            .contains("`true` or `false`, not `yes`")
    );
    assert_eq!(read::<Vec<u64>>("[1, 2]"), Ok(vec![1, 2]));
    assert_eq!(
        read::<Vec<String>>("- a\n- b"),
        Ok(vec!["a".into(), "b".into()])
    );
    let map = BTreeMap::from([("a".to_owned(), 1.5)]);
    assert_eq!(read::<BTreeMap<String, f64>>("{a: 1.5}"), Ok(map.clone()));
    assert_eq!(read::<BTreeMap<String, f64>>("a: 1.5"), Ok(map));
    assert_eq!(read::<Choice>("key-query"), Ok(Choice::KeyQuery));
    assert_eq!(read::<Choice>("null"), Ok(Choice::Null));
    assert_eq!(
        read::<Choice>("{sgd: {rate: 1}}"),
        Ok(Choice::Sgd { rate: 1.0 })
    );
    assert_eq!(read::<Option<u64>>("null"), Ok(None));
    assert_eq!(read::<Option<u64>>("5"), Ok(Some(5)));
    assert_eq!(read::<Option<String>>("ZS #1"), Ok(Some("ZS #1".into())));
    // Of an optional text the words for nothing are nothing: it could not be taken away otherwise.
    assert_eq!(read::<Option<String>>("~"), Ok(None));
    assert_eq!(read::<serde_json::Value>("20"), Ok(20.into()));
    assert_eq!(read::<serde_json::Value>("ZS #1"), Ok("ZS #1".into()));
    assert_eq!(read::<serde_json::Value>("#FF0000"), Ok("#FF0000".into()));
    for (text, why) in [
        ("[1", ""),
        ("5", "expected a list, not the number 5"),
        ("a", "the text `a`"),
    ] {
        let told = read::<Vec<u64>>(text).expect_err(text);
        assert!(
            told.contains(why) && told.starts_with("--set a.b=…: "),
            "{text}: {told}"
        );
    }
    for (text, why) in [
        ("key-qurey", "did you mean `key-query`?"),
        ("sgd", "needs settings"),
        ("[a]", ""),
    ] {
        let told = read::<Choice>(text).expect_err(text);
        assert!(told.contains(why), "{text}: {told}");
    }
}

#[test]
fn lists_are_as_long_as_their_type() {
    assert_eq!(read::<[f64; 2]>("[1, 2]"), Ok([1.0, 2.0]));
    for text in ["[1, 2, 3]", "[1]", "[]", "5", "{a: 1}"] {
        let told = read::<[f64; 2]>(text).expect_err(text);
        assert!(told.contains("expected"), "{text}: {told}");
    }
    // Parameters by position are a mistake.
    let yaml = "version: 2\nstages:\n  s: {kind: join, params: [t], outputs: {out: artifacts/s}}\n";
    assert!(told(&refused(yaml, &Ask::default())).contains("expected a mapping, not a list"));
}

#[test]
fn one_variable_is_read_at_each_use_as_that_use_wants_it() {
    let yaml = "version: 2\nvars: {x: 3, y: {z: 4}}\nstages:\n  \
                s: {kind: tasks, params: {d: \"${x}\", noise_var: \"${x}\", pairs: \"${y.z}\", seed: 0}, \
                outputs: {task: \"artifacts/${x}/t\", data_set: \"artifacts/${x}/d\"}}\n";
    let with = |sets: &[&str]| resolve(yaml, sets).map_err(|error| told(&error));
    let pipeline = with(&["vars.x=7", "vars.y={z: 1e2}"]).expect("it resolves");
    let stage = &pipeline.stages[0];
    let params = stage.job.params();
    assert_eq!((&params["d"], &params["pairs"]), (&7.into(), &100.into()));
    assert_eq!(params["noise_var"].as_f64(), Some(7.0));
    assert!(stage.outputs[0].1.ends_with("7/t"));
    let told = |sets: &[&str]| with(sets).err().expect("refused");
    assert!(told(&["vars.x=007"]).contains("begins with a zero"));
    assert!(told(&["vars.x=ZS #1"]).contains("not `ZS #1`"));
    assert!(told(&["vars.y=4"]).contains("`${y.z}` names nothing"));
    assert!(told(&["vars.y={z: 1", "vars.x=1"]).contains("--set vars.y={z: 1"));
    // A reference is one in an option too.
    let pipeline = with(&["s.d=${y.z}", "vars.y.z=9"]).expect("it resolves");
    assert_eq!(pipeline.stages[0].job.params()["d"], 9);
}

#[test]
fn every_text_can_be_written_beside_references() {
    for (written, text) in [
        ("$${x}", "${x}"),
        ("a $${ b", "a ${ b"),
        ("$$${x}", "$X"),
        ("$$$${x}", "$${x}"),
        ("$$$$${x}", "$$X"),
        ("$x$ {y} $", "$x$ {y} $"),
        ("$$", "$$"),
        ("${x}", "X"),
        ("${x}${x}", "XX"),
        ("${x} costs $${x}", "X costs ${x}"),
        ("$${${x}}", "${X}"),
        ("{$}", "{$}"),
    ] {
        let yaml = format!(
            "version: 2\nvars: {{x: X, v: '{written}'}}\nstages:\n  \
             s: {{kind: join, params: {{text: '{written}', note: \"${{v}}\"}}, outputs: {{out: artifacts/s}}}}\n"
        );
        let set = format!("s.text={written}");
        for sets in [&[][..], &[set.as_str()]] {
            let ask = Ask {
                sets,
                ..Ask::default()
            };
            let params = Repo::new(&yaml).with(&ask, |c| Ok(c.pipeline.stages[0].job.params()));
            let params = params.unwrap_or_else(|error| panic!("{written}: {}", told(&error)));
            assert_eq!(params["text"], text, "{written}");
            assert_eq!(params["note"], text, "{written}");
        }
    }
    for wrong in ["${y}", "${", "${x", "${}", "$$${"] {
        let yaml = format!(
            "version: 2\nvars: {{x: X}}\nstages:\n  s: {{kind: join, params: {{text: '{wrong}'}}, outputs: {{out: artifacts/s}}}}\n"
        );
        let told = told(&refused(&yaml, &Ask::default()));
        assert!(told.contains("`$${`"), "{wrong}: {told}");
    }
}
