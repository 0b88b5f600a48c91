//! Items of a matrix: whatever one is, it can be addressed and run, or is refused where it stands.

use crate::mended::language::{join, refused, resolve, stages, told};
use crate::toy::{Ask, Repo};

fn matrix(items: &str) -> String {
    format!(
        "version: 2\nstages:\n  s: {{kind: join, matrix: {{i: {items}}}, params: {{text: \"x${{i}}\"}}, \
         outputs: {{out: \"artifacts/x${{i}}\"}}}}\n"
    )
}

/// Items as they are written, and what the stage is called.
const ITEMS: &[(&str, &str)] = &[
    ("1", "1"),
    ("1.0", "1"),
    ("-1", "-1"),
    ("0.5", "0.5"),
    ("1e-3", "0.001"),
    ("1e-7", "1e-7"),
    ("1e300", "1e300"),
    ("1e5", "100000"),
    ("123456789012345678", "123456789012345678"),
    ("007", "007"),
    ("1_000", "1_000"),
    ("0x10", "16"),
    ("\"1.5.2\"", "1.5.2"),
    ("true", "true"),
    ("a.b", "a.b"),
    ("zs_v", "zs_v"),
    ("-x", "-x"),
    ("\"null\"", "null"),
];

#[test]
fn every_item_can_be_set_profiled_targeted_and_run() {
    let long = "l".repeat(100);
    let items = ITEMS
        .iter()
        .copied()
        .chain([(long.as_str(), long.as_str())]);
    for (written, label) in items {
        let id = format!("s@{label}");
        // Beside items whose ids begin alike.
        let yaml = matrix(&format!("[zz, 0, {written}]"))
            .replace("text: \"x${i}\"", "text: t, note: \"x${i}\"")
            + &format!("profiles: {{p: {{\"{id}.text\": profiled}}}}\ngroups: {{g: [\"{id}\"]}}\n");
        let set = format!("{id}.text=set");
        for (sets, profile, text) in [
            (&[][..], None, "t"),
            (&[set.as_str()][..], None, "set"),
            (&[][..], Some("p"), "profiled"),
        ] {
            let repo = Repo::new(&yaml);
            for target in [id.as_str(), "g"] {
                let ask = Ask {
                    targets: &[target],
                    sets,
                    profile,
                    force: true,
                    ..Ask::default()
                };
                let summary = repo
                    .run(&ask)
                    .unwrap_or_else(|e| panic!("{written}: {}", told(&e)));
                assert_eq!(summary.ran, 1, "{written}");
                assert_eq!(repo.take_runs(), [text], "{written}");
            }
        }
    }
}

#[test]
fn a_number_is_addressed_in_whichever_way_it_is_written() {
    let yaml = matrix("[1e-3, 2.0]")
        + &join("a", ", inputs: {parts: s@1e-3.out}")
        + &join("b", ", inputs: {parts: \"s@0.0010.out\"}")
        + &join("c", ", inputs: {parts: \"s@2.0.out\"}");
    let repo = Repo::new(&yaml);
    assert_eq!(repo.run(&Ask::default()).expect("it runs").ran, 5);
    assert_eq!(repo.read("artifacts/c"), "c(x2())");
    repo.take_runs();
    for (target, text) in [
        ("s@1e-3", "x0.001"),
        ("s@0.001", "x0.001"),
        ("s@2", "x2"),
        ("s@2.0", "x2"),
        ("s@*2", "x2"),
    ] {
        let set = format!("{target}.note=x");
        for sets in [&[][..], &[set.as_str()]] {
            let ask = Ask {
                targets: &[target],
                force: true,
                sets,
                ..Ask::default()
            };
            repo.run(&ask).expect("it runs");
            assert_eq!(repo.take_runs(), [text], "{target}");
        }
    }
}

#[test]
fn what_cannot_be_an_item_is_refused_where_it_stands() {
    for (item, why) in [
        ("\"a,b\"", "holds `,`"),
        ("\"x@y\"", "holds `@`"),
        ("\"a b\"", "holds ` `"),
        ("\"*\"", "holds `*`"),
        ("\"..\"", "begins with `.`"),
        ("\".hidden\"", "begins with `.`"),
        ("\"\"", "is empty"),
        ("\"a:b\"", "holds `:`"),
        ("\"a/b\"", "holds `/`"),
        ("größe", "holds `ö`"),
        ("\"a\\nb\"", "holds `\\n`"),
        ("\"\\0\"", "holds `"),
        ("null", "not nothing"),
        ("[a]", "not a list"),
    ] {
        let told = told(&refused(&matrix(&format!("[a, {item}]")), &Ask::default()));
        assert!(told.contains(why), "{item}: {told}");
        assert!(told.starts_with("pipeline.yaml:3:"), "{item}: {told}");
    }
    let long = "l".repeat(101);
    let told_long = told(&refused(&matrix(&format!("[{long}]")), &Ask::default()));
    assert!(
        told_long.contains("101 characters, more than 100"),
        "{told_long}"
    );
    // Any other value gets a name.
    let repo =
        Repo::new(&matrix("{odd: \"a, b: * @ größe\"}").replace("artifacts/x${i}", "artifacts/x"));
    repo.run(&Ask {
        targets: &["s@odd"],
        ..Ask::default()
    })
    .expect("it runs");
    assert_eq!(repo.take_runs(), ["xa, b: * @ größe"]);
    for (name, why) in [
        ("vars", "is a variable"),
        ("-j", "begins with `-`"),
        ("a.b", "holds `.`"),
    ] {
        let told = told(&refused(&stages(&[join(name, "")]), &Ask::default()));
        assert!(told.contains(why), "{name}: {told}");
    }
}

#[test]
fn items_are_told_apart_by_what_they_become() {
    for (items, why) in [
        ("[1, 1.0]", "item `1` stands twice"),
        ("[1, \"1\"]", "item `1` stands twice"),
        ("[0.001, 1e-3]", "stands twice"),
        ("{1: {}, 1.0: {}}", "`1` and `1.0` are the same number"),
        ("{0.10: {}, 0.1: {}}", "the same number"),
        ("{1e3: {}, 1000: {}}", "the same number"),
        ("[a, A]", "`a` and `A` differ in nothing but case"),
        ("{zs_V: {}, zs_v: {}}", "differ in nothing but case"),
        ("[true, \"true\"]", "stands twice"),
    ] {
        let told = told(&refused(&matrix(items), &Ask::default()));
        assert!(told.contains(why), "{items}: {told}");
    }
    for (names, why) in [
        (["fig", "Fig"], "differ in nothing but case"),
        (["a-B", "A-b"], "nothing but case"),
    ] {
        let yaml = stages(&names.map(|name| join(name, "")));
        let told = told(&refused(&yaml, &Ask::default()));
        assert!(told.contains(why), "{names:?}: {told}");
    }
    for (profiles, why) in [
        ("{p: {}, P: {}}", "nothing but case"),
        ("{default: {}}", "no name for a profile"),
    ] {
        let yaml = format!("{}profiles: {profiles}\n", stages(&[join("s", "")]));
        let told = told(&refused(&yaml, &Ask::default()));
        assert!(told.contains(why), "{profiles}: {told}");
    }
    let repo = Repo::new(&matrix("[1, 007, 7, 1.5, \"1.5.0\", a]"));
    assert_eq!(repo.run(&Ask::default()).expect("it runs").ran, 6);
}

#[test]
fn outputs_are_told_apart_as_a_file_system_may() {
    let two = |a: &str, b: &str| {
        let stage = |name: &str, path: &str| {
            join(name, "").replace(&format!("artifacts/{name}"), &format!("\"{path}\""))
        };
        stages(&[stage("a", a), stage("b", b)])
    };
    for (a, b, why) in [
        ("artifacts/x", "artifacts/x", "both write artifacts/x"),
        ("artifacts/x", "artifacts//x/", "both write artifacts/x"),
        ("artifacts/x", "artifacts/X", "these are one file"),
        (
            "artifacts/\\u00e9",
            "artifacts/e\\u0301",
            "these are one file",
        ),
        (
            "artifacts/stra\\u00dfe",
            "artifacts/STRASSE",
            "these are one file",
        ),
        ("artifacts/x", "artifacts/x/y", "a folder of the other"),
        ("artifacts/x/y", "artifacts/x", "a folder of the other"),
        ("artifacts/X/y", "artifacts/x/Y", "these are one file"),
        ("artifacts/X/y", "artifacts/x", "one"),
    ] {
        let told = told(&refused(&two(a, b), &Ask::default()));
        assert!(told.contains(why), "{a} {b}: {told}");
    }
    let repo = Repo::new(&two("artifacts/x", "artifacts/x2"));
    assert_eq!(repo.run(&Ask::default()).expect("it runs").ran, 2);
}

#[test]
fn names_of_files_fit_into_a_file_system() {
    // Ids may be long: logs and scratch folders have shorter names.
    let axes: Vec<String> = (0..9)
        .map(|i| format!("a{i}: [{}{i}]", "x".repeat(60)))
        .collect();
    let yaml = stages(&[join("s", &format!(", matrix: {{{}}}", axes.join(", ")))]);
    let mut repo = Repo::new(&yaml);
    repo.hook = std::sync::Arc::new(|_, io| {
        io.log("a line");
        Ok(())
    });
    assert_eq!(repo.run(&Ask::default()).expect("it runs").failed.len(), 0);
    assert_eq!(repo.take_runs(), ["s"]);
    let logs = std::fs::read_dir(repo.path(".icl-repro/logs")).expect("logs");
    assert_eq!(logs.count(), 1);
    let output = |path: &str| stages(&[join("s", "").replace("artifacts/s", path)]);
    for path in [
        format!("artifacts/{}", "x".repeat(256)),
        format!("artifacts/{}", "é".repeat(128)),
        format!("artifacts/{}x", "d/".repeat(600)),
    ] {
        let told = told(&refused(&output(&path), &Ask::default()));
        assert!(told.contains("longer than file systems allow"), "{told}");
    }
    let repo = Repo::new(&output(&format!("artifacts/{}", "x".repeat(255))));
    assert_eq!(repo.run(&Ask::default()).expect("it runs").failed.len(), 0);
}

#[test]
fn the_longest_id_in_a_path_is_meant_and_what_could_be_two_is_refused() {
    let training = "training: {shots: 4, steps: 5, batch: 6, clip_norm: 1, seed: 0, \
                    optimizer: {sgd: {learning_rate: 0.1, momentum: 0.9}}}";
    let yaml = format!(
        "version: 2\nstages:\n  p: {{kind: pretrain, matrix: {{i: [a, a.b, a.training]}}, params: {{d: 2, \
         noise_var: 0.1, layers: 1, heads: 1, matrices: merged, init_std: 0.1, {training}}}, \
         outputs: {{model: \"artifacts/${{i}}/m\", losses: \"artifacts/${{i}}/l\"}}}}\n"
    );
    for (set, steps) in [
        ("p@a.b.training.steps=9", [5, 9, 5]),
        ("p@a.training.training.steps=9", [5, 5, 9]),
        ("p.training.steps=9", [9, 9, 9]),
        ("p@a.?.training.steps=9", [5, 9, 5]),
    ] {
        let pipeline = resolve(&yaml, &[set]).unwrap_or_else(|e| panic!("{set}: {}", told(&e)));
        let found = pipeline
            .stages
            .iter()
            .map(|s| s.job.params()["training"]["steps"].as_u64());
        let found: Vec<u64> = found.map(|steps| steps.expect("a number")).collect();
        assert_eq!(found, steps, "{set}");
    }
    let two = resolve(&yaml, &["p@a.training.steps=9"])
        .err()
        .expect("it is refused");
    assert!(
        told(&two).contains("may be `steps` of `p@a.training` or `training.steps` of `p@a`"),
        "{two}"
    );
}
