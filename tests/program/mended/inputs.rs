//! Inputs that are paths: what a stage makes is bound by name or refused, however its path is written.

use crate::mended::language::{join, refused, refused_in, stages, told};
use crate::toy::{Ask, Repo};
use std::os::unix::fs::symlink;

/// Stage `a` makes `artifacts/deep/a.txt`, `b` reads a path.
fn reader(path: &str) -> String {
    let a = join("a", "").replace("artifacts/a", "artifacts/deep/a.txt");
    stages(&[a, join("b", &format!(", inputs: {{file: \"{path}\"}}"))])
}

#[test]
fn the_path_of_an_output_is_refused_with_the_name_to_write() {
    for path in [
        "artifacts/deep/a.txt",
        "./artifacts/deep/a.txt",
        "artifacts//deep/a.txt",
        "artifacts/deep/./a.txt",
        "artifacts/other/../deep/a.txt",
        "x/../artifacts/deep/a.txt",
        "artifacts/deep/a.txt/",
        "artifacts/deep/A.txt",
        "Artifacts/Deep/a.TXT",
        "artifacts/deep",
        "artifacts/deep/a.txt/x",
    ] {
        for there in [false, true] {
            let repo = Repo::new(&reader(path));
            if there {
                repo.write("artifacts/deep/a.txt", "of an earlier run");
            }
            let told = told(&refused_in(&repo, &Ask::default()));
            assert!(told.contains("write `a.out`"), "{path}: {told}");
            assert!(told.contains("pipeline.yaml:4:"), "{path}: {told}");
        }
    }
    // Unicode has several ways for one name.
    for path in ["figures/e\\u0301", "figures/\\u00e9", "figures/\\u00c9"] {
        let yaml = reader(path).replace("artifacts/deep/a.txt", "\"figures/\\u00e9\"");
        assert!(
            told(&refused(&yaml, &Ask::default())).contains("write `a.out`"),
            "{path}"
        );
    }
    // By name it is a dependency: an edit of what is before arrives at once.
    let repo = Repo::new(
        &reader("artifacts/deep/a.txt").replace("file: \"artifacts/deep/a.txt\"", "file: a.out"),
    );
    assert_eq!(repo.run(&Ask::default()).expect("it runs").ran, 2);
    assert_eq!(repo.read("artifacts/b"), "b(a())");
}

#[test]
fn labels_items_and_lists_of_inputs_hide_no_path() {
    let a = join("a", "")
        .replace("artifacts/a", "\"figures/${i}.csv\"")
        .replace("kind: join", "kind: join, matrix: {i: [x, y]}");
    for inputs in [
        "{parts: {x: figures/x.csv}}",
        "{parts: {x: \"a@x.out\", y: figures/y.csv}}",
        "{parts: figures/y.csv}",
        "{file: \"figures/${i}.csv\"}",
        "{file: \"${path}\"}",
    ] {
        let b = join("b", &format!(", matrix: {{i: [x]}}, inputs: {inputs}"));
        let yaml = stages(&[a.clone(), b]) + "vars: {path: ./figures/x.csv}\n";
        let told = told(&refused(&yaml, &Ask::default()));
        assert!(
            told.contains("write `a@x.out`") || told.contains("write `a@y.out`"),
            "{inputs}: {told}"
        );
    }
}

#[test]
fn a_stage_that_reads_its_own_output_is_a_cycle() {
    for input in [
        "artifacts/s",
        "./artifacts/s",
        "artifacts/S",
        "s.out",
        "s*.out",
        "x/../artifacts/s",
    ] {
        let yaml = stages(&[join("s", &format!(", inputs: {{parts: \"{input}\"}}"))]);
        let told = told(&refused(&yaml, &Ask::default()));
        assert!(
            told.contains("stages wait for each other: s <- s"),
            "{input}: {told}"
        );
    }
    let two = stages(&[
        join("a", ", inputs: {parts: b.out}"),
        join("b", ", inputs: {parts: a.out}"),
    ]);
    assert!(told(&refused(&two, &Ask::default())).contains("a <- b <- a"));
    let path = stages(&[
        join("a", ", inputs: {parts: b.out}"),
        join("b", ", inputs: {parts: artifacts/a}"),
    ]);
    assert!(told(&refused(&path, &Ask::default())).contains("write `a.out`"));
}

#[test]
fn a_link_to_an_output_is_refused_before_and_after_it_is_made() {
    type Link = fn(&Repo);
    let links: [(&str, Link); 5] = [
        ("data/x", |repo| {
            symlink("../artifacts/deep/a.txt", repo.path("data/x")).expect("a link")
        }),
        ("data/x", |repo| {
            symlink(repo.path("artifacts/deep/a.txt"), repo.path("data/x")).expect("a link");
        }),
        ("data/x", |repo| {
            symlink("y", repo.path("data/x")).expect("a link");
            symlink("../artifacts/deep/a.txt", repo.path("data/y")).expect("a link");
        }),
        ("data/d/a.txt", |repo| {
            symlink("../artifacts/deep", repo.path("data/d")).expect("a link")
        }),
        ("d/deep/a.txt", |repo| {
            symlink("artifacts", repo.path("d")).expect("a link")
        }),
    ];
    for (path, link) in links {
        let repo = Repo::new(&reader(path));
        std::fs::create_dir(repo.path("data")).expect("a folder");
        link(&repo);
        for made in [false, true] {
            if made {
                repo.write("artifacts/deep/a.txt", "old");
            }
            let told = told(&refused_in(&repo, &Ask::default()));
            assert!(told.contains("write `a.out`"), "{path}: {told}");
        }
    }
}

#[test]
fn a_link_to_what_runs_write_is_refused() {
    for (target, why) in [
        ("../pipeline.lock", "every run may write"),
        ("../.icl-repro/format", "lies in the cache"),
        ("../figures/old.csv", "no stage makes"),
        ("../artifacts/orphan", "no stage makes"),
    ] {
        let repo = Repo::new(&reader("data/x"));
        for file in [
            "pipeline.lock",
            "figures/old.csv",
            "data/y",
            "artifacts/orphan",
        ] {
            repo.write(file, "1");
        }
        repo.write("pipeline.yaml", &reader("data/y"));
        std::fs::remove_file(repo.path("pipeline.lock")).expect("no lock");
        repo.run(&Ask::default()).expect("it runs");
        repo.take_runs();
        repo.write("pipeline.yaml", &reader("data/x"));
        symlink(target, repo.path("data/x")).expect("a link");
        let told = told(&refused_in(&repo, &Ask::default()));
        assert!(told.contains(why), "{target}: {told}");
    }
}

#[test]
fn what_no_stage_makes_is_no_input_where_outputs_lie() {
    for path in [
        "figures/old.csv",
        "artifacts/deep/b.txt",
        "FIGURES/old.csv",
        "./figures/tables/x.csv",
    ] {
        let repo = Repo::new(&reader(path));
        // A committed file of a stage that is gone looks like one that is made.
        repo.write(path, "1");
        let told = told(&refused_in(&repo, &Ask::default()));
        assert!(told.contains("no stage makes"), "{path}: {told}");
        assert!(told.contains("below data/"), "{path}: {told}");
    }
    for path in [
        ".icl-repro/profiles/p/artifacts/deep/a.txt",
        ".git/HEAD",
        ".Git/HEAD",
    ] {
        let repo = Repo::new(&reader(path));
        repo.write(path, "1");
        let told = told(&refused_in(&repo, &Ask::default()));
        assert!(told.contains("lies in ."), "{path}: {told}");
    }
    let repo = Repo::new(&reader("artifacts/deep/a.text"));
    assert!(
        told(&refused_in(&repo, &Ask::default())).contains("did you mean `artifacts/deep/a.txt`?")
    );
}

#[test]
fn a_file_of_the_repository_is_read_as_before() {
    for path in [
        "data/x",
        "data/figures/x",
        "src/a.txt",
        "figures.txt/x",
        "data//x",
    ] {
        let repo = Repo::new(&reader(path));
        repo.write(path, "1");
        assert_eq!(repo.run(&Ask::default()).expect("it runs").ran, 2, "{path}");
        assert_eq!(repo.read("artifacts/b"), "b(1)", "{path}");
    }
    let repo = Repo::new(&reader("data/x"));
    repo.write("data/y", "1");
    symlink("y", repo.path("data/x")).expect("a link");
    for profile in [None, Some("p")] {
        repo.write(
            "pipeline.yaml",
            &(reader("data/x") + "profiles: {p: {a.text: A}}\n"),
        );
        let ask = Ask {
            profile,
            ..Ask::default()
        };
        assert_eq!(repo.run(&ask).expect("it runs").failed.len(), 0);
    }
    for (path, why) in [
        ("data", "names no output"),
        ("data/", "is no file"),
        ("data/z", "is not there"),
    ] {
        let repo = Repo::new(&reader(path));
        repo.write("data/x", "1");
        let told = told(&refused_in(&repo, &Ask::default()));
        assert!(told.contains(why), "{path}: {told}");
    }
}

#[test]
fn outputs_stay_where_outputs_lie() {
    for path in [
        "pipeline.yaml",
        "pipeline.lock",
        "data/x",
        "figures",
        "Figures/x",
        "figures/../pipeline.yaml",
        "./figures/x",
        "artifacts/../data/x",
        "/tmp/x",
        ".icl-repro/format",
    ] {
        let yaml = stages(&[join("s", "").replace("artifacts/s", path)]);
        let told = told(&refused(&yaml, &Ask::default()));
        assert!(told.contains("output `"), "{path}: {told}");
    }
}
