//! Somebody who varies: sets a value, looks, runs, compares, asks where a file is from, removes it; with commands
//! that name the variation by themselves.

use crate::mended::git::git;
use crate::page;
use crate::repository::Repository;
use serde_json::Value as Json;
use std::path::PathBuf;

const SET: [&str; 2] = ["--set", "optimum.noise_var=0.4"];

/// Claims over a curve, and a page with them.
const MORE: &str = r#"
  claims:
    kind: claims
    inputs: {tables: {curves: optimum.curves}}
    params:
      d: 2
      noise_var: 0.1
      pretrain_shots: 4
      random: []
      confidence: {pass: 0.99, false_refutations: 0.01}
      claims:
        - id: little-noise
          statement: Without examples the error is the noise, which is below 0.2.
          refuted_by: a larger error.
          checks: ["curves.exact{member=0.3, n_shots=0, prompts=20} below 0.2"]
        - id: some-noise
          statement: There is noise.
          refuted_by: an error of 0.
          checks: ["curves.exact{member=0.3, n_shots=0, prompts=20} above 0.01"]
    outputs: {csv: figures/tables/claims.csv, parquet: figures/tables/claims.parquet}
  report:
    kind: report
    inputs:
      template: data/report/page.html
      style: data/report/page.css
      script: data/report/page.js
      charts: data/report/echarts.common.min.js
      claims: claims.json
      pictures: "figure:*.svg"
      data: "figure:*.data"
      tables: {losses: losses.csv}
    params:
      title: A small page
      paper: None
      paper_url: https://example.org/
      lead: [Few words.]
      sections: [{title: Curves, figures: [curve]}]
      claims: {curve: [little-noise]}
    outputs: {html: figures/report.html}
"#;

/// Everything run, and committed.
fn made() -> Repository {
    let repository = Repository::new();
    let yaml = repository.path("pipeline.yaml");
    let text = std::fs::read_to_string(&yaml).expect("the pipeline");
    let profiles = "profiles:\n  other: {vars.seed: 1}\ngroups:\n";
    let text = text.replacen("groups:\n", profiles, 1) + MORE;
    std::fs::write(&yaml, text).expect("a file");
    page::add(&repository);
    repository.expect(0, &["run", "-q"]);
    std::fs::write(repository.path(".gitignore"), ".icl-repro/\nartifacts/\n").expect("a file");
    for args in [
        &["init", "--quiet"][..],
        &["add", "--all"],
        &["commit", "--quiet", "--message", "results"],
    ] {
        git(&repository.root, args);
    }
    repository
}

fn said(repository: &Repository, code: i32, args: &[&str], words: &[&str]) -> String {
    let said = repository.expect(code, args);
    for word in words {
        assert!(said.contains(word), "{args:?} says no `{word}`\n{said}");
    }
    said
}

fn json(repository: &Repository, args: &[&str]) -> Json {
    let text = repository.expect(0, args);
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{args:?}: {e}\n{text}"))
}

/// What `variations --json` lists.
fn listed(repository: &Repository) -> Json {
    json(repository, &["variations", "--json"])["variations"].clone()
}

#[test]
fn a_variation_is_set_looked_at_compared_and_removed() {
    let repository = made();
    let with = |args: &[&'static str]| [args, &SET].concat();
    let words = "nothing was made with --set or --profile yet";
    said(
        &repository,
        0,
        &["variations"],
        &[words, "icl-repro run STAGE --set"],
    );
    assert_eq!(listed(&repository), serde_json::json!([]));

    // Before it is made, every hint has what was set.
    let command = "`icl-repro run claims --set optimum.noise_var=0.4`";
    said(
        &repository,
        1,
        &with(&["claims"]),
        &["not decided yet", command],
    );
    let command = "`icl-repro run report --set optimum.noise_var=0.4`";
    said(&repository, 6, &with(&["report"]), &[command]);
    for args in [
        &["diff"][..],
        &["compare", "this"],
        &["provenance", "figures/curve.svg"],
    ] {
        let words = [
            "nothing was made with --set optimum.noise_var=0.4 yet",
            "run STAGE --set",
        ];
        said(&repository, 2, &with(args), &words);
    }
    let mended = ["--set", "noise_var=1"];
    said(
        &repository,
        2,
        &[&["status"][..], &mended].concat(),
        &["stage.param or vars.name"],
    );
    said(
        &repository,
        2,
        &["status", "--set", "seed=1"],
        &["did you mean `vars.seed`?"],
    );

    let before = repository.results();
    let words = "the variation's own lock is brought up to date, pipeline.lock stays as it was";
    said(&repository, 0, &with(&["run", "claims", "curve"]), &[words]);
    assert_eq!(before, repository.results());

    let listed = listed(&repository);
    let one = &listed[0];
    assert_eq!(one["set"], serde_json::json!(["optimum.noise_var=0.4"]));
    let (name, folder) = (one["name"].as_str().expect("a name"), &one["folder"]);
    let folder = PathBuf::from(folder.as_str().expect("a path"));
    assert!(
        one["bytes"].as_u64() > Some(1000) && one["stages"].as_u64() > Some(2),
        "{one}"
    );
    said(
        &repository,
        0,
        &["variations"],
        &[name, "optimum.noise_var=0.4", "1 variation"],
    );

    // By name, by what was set, or as the options mean it: the same.
    let by_value = repository.expect(0, &["compare", "this", "optimum.noise_var=0.4"]);
    assert_eq!(by_value, repository.expect(0, &["compare", "this", name]));
    assert_eq!(
        by_value,
        repository.expect(0, &with(&["compare", "committed"]))
    );
    assert!(!by_value.contains(&format!("\n{name}")), "{by_value}");
    for words in [
        "noise_var  0.1  0.4  optimum",
        "1 of 2 verdicts turned",
        "little-noise  holds -> fails",
        "the data of 1 figure differ (--all shows the cells): curve",
        "only in the working tree",
    ] {
        assert!(by_value.contains(words), "{words}\n{by_value}");
    }
    assert!(!by_value.contains("some-noise"), "{by_value}");
    let compared = json(&repository, &["compare", "HEAD", name, "--json"]);
    assert_eq!(compared["verdicts"]["compared"], 2);
    let turned = &compared["verdicts"]["turned"][0];
    assert_eq!(
        (&turned["id"], turned["old"]["verdict"].as_str()),
        (&"little-noise".into(), Some("holds"))
    );
    assert!(turned["new"]["measured"].as_f64() > Some(0.2), "{turned}");
    assert_eq!(
        compared["values"][0]["stages"],
        serde_json::json!(["optimum"])
    );
    let diff = said(
        &repository,
        0,
        &with(&["diff"]),
        &["noise_var  0.1  0.4  optimum", "curve.csv"],
    );
    assert!(
        diff.find("noise_var") < diff.find("optimum  output"),
        "{diff}"
    );

    // Where a file of it is from, told from its place and from a copy of it.
    let figure = folder.join("figures/curve.svg");
    let copy = repository.path("copy.svg");
    std::fs::copy(&figure, &copy).expect("a copy");
    for file in [&figure, &copy] {
        let file = file.to_str().expect("UTF-8");
        let again = "icl-repro run curve --set optimum.noise_var=0.4";
        said(
            &repository,
            0,
            &["provenance", file],
            &[name, "records exactly this file", again],
        );
        let lock = &json(&repository, &["provenance", "--json", file])["lock"];
        assert_eq!(lock["variation"]["name"], name);
        assert_eq!(lock["commands"][0], again);
    }
    said(
        &repository,
        0,
        &["provenance", "figures/curve.svg"],
        &["pipeline.lock records exactly"],
    );

    // A page with its curves; the committed one stays.
    let page = repository.expect(0, &["report", "--against", name]);
    let page = page.lines().next_back().expect("a path");
    assert!(page.ends_with(".icl-repro/compared.html"), "{page}");
    let html = std::fs::read_to_string(page).expect("a page");
    for words in [
        "Compared with optimum.noise_var=0.4",
        "fails -&gt; holds",
        "figure-curve",
        "against-data",
    ] {
        assert!(html.contains(words), "{words}");
    }
    let start = html.find("id=\"against-data\">").expect("data") + "id=\"against-data\">".len();
    let data = &html[start..start + html[start..].find("</script>").expect("an end")];
    let data: Json = serde_json::from_str(data).expect("JSON");
    let series = &data["figures"]["figure-curve"]["panels"][0]["series"];
    assert_eq!(series.as_array().map(Vec::len), Some(2), "{data}");
    assert_eq!(before, repository.results());
    said(
        &repository,
        2,
        &["report", "--to", "x.html"],
        &["--against"],
    );
    let over = ["report", "--against", name, "--to", "figures/report.html"];
    said(&repository, 2, &over, &["is no page that compares", "--to"]);
    let to = ["report", "--against", name, "--to", "there.html"];
    said(&repository, 0, &to, &["there.html"]);
    said(&repository, 0, &to, &["there.html"]);

    let dry = said(
        &repository,
        0,
        &["variations", "remove", name, "--dry-run"],
        &["would remove", name],
    );
    assert!(figure.exists(), "{dry}");
    let words = ["removed", "icl-repro gc --max-size 0"];
    said(
        &repository,
        0,
        &["variations", "remove", "optimum.noise_var=0.4"],
        &words,
    );
    assert!(!folder.exists() && before == repository.results());
    said(
        &repository,
        2,
        &["variations", "remove", name],
        &["there is no variation"],
    );
    // The cache has it still.
    said(&repository, 0, &with(&["run", "curve"]), &["2 restored"]);
}

#[test]
fn what_cannot_be_compared_or_removed_is_said() {
    let repository = made();
    let fails = |args: &[&str], words: &[&str]| drop(said(&repository, 2, args, words));
    fails(
        &["compare", "nonsense"],
        &["no variation, no profile and no git revision", "known: "],
    );
    fails(&["compare", "othr", "this"], &["did you mean `other`?"]);
    fails(
        &["compare", "this"],
        &["both are the working tree", "icl-repro variations"],
    );
    fails(
        &["compare", "this", "other"],
        &[
            "nothing was made with profile other yet",
            "run --profile other",
        ],
    );
    fails(
        &["compare", "this", "vars.seed=9"],
        &["nothing was made with `--set vars.seed=9`"],
    );
    fails(
        &["compare", "this", "HEAD", "--set", "vars.seed=9"],
        &["leave out these options, or B"],
    );
    fails(&["compare"], &["<A>"]);
    fails(
        &["diff", "HEAD", "HEAD", "--profile", "other"],
        &["nothing was made with --profile other yet"],
    );
    fails(&["variations", "--profile", "other"], &["leave them out"]);
    fails(&["variations", "remove"], &["<NAME>"]);
    fails(
        &["variations", "remove", "x"],
        &["there is no variation `x`"],
    );

    let set = ["--set", "vars.seed=9"];
    repository.expect(0, &[&["run", "-q", "tasks"][..], &set].concat());
    repository.expect(
        0,
        &[&["run", "-q", "tasks", "--profile", "other"][..], &set].concat(),
    );
    repository.expect(0, &["run", "-q", "tasks", "--profile", "other"]);
    fails(
        &["compare", "this", "vars.seed=9"],
        &["was set in 2 variations", "default+", "other+"],
    );
    fails(
        &["variations", "remove", "othr"],
        &["did you mean `other`?"],
    );
    fails(
        &["diff", "HEAD", "HEAD", "--profile", "other"],
        &["leave out these, or one revision"],
    );
    // Nothing goes where one of the names is wrong.
    fails(
        &["variations", "remove", "other", "x"],
        &["there is no variation `x`"],
    );
    assert_eq!(listed(&repository).as_array().map(Vec::len), Some(3));
    said(
        &repository,
        0,
        &["compare", "this", "other"],
        &["1 of 1 stage that both have differ"],
    );
    // Somebody's own file there stays, and is named.
    std::fs::write(repository.path(".icl-repro/profiles/other/notes"), "mine").expect("a file");
    said(
        &repository,
        0,
        &["variations", "remove", "other"],
        &["left alone", "notes"],
    );
    assert!(repository.path(".icl-repro/profiles/other/notes").exists());

    // A folder of an earlier version has no note.
    let listed = listed(&repository);
    let names = listed.as_array().expect("a list").iter();
    let mut names = names.filter_map(|one| one["name"].as_str());
    let name = names
        .find(|name| name.starts_with("default+"))
        .expect("one");
    let note = repository.path(&format!(".icl-repro/profiles/{name}/variation.json"));
    std::fs::remove_file(note).expect("a file");
    said(
        &repository,
        0,
        &["variations"],
        &["values not noted by an earlier version: run it again"],
    );
}

#[test]
fn a_long_plan_has_the_items_of_a_matrix_in_one_line() {
    let repository = Repository::new();
    let yaml = repository.path("pipeline.yaml");
    let text = std::fs::read_to_string(&yaml).expect("the pipeline");
    let steps: Vec<String> = (0..50)
        .map(|step| format!("s{step}: {}", step + 100))
        .collect();
    let many = format!("few: 4, more: 8, {}", steps.join(", "));
    std::fs::write(&yaml, text.replacen("few: 4, more: 8", &many, 1)).expect("a file");
    let short = said(
        &repository,
        0,
        &["run", "--dry-run"],
        &[
            "pretrain@* (52) ",
            "--verbose has one for each",
            "56 stages: 0 fresh",
        ],
    );
    assert!(short.lines().count() < 10, "{short}");
    let long = repository.expect(0, &["run", "--dry-run", "--verbose"]);
    assert!(
        long.contains("pretrain@s49 ") && !long.contains("pretrain@* "),
        "{long}"
    );
    // Few lines stand for themselves.
    let few = repository.expect(0, &["status", "pretrain@few", "pretrain@more"]);
    assert!(
        few.contains("pretrain@few") && few.contains("pretrain@more"),
        "{few}"
    );
}
