//! Which edit of a source changes which digest: the promise behind "restyling never retrains".

#[path = "../build/code.rs"]
#[allow(dead_code, reason = "the build script uses the rest")]
mod code;

use std::collections::BTreeMap;
use std::path::Path;

const LOCK: &str = r#"
[[package]]
name = "libm"
version = "0.2.16"

[[package]]
name = "rand-x"
version = "1.0.0"
dependencies = [
 "libm",
]
"#;

fn example() -> BTreeMap<String, String> {
    let files = [
        ("math/sum.rs", "pub fn sum() -> f64 { libm::exp(1.0) }"),
        (
            "icl/train.rs",
            "use crate::math::{sum::sum};\n/// Trains.\npub fn train() -> f64 { sum() }",
        ),
        ("report/draw.rs", "pub fn draw() {}"),
        (
            "stages/train.rs",
            "use crate::pipeline::kind; fn run() { crate::icl::train::train(); }",
        ),
        (
            "stages/figure.rs",
            "use crate::report::draw; use rand_x::X;",
        ),
        ("pipeline/kind.rs", "use crate::pipeline::key;"),
        ("pipeline/key.rs", ""),
    ];
    files
        .iter()
        .map(|(n, t)| (n.to_string(), t.to_string()))
        .collect()
}

fn reach(texts: &BTreeMap<String, String>, lock: &str, file: &str) -> Vec<(String, String)> {
    code::Code::link(texts, lock).expect("it links").reach(file)
}

fn edited(file: &str, text: &str) -> BTreeMap<String, String> {
    let mut texts = example();
    texts.insert(file.to_owned(), text.to_owned());
    texts
}

#[test]
fn a_stage_reaches_what_it_names_and_what_that_names_but_no_engine() {
    let names = |file: &str| -> Vec<String> {
        reach(&example(), LOCK, file)
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    };
    assert_eq!(
        names("stages/train.rs"),
        [
            "icl/train.rs",
            "math/sum.rs",
            "stages/train.rs",
            "crate libm"
        ]
    );
    assert_eq!(
        names("stages/figure.rs"),
        ["report/draw.rs", "stages/figure.rs", "crate rand_x"]
    );
}

#[test]
fn an_edit_changes_exactly_the_stages_that_can_feel_it() {
    let cases = [
        (
            "math/sum.rs",
            "pub fn sum() -> f64 { libm::exp(2.0) }",
            true,
            false,
        ),
        (
            "report/draw.rs",
            "pub fn draw() { let _ = 1; }",
            false,
            true,
        ),
        ("pipeline/key.rs", "pub fn other() {}", false, false),
        // Comments, documentation, layout and tests do not count.
        (
            "icl/train.rs",
            "//! About.\nuse crate::math::{sum::sum}; // why\n/// Other words.\npub fn train() -> f64 {\n    sum() /* so */ }\n#[cfg(test)]\nmod tests { use crate::report::draw; }",
            false,
            false,
        ),
    ];
    for (file, text, train, figure) in cases {
        let texts = edited(file, text);
        for (stage, expected) in [("stages/train.rs", train), ("stages/figure.rs", figure)] {
            let changed = reach(&texts, LOCK, stage) != reach(&example(), LOCK, stage);
            assert_eq!(changed, expected, "{stage} after an edit of {file}");
        }
    }
}

#[test]
fn a_new_version_below_a_dependency_counts() {
    let newer = LOCK.replace("0.2.16", "0.2.17");
    let figure = "stages/figure.rs";
    assert_ne!(
        reach(&example(), LOCK, figure),
        reach(&example(), &newer, figure)
    );
}

#[test]
fn what_would_hide_a_dependency_is_refused() {
    let refused = [
        (
            "icl/train.rs",
            "impl crate::math::sum::Other { fn f() {} }",
            "`impl",
        ),
        (
            "icl/train.rs",
            "const T: &str = include_str!(\"x\");",
            "include_str!",
        ),
        (
            "icl/train.rs",
            "fn f() { crate::nowhere(); } }",
            "src/icl/train.rs",
        ),
    ];
    for (file, text, word) in refused {
        let error = code::Code::link(&edited(file, text), LOCK)
            .err()
            .expect(text);
        assert!(error.contains(word), "{error}");
    }
    let mut folder = example();
    folder.insert("icl/mod.rs".into(), "pub mod train;".into());
    folder.insert(
        "stages/train.rs".into(),
        "use crate::icl; fn f() { icl::train::train(); }".into(),
    );
    let error = code::Code::link(&folder, LOCK)
        .err()
        .expect("a folder is named");
    assert!(error.contains("names a folder"), "{error}");
    // Inside macros and types the word stands for something else.
    for text in [
        "fn f(x: impl Copy) {}",
        "macro_rules! m { ($t:ty) => { impl Copy for $t {} } }",
    ] {
        code::Code::link(&edited("icl/train.rs", text), LOCK).expect(text);
    }
}

#[test]
fn the_real_trainer_feels_the_optimiser_and_not_the_plots() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let code = code::Code::read(&root.join("src"), &root.join("Cargo.lock")).expect("readable");
    let names = |file: &str| -> Vec<String> {
        code.reach(file).into_iter().map(|(name, _)| name).collect()
    };
    let has = |names: &[String], name: &str| names.iter().any(|n| n == name);
    for stage in ["stages/pretrain.rs", "stages/finetune.rs"] {
        let names = names(stage);
        for module in [
            "icl/optimizer.rs",
            "icl/attention.rs",
            "math/stream.rs",
            "crate libm",
        ] {
            assert!(has(&names, module), "{stage} reaches {module}: {names:?}");
        }
        let foreign = |n: &String| n.starts_with("report/") || n.starts_with("pipeline/");
        assert!(!names.iter().any(foreign), "{stage}: {names:?}");
    }
    let names = names("stages/figure.rs");
    assert!(
        has(&names, "report/draw.rs") && has(&names, "crate plotters"),
        "{names:?}"
    );
    assert!(
        !names.iter().any(|n| n.starts_with("icl/train")),
        "{names:?}"
    );
}

#[test]
fn a_dependency_without_effect_is_in_no_key() {
    let lock = format!("{LOCK}\n[[package]]\nname = \"schemars\"\nversion = \"1.0.0\"\n");
    let texts = edited(
        "stages/train.rs",
        "use schemars::JsonSchema; fn run() { crate::icl::train::train(); }",
    );
    let names: Vec<String> = reach(&texts, &lock, "stages/train.rs")
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert!(names.contains(&"crate libm".to_owned()), "{names:?}");
    assert!(!names.contains(&"crate schemars".to_owned()), "{names:?}");
}
