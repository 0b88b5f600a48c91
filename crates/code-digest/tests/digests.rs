//! Which edit of a source changes which digest: the promise behind "restyling never retrains".

use code_digest::{Code, Workspace};
use std::collections::BTreeMap;

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

[[package]]
name = "schemars"
version = "1.0.0"

[[package]]
name = "science"
version = "0.1.0"
dependencies = [
 "libm",
]
"#;

/// A program, a crate of science, a crate of drawing with a façade, and an engine.
fn example() -> Workspace {
    let files = [
        ("src/main.rs", "mod code; mod kinds; fn main() {}"),
        (
            "src/code.rs",
            "include!(concat!(env!(\"OUT_DIR\"), \"/code.rs\"));",
        ),
        (
            "src/kinds/train.rs",
            "use engine::stage::kind::Io;\nuse science::fit::descend;\npub const SOURCE: &str = file!();\nfn run(io: &Io) { descend(io.n()); }",
        ),
        (
            "src/kinds/figure.rs",
            "use drawing::Line; use rand_x::X; use schemars::JsonSchema;\npub const SOURCE: &str = file!();\nfn run() { Line::draw(); }",
        ),
        ("crates/science/src/lib.rs", "pub mod fit; pub mod sum;"),
        (
            "crates/science/src/fit.rs",
            "use crate::sum::{add, Total};\n/// Descends.\npub fn descend(n: u64) -> f64 { add(n) + Total::of(n) }",
        ),
        (
            "crates/science/src/sum.rs",
            "pub struct Total; impl Total { pub fn of(n: u64) -> f64 { libm::exp(n as f64) } }\npub fn add(n: u64) -> f64 { n as f64 }",
        ),
        (
            "crates/drawing/src/lib.rs",
            "mod axes; mod line; pub use axes::Axis; pub use line::Line;",
        ),
        ("crates/drawing/src/axes.rs", "pub struct Axis;"),
        (
            "crates/drawing/src/line.rs",
            "pub struct Line; impl Line { pub fn draw() {} }",
        ),
        ("crates/engine/src/lib.rs", "pub mod stage;"),
        ("crates/engine/src/stage/mod.rs", "pub mod kind;"),
        (
            "crates/engine/src/stage/kind.rs",
            "pub struct Io; impl Io { pub fn n(&self) -> u64 { 1 } }",
        ),
    ];
    let packages = [
        ("program", "src"),
        ("science", "crates/science/src"),
        ("drawing", "crates/drawing/src"),
        ("engine", "crates/engine/src"),
    ];
    let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    Workspace {
        packages: packages.iter().map(owned).collect(),
        files: files.iter().map(owned).collect(),
        lock: LOCK.to_owned(),
        renamed: BTreeMap::new(),
    }
}

const TRAIN: &str = "src/kinds/train.rs";
const FIGURE: &str = "src/kinds/figure.rs";
const FIT: &str = "crates/science/src/fit.rs";
const SUM: &str = "crates/science/src/sum.rs";

fn link(workspace: &Workspace) -> Code {
    Code::link(workspace, &["engine", "schemars"]).expect("it links")
}

fn digest(workspace: &Workspace, file: &str) -> String {
    link(workspace).digest(file).expect("nothing is hidden")
}

fn edited(edits: &[(&str, &str)]) -> Workspace {
    let mut workspace = example();
    for (file, text) in edits {
        workspace
            .files
            .insert((*file).to_owned(), (*text).to_owned());
    }
    workspace
}

/// The example with a file elsewhere and words replaced in all others.
fn moved(from: &str, to: &str, words: &[(&str, &str)]) -> Workspace {
    let mut workspace = example();
    let text = workspace.files.remove(from).expect("it is there");
    workspace.files.insert(to.to_owned(), text);
    for text in workspace.files.values_mut() {
        for (old, new) in words {
            *text = text.replace(old, new);
        }
    }
    workspace
}

fn reached(workspace: &Workspace, file: &str) -> Vec<String> {
    let reach = link(workspace).reach(file);
    reach.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn a_file_reaches_what_it_names_across_crates_but_no_engine() {
    assert_eq!(reached(&example(), TRAIN), [FIT, SUM, TRAIN, "crate libm"]);
    // What a crate passes on is looked for where it stands: no other part of that crate counts.
    assert_eq!(
        reached(&example(), FIGURE),
        ["crates/drawing/src/line.rs", FIGURE, "crate rand_x"]
    );
    let code = link(&example());
    let roots: Vec<&str> = code.roots().collect();
    assert_eq!(roots, [FIGURE, TRAIN]);
}

#[test]
fn an_edit_changes_exactly_what_can_feel_it() {
    let cases: [(&str, &str, bool, bool); 8] = [
        (
            SUM,
            "pub struct Total; impl Total { pub fn of(n: u64) -> f64 { libm::exp(n as f64) } }\npub fn add(n: u64) -> f64 { 1.0 + n as f64 }",
            true,
            false,
        ),
        (
            "crates/drawing/src/line.rs",
            "pub struct Line; impl Line { pub fn draw() { let _ = 1; } }",
            false,
            true,
        ),
        (
            "crates/drawing/src/axes.rs",
            "pub struct Axis(u8);",
            false,
            false,
        ),
        (
            "crates/engine/src/stage/kind.rs",
            "pub struct Io; impl Io { pub fn n(&self) -> u64 { 2 } }",
            false,
            false,
        ),
        // Comments, documentation, layout, tests, last commas and the order of imports do not count.
        (
            FIT,
            "//! About.\nuse crate::sum::{\n    Total, add,\n}; // why\n/// Other words.\npub fn descend(\n    n: u64,\n) -> f64 {\n    add(n) /* so */ + Total::of(n,) }\n#[cfg(test)]\nmod tests { use drawing::Line; }",
            false,
            false,
        ),
        (
            FIT,
            "pub fn descend(n: u64) -> f64 { crate::sum::add(n) + crate::sum::Total::of(n) + 1.0 }",
            true,
            false,
        ),
        // A tuple of one is no value in parentheses.
        (
            FIT,
            "use crate::sum::{add, Total};\npub fn descend(n: u64) -> f64 { add(n) + Total::of(n) + (n,).0 as f64 }",
            true,
            false,
        ),
        ("src/code.rs", "fn anything() {}", false, false),
    ];
    for (file, text, train, figure) in cases {
        let workspace = edited(&[(file, text)]);
        for (root, expected) in [(TRAIN, train), (FIGURE, figure)] {
            let changed = digest(&workspace, root) != digest(&example(), root);
            assert_eq!(changed, expected, "{root} after an edit of {file}: {text}");
        }
    }
}

/// In which crate a generic function is made changes no result; whether another function is inlined may be why it is written so.
#[test]
fn where_a_generic_function_is_made_does_not_count() {
    let cases = [
        (
            "pub fn of<T>(x: T) {}",
            "#[inline(never)] pub fn of<T>(x: T) {}",
            false,
        ),
        (
            "/// Does.\n#[must_use] pub(crate) const unsafe fn of<T>(x: T) {}",
            "#[inline(never)]\n/// Does.\n#[must_use] pub(crate) const unsafe fn of<T>(x: T) {}",
            false,
        ),
        (
            "impl<T: Copy> Total<T> { fn of(x: T) {} }",
            "impl<T: Copy> Total<T> { #[inline(never)] fn of(x: T) {} }",
            false,
        ),
        (
            "pub fn of(x: u8) {}",
            "#[inline(never)] pub fn of(x: u8) {}",
            true,
        ),
        (
            "impl Total { fn of(x: u8) {} }",
            "impl Total { #[inline(never)] fn of(x: u8) {} }",
            true,
        ),
        (
            "impl<T> A<T> { fn a() {} } impl Total { fn of(x: u8) {} }",
            "impl<T> A<T> { fn a() {} } impl Total { #[inline(never)] fn of(x: u8) {} }",
            true,
        ),
        (
            "fn a() -> impl Iterator<Item = u8> { fn of() {} }",
            "fn a() -> impl Iterator<Item = u8> { #[inline(never)] fn of() {} }",
            true,
        ),
        (
            "pub fn of<T>(x: T) {}",
            "#[inline(always)] pub fn of<T>(x: T) {}",
            true,
        ),
    ];
    for (text, marked, changes) in cases {
        let [before, after] = [text, marked].map(|text| {
            let text = format!("pub struct Total<T>; pub struct A<T>; {text}");
            digest(&edited(&[(SUM, &text)]), TRAIN)
        });
        assert_eq!(before != after, changes, "{text}");
    }
}

#[test]
fn a_file_that_moves_keeps_every_digest() {
    let cases = [
        moved(
            SUM,
            "crates/science/src/zeta/total.rs",
            &[("crate::sum::", "crate::zeta::total::")],
        ),
        moved(
            FIT,
            "crates/science/src/train/descent.rs",
            &[("science::fit::", "science::train::descent::")],
        ),
        moved(
            "crates/engine/src/stage/kind.rs",
            "crates/engine/src/kind.rs",
            &[("engine::stage::kind::", "engine::kind::")],
        ),
        moved(
            "crates/drawing/src/line.rs",
            "crates/drawing/src/marks/line.rs",
            &[("pub use line::", "pub use marks::line::")],
        ),
        // Behind a module's name in the code, too, and into another crate.
        moved(
            SUM,
            "crates/drawing/src/sum.rs",
            &[("crate::sum::", "drawing::sum::")],
        ),
    ];
    for workspace in cases {
        for root in [TRAIN, FIGURE] {
            assert_eq!(
                digest(&workspace, root),
                digest(&example(), root),
                "{:?}",
                workspace.files.keys()
            );
        }
    }
    let before = edited(&[(
        FIT,
        "use crate::sum;\npub fn descend(n: u64) -> f64 { sum::add(n) }",
    )]);
    let mut after = moved(SUM, "crates/science/src/adding.rs", &[]);
    after.files.insert(
        FIT.into(),
        "use crate::adding;\npub fn descend(n: u64) -> f64 { adding::add(n) }".into(),
    );
    assert_eq!(digest(&before, TRAIN), digest(&after, TRAIN));
    // The kind itself may go elsewhere: then its own digest is asked for under the new name.
    let workspace = moved(TRAIN, "src/kinds/train/descent.rs", &[]);
    assert_eq!(
        digest(&workspace, "src/kinds/train/descent.rs"),
        digest(&example(), TRAIN)
    );
}

#[test]
fn two_files_that_swap_their_contents_change_it() {
    let two = |a: &str, b: &str| {
        edited(&[
            (
                FIT,
                "pub fn descend(n: u64) -> f64 { crate::a::f(n) - crate::b::f(n) }",
            ),
            ("crates/science/src/a.rs", a),
            ("crates/science/src/b.rs", b),
        ])
    };
    let (one, other) = (
        "pub fn f(n: u64) -> f64 { 1.0 }",
        "pub fn f(n: u64) -> f64 { 2.0 }",
    );
    assert_ne!(
        digest(&two(one, other), TRAIN),
        digest(&two(other, one), TRAIN)
    );
    assert_eq!(
        digest(&two(one, other), TRAIN),
        digest(&two(one, other), TRAIN)
    );
}

#[test]
fn files_that_name_each_other_are_told_apart_by_role() {
    let ring = |even: &str, odd: &str, start: &str| {
        edited(&[
            (
                FIT,
                &format!("pub fn descend(n: u64) -> f64 {{ crate::{start}::f(n) }}"),
            ),
            ("crates/science/src/even.rs", even),
            ("crates/science/src/odd.rs", odd),
        ])
    };
    let even = "pub fn f(n: u64) -> f64 { if n == 0 { 1.0 } else { crate::odd::f(n - 1) } }";
    let odd = "pub fn f(n: u64) -> f64 { if n == 0 { 0.0 } else { crate::even::f(n - 1) } }";
    let from_even = digest(&ring(even, odd, "even"), TRAIN);
    assert_ne!(from_even, digest(&ring(even, odd, "odd"), TRAIN));
    // Two that swap their names and are named the other way round are what they were.
    let swapped = ring(
        &odd.replace("even", "odd"),
        &even.replace("odd", "even"),
        "odd",
    );
    assert_eq!(from_even, digest(&swapped, TRAIN));
    let other = odd.replace("0.0", "0.5");
    assert_ne!(
        from_even,
        digest(&ring(even, &other, "even"), TRAIN),
        "an edit within the cycle"
    );
}

#[test]
fn a_new_version_below_a_dependency_counts() {
    let mut newer = example();
    newer.lock = LOCK.replace("0.2.16", "0.2.17");
    assert_ne!(digest(&example(), TRAIN), digest(&newer, TRAIN));
    assert_ne!(
        digest(&example(), FIGURE),
        digest(&newer, FIGURE),
        "through rand-x"
    );
    newer.lock = LOCK.replace(
        "name = \"schemars\"\nversion = \"1.0.0\"",
        "name = \"schemars\"\nversion = \"1.0.1\"",
    );
    assert_eq!(
        digest(&example(), FIGURE),
        digest(&newer, FIGURE),
        "it has no effect"
    );
    newer.lock = LOCK.replace("version = \"0.1.0\"", "version = \"0.2.0\"");
    assert_eq!(
        digest(&example(), TRAIN),
        digest(&newer, TRAIN),
        "a crate of ours counts by content"
    );
}

/// The lock names a version where there are several.
#[test]
fn a_second_version_counts_for_those_that_use_it() {
    let first = example();
    let mut both = example();
    let lock = LOCK.replace("\"libm\",", "\"libm 0.2.16\",");
    both.lock = format!("{lock}\n[[package]]\nname = \"libm\"\nversion = \"0.1.0\"\n");
    for root in [TRAIN, FIGURE] {
        assert_eq!(
            digest(&first, root),
            digest(&both, root),
            "{root}: nobody uses it"
        );
    }
    let below = "name = \"rand-x\"\nversion = \"1.0.0\"\ndependencies = [\n \"libm 0.2.16\"";
    both.lock = both.lock.replace(below, &below.replace("0.2.16", "0.1.0"));
    assert_ne!(
        digest(&first, FIGURE),
        digest(&both, FIGURE),
        "through rand-x"
    );
    assert_eq!(
        digest(&first, TRAIN),
        digest(&both, TRAIN),
        "it names libm 0.2.16"
    );
}

#[test]
fn a_dependency_under_another_name_is_found() {
    let mut workspace = edited(&[(FIT, "pub fn descend(n: u64) -> f64 { random::x(n) }")]);
    workspace.renamed.insert("random".into(), "rand-x".into());
    assert!(reached(&workspace, TRAIN).contains(&"crate random".to_owned()));
}

#[test]
fn what_would_hide_a_dependency_is_refused_where_it_is_reached() {
    let refused = [
        ("impl crate::sum::Total { fn f() {} }", "`impl"),
        ("const T: &str = include_str!(\"x\");", "include_str!"),
        (
            "#[macro_export] macro_rules! m { () => {} }",
            "macro_export",
        ),
    ];
    for (text, word) in refused {
        let code = link(&edited(&[(FIT, text)]));
        let error = code.digest(TRAIN).expect_err(text);
        assert!(error.starts_with(FIT) && error.contains(word), "{error}");
        code.digest(FIGURE).expect("it does not go there");
    }
    let broken = [
        "fn f() { crate::nowhere(); } }",
        "#[path = \"elsewhere.rs\"] mod sum;",
    ];
    for text in broken {
        let error = Code::link(&edited(&[(FIT, text)]), &[]).err().expect(text);
        assert!(error.starts_with(FIT), "{error}");
    }
    // Inside macros and types the word stands for something else.
    for text in [
        "fn f(x: impl Copy) {}",
        "macro_rules! m { ($t:ty) => { impl Copy for $t {} } }",
    ] {
        digest(&edited(&[(FIT, text)]), TRAIN);
    }
}

#[test]
fn globs_parents_and_nested_modules_lead_to_their_files() {
    let workspace = edited(&[
        (
            FIT,
            "use crate::inner::*; pub fn descend(n: u64) -> f64 { leaf::f(n) }",
        ),
        ("crates/science/src/inner/mod.rs", "pub mod leaf;"),
        (
            "crates/science/src/inner/leaf.rs",
            "pub fn f(n: u64) -> f64 { super::super::sum::add(n) }",
        ),
    ]);
    let names = reached(&workspace, TRAIN);
    for file in ["crates/science/src/inner/leaf.rs", SUM] {
        assert!(names.contains(&file.to_owned()), "{names:?}");
    }
}

#[test]
fn a_program_is_made_of_the_packages_that_it_depends_on() {
    let program = "\n[[package]]\nname = \"program\"\nversion = \"0.1.0\"\ndependencies = [\n \"science\",\n]\n";
    let made_of = |file: &str| {
        let mut workspace = edited(&[(file, "fn other() {}")]);
        workspace.lock += program;
        let needed = workspace.needed_by("program").expect("a lock");
        (link(&needed).program(), needed.files)
    };
    let (before, files) = made_of("src/unused.rs");
    assert!(files.contains_key(FIT) && files.contains_key(TRAIN));
    assert!(!files.keys().any(|file| file.starts_with("crates/drawing/")));
    let (after, _) = made_of("crates/drawing/src/axes.rs");
    let (without, _) = made_of("crates/drawing/src/line.rs");
    assert_eq!(after, without, "what is not needed");
    let (other, _) = made_of(FIT);
    assert_ne!(other, before, "what is needed");
}
