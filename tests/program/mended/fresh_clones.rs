//! What a fresh clone knows it shows, as what it is: committed, and not computed there.

use crate::page;
use crate::repository::{Repository, Said};
use crate::schema::answers::held;
use serde_json::json;
use std::path::Path;

/// The small pipeline with a report on it; claims and their verdicts are a file of the repository.
fn made() -> Repository {
    let repository = Repository::new();
    page::add(&repository);
    let check = json!({
        "quantity": "q", "factors": [], "expected": "1", "measured": 1.0, "std_error": 0.1,
        "interval": null, "reserve": null, "chance_open": null, "decided": "so",
        "outcome": "passes", "units": [],
    });
    let claims = json!([{
        "id": "c", "statement": "s", "expected": "1", "measured": 1.0, "std_error": 0.1,
        "verdict": "holds", "recorded": "holds", "refuted_by": "r",
        "checks": [check], "shows": [], "correction": null,
    }]);
    std::fs::write(repository.path("data/claims.json"), claims.to_string()).expect("a file");
    let mut yaml = std::fs::read_to_string(repository.path("pipeline.yaml")).expect("the pipeline");
    yaml += "
  report:
    kind: report
    inputs:
      template: data/report/page.html
      style: data/report/page.css
      script: data/report/page.js
      charts: data/report/echarts.common.min.js
      claims: data/claims.json
      pictures: {curve: curve.svg}
      data: {curve: curve.data}
      tables: {losses: losses.csv}
    params:
      title: a title
      paper: a paper
      paper_url: https://arxiv.org/abs/0
      lead: [words]
      sections: [{title: one, figures: [curve]}]
      claims: {curve: [c]}
      tables: [losses]
    outputs: {html: figures/report.html}
";
    std::fs::write(repository.path("pipeline.yaml"), yaml).expect("a file");
    repository.expect(0, &["run"]);
    for folder in [".icl-repro", "artifacts"] {
        std::fs::remove_dir_all(repository.path(folder)).expect("made");
    }
    repository
}

#[test]
fn a_committed_report_is_named_while_nothing_changed() {
    let repository = made();
    let said = repository.expect(0, &["report"]);
    let path = repository.path("figures/report.html");
    assert!(
        said.contains(&path.display().to_string())
            && said.contains("as committed; nothing was computed here")
            && said.contains("`icl-repro run report`"),
        "{said}"
    );
    assert!(!repository.path("artifacts").exists());
    let refused = |repository: &Repository| {
        let said = repository.expect(6, &["report"]);
        assert!(
            said.contains("not up to date") && !said.contains("as committed"),
            "{said}"
        );
    };
    // Its own style, what it shows, the page itself, the record of it.
    for name in [
        "data/report/page.css",
        "figures/report.html",
        "pipeline.yaml",
    ] {
        let kept = std::fs::read_to_string(repository.path(name)).expect("text");
        let edited = match name {
            "pipeline.yaml" => kept.replace("last: 2}", "last: 3}"),
            _ => kept.clone() + " ",
        };
        std::fs::write(repository.path(name), edited).expect("ours");
        refused(&repository);
        std::fs::write(repository.path(name), kept).expect("ours");
        repository.expect(0, &["report"]);
    }
    std::fs::remove_file(repository.path("pipeline.lock")).expect("ours");
    refused(&repository);
    // Nothing is committed of a variant.
    let said = repository.expect(6, &["report", "--set", "losses.last=1"]);
    assert!(!said.contains("as committed"), "{said}");
}

#[test]
fn an_edit_of_the_style_makes_the_page_and_nothing_else() {
    let repository = made();
    let plan = repository.expect(0, &["run", "--as-recorded", "--dry-run"]);
    assert!(
        plan.contains("0 fresh, ") && plan.contains(" as the lock records them"),
        "{plan}"
    );
    let style = repository.path("data/report/page.css");
    let text = std::fs::read_to_string(&style).expect("text");
    std::fs::write(&style, text + " ").expect("ours");
    let said = repository.expect(6, &["report"]);
    assert!(
        said.contains("`icl-repro run --as-recorded report`"),
        "{said}"
    );
    let (said, _) = asked(&repository, &["run", "--as-recorded", "--json"]);
    let ended = &held("run", &said)["counts"];
    assert_eq!((&ended["ran"], &ended["stages"]), (&json!(1), &json!(1)));
    assert!(ended["as_recorded"].as_u64() >= Some(3), "{ended}");
    assert!(!repository.path("artifacts").exists());
    repository.expect(0, &["verify"]);
    let said = repository.expect(0, &["report"]);
    assert!(said.contains("nothing was computed here"), "{said}");
    // What would make no sense together.
    for option in [
        &["--single-item"][..],
        &["--accept"],
        &["--executor", "slurm"],
    ] {
        let args = [&["run", "--as-recorded"][..], option, &["curve"]].concat();
        let said = repository.expect(2, &args);
        assert!(said.contains("--as-recorded"), "{said}");
    }
}

/// The project's own pipeline with what is committed of it.
fn clone() -> Repository {
    let repository = Repository::new();
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["pipeline.yaml", "pipeline.lock", "figures", "data"] {
        let mut command = std::process::Command::new("cp");
        command
            .arg("-R")
            .arg(project.join(name))
            .arg(&repository.root);
        assert_eq!(crate::repository::said(&mut command).code, Some(0));
    }
    repository
}

fn asked(repository: &Repository, args: &[&str]) -> (String, String) {
    let output = repository.command(args).output().expect("it starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{args:?}\n{out}\n{err}");
    (out, err)
}

#[test]
fn committed_verdicts_are_shown_and_nothing_is_computed() {
    let repository = clone();
    let (out, err) = asked(&repository, &["claims"]);
    assert_eq!(out.lines().count(), 40, "{out}");
    assert!(
        out.contains("full-ft-zero-shot") && out.contains("holds with a correction"),
        "{out}"
    );
    assert!(
        err.contains("as committed in figures/tables/claims.json; nothing was computed here")
            && err.contains("`icl-repro run claims`"),
        "{err}"
    );
    let (out, _) = asked(&repository, &["claims", "--json"]);
    let lines = &held("claims", &out)["claims"];
    assert_eq!(lines.as_array().map(Vec::len), Some(39));
    assert_eq!(lines[0]["verdict"], "holds with a correction");
    assert!(
        lines[0]["measured"].is_f64() && lines[1]["std_error"].is_null(),
        "{}",
        lines[1]
    );
    let (out, _) = asked(&repository, &["claims", "w-star"]);
    assert!(
        out.starts_with("w-star: ")
            && out.contains("\n  correction: ")
            && out.contains("by seed  0: ")
            && out.contains("\n  rests on "),
        "{out}"
    );
    // So are those of groups that run only when they are asked for.
    let (out, err) = asked(&repository, &["claims", "llm-aux-helps-target"]);
    assert!(
        out.starts_with("llm-aux-helps-target: ") && err.contains("figures/tables/claims_llm.json"),
        "{out}{err}"
    );
    let (out, _) = asked(&repository, &["claims", "--group", "llm"]);
    assert_eq!(out.lines().count(), 6, "{out}");
    let said = repository.expect(2, &["claims", "--group", "main"]);
    assert!(
        said.contains("group main has no stage of kind `claims`"),
        "{said}"
    );
    let said = repository.expect(2, &["claims", "w-sta"]);
    assert!(
        said.contains("there is no claim `w-sta`") && said.contains("w-star"),
        "{said}"
    );
    assert!(!repository.path("artifacts").exists());

    let Said { code, text } = repository.run(&["claims", "--profile", "smoke"]);
    assert!(
        code == Some(1) && text.contains("not decided yet"),
        "{text}"
    );
    // What is not what the lock records is no answer.
    let table = repository.path("figures/tables/claims.json");
    let kept = std::fs::read(&table).expect("a table");
    std::fs::write(&table, [&kept[..], b" "].concat()).expect("ours");
    let Said { code, text } = repository.run(&["claims"]);
    assert!(
        code == Some(1) && text.contains("not decided yet"),
        "{text}"
    );
    std::fs::write(&table, kept).expect("ours");
    // A constant that changed since makes them old.
    let yaml = std::fs::read_to_string(repository.path("pipeline.yaml")).expect("the pipeline");
    let edited = yaml.replacen("noise_var: 0.1", "noise_var: 0.2", 1);
    assert_ne!(yaml, edited);
    std::fs::write(repository.path("pipeline.yaml"), edited).expect("ours");
    let (_, err) = asked(&repository, &["claims"]);
    assert!(err.contains("out of date"), "{err}");
}
