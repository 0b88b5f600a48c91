//! `claims --history`: what git says of when a claim changed, and of what was recorded then.

use crate::mended::git::git;
use crate::repository::{Repository, said};
use crate::schema::answers::held;
use std::fs;

const PIPELINE: &str = r#"version: 2
stages:
  closed: {kind: closed-forms, params: {d: 5, noise_var: 0.1}}
  claims:
    kind: claims
    inputs: {tables: {limits: closed.limits}}
    params:
      d: 5
      noise_var: 0.1
      pretrain_shots: 20
      confidence: {pass: 0.99, false_refutations: 0.001}
      claims:
      - id: limit
        statement: The limit is 1 + sigma2.
        refuted_by: another limit.
        checks: ["max(abs(limits.error - zero-shot-limit)) below 0.1"]
    outputs: {csv: figures/tables/c.csv, parquet: figures/tables/c.parquet, tex: figures/tables/c.tex, md: figures/tables/c.md}
"#;

fn write(repository: &Repository, yaml: &str) {
    fs::write(repository.path("pipeline.yaml"), yaml).expect("a file");
}

fn commit(repository: &Repository, message: &str) {
    git(&repository.root, &["add", "--all", "pipeline.yaml"]);
    let _ = fs::create_dir(repository.path("figures"));
    for made in ["figures", "pipeline.lock"] {
        if repository.path(made).exists() {
            git(&repository.root, &["add", "--all", made]);
        }
    }
    git(
        &repository.root,
        &["commit", "--quiet", "--message", message],
    );
}

fn history(repository: &Repository, code: i32, more: &[&str]) -> String {
    let mut command = repository.command(&["claims", "--history"]);
    command.args(more);
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    let said = said(&mut command);
    assert_eq!(said.code, Some(code), "{}", said.text);
    said.text
}

#[test]
fn a_claim_is_registered_while_nothing_that_decides_it_is_recorded() {
    let repository = Repository::new();
    write(&repository, PIPELINE);
    let outside = history(&repository, 2, &[]);
    assert!(
        outside.contains("is in no git repository") && outside.contains("hint: "),
        "{outside}"
    );
    git(&repository.root, &["init", "--quiet"]);
    let unborn = history(&repository, 2, &[]);
    assert!(unborn.contains("nothing is committed yet"), "{unborn}");

    commit(&repository, "the claim");
    let told = history(&repository, 0, &[]);
    assert!(told.contains("limit: registered before the run"), "{told}");
    assert!(
        told.contains("new; pipeline.lock had none of 1 deciding stage"),
        "{told}"
    );
    assert!(told.contains("not that nobody had looked"), "{told}");

    // The run changes nothing about it; a margin chosen afterwards does.
    repository.expect(0, &["run"]);
    commit(&repository, "the run");
    assert!(history(&repository, 0, &[]).contains("limit: registered before the run"));
    let moved = PIPELINE.replace("below 0.1\"", "below 0.2\"");
    write(&repository, &moved);
    assert!(history(&repository, 0, &[]).contains("limit: its present text is not committed yet"));
    commit(&repository, "another margin");
    let told = history(&repository, 0, &["limit"]);
    assert!(
        told.contains("limit: last changed when all results were recorded"),
        "{told}"
    );
    let line = "margins; pipeline.lock had 1 of 1 deciding stage, 1 with the outputs of now; a verdict was recorded";
    assert!(
        told.contains(line) && told.contains("another margin"),
        "{told}"
    );

    // A table that is new, about what was decided from another one.
    let other = moved
        .replace("  closed:", "  fresh:")
        .replace("closed.limits", "fresh.limits");
    write(
        &repository,
        &other.replace("another limit", "any other limit"),
    );
    commit(&repository, "another table");
    let told = history(&repository, 0, &[]);
    assert!(
        told.contains("limit: last changed when an earlier text was decided"),
        "{told}"
    );

    let json = history(&repository, 0, &["limit", "--json"]);
    let json = json.split("this is the order").next().unwrap_or_default();
    let json = &held("claims-history", json)["claims"];
    assert_eq!(json[0]["registered"], false);
    assert_eq!(json[0]["changes"].as_array().expect("a list").len(), 3);
    assert_eq!(
        json[0]["changes"][0]["changed"],
        serde_json::json!(["refuted-by"])
    );

    for (args, message) in [
        (&["limt"][..], "did you mean `limit`?"),
        (
            &["--set", "claims.d=6"],
            "--profile and --set change nothing there",
        ),
    ] {
        let told = history(&repository, 2, args);
        assert!(told.contains(message), "{told}");
    }
}

#[test]
fn what_is_older_is_told_and_refuses_nothing() {
    let repository = Repository::new();
    git(&repository.root, &["init", "--quiet"]);
    for (number, yaml) in [
        "stages: [",
        "stages: {c: {kind: claims, params: {claims: [{id: limit}]}}}",
    ]
    .into_iter()
    .enumerate()
    {
        write(&repository, yaml);
        commit(&repository, &number.to_string());
    }
    write(&repository, PIPELINE);
    commit(&repository, "the claim");
    let told = history(&repository, 0, &[]);
    assert!(
        told.contains("2 commits of an older format of pipeline.yaml could not be read"),
        "{told}"
    );
    assert!(told.contains("limit: registered before the run"), "{told}");

    // A clone without the older commits.
    let url = format!("file://{}", repository.root.display());
    git(
        &repository.root,
        &["clone", "--quiet", "--depth", "1", &url, "shallow"],
    );
    let mut command = repository.command(&["claims", "--history"]);
    command.current_dir(repository.path("shallow"));
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    let told = said(&mut command);
    assert_eq!(told.code, Some(0), "{}", told.text);
    let remedy = "older changes are missing: this clone is shallow: `git fetch --unshallow`";
    assert!(told.text.contains(remedy), "{}", told.text);
}
