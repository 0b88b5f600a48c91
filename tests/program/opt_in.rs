//! Opt-in groups as people meet them: what each verb says of a group that nobody asked for.

use crate::repository::Repository;
use serde_json::Value as Json;

/// The small repository; its table of losses is for those who ask.
fn repository() -> Repository {
    let repository = Repository::new();
    let yaml = std::fs::read_to_string(repository.path("pipeline.yaml")).expect("a file");
    let groups = "  pictures: [curve]\n";
    assert!(yaml.contains(groups));
    let more = format!("{groups}  extra: {{opt_in: true, stages: [losses]}}\n");
    let yaml = yaml.replace(groups, &more);
    std::fs::write(repository.path("pipeline.yaml"), yaml).expect("a file");
    repository
}

const LEFT_OUT: &str = "1 stage of an opt-in group left out: extra";

#[test]
fn run_and_status_leave_the_group_out_and_say_so() {
    let repository = repository();
    for _ in 0..3 {
        // The third is answered by what the second kept.
        let said = repository.expect(0, &["run"]);
        assert!(
            said.contains("5 stages:") || said.contains("4 stages:"),
            "{said}"
        );
        assert!(said.contains(LEFT_OUT), "{said}");
    }
    assert!(!repository.path("figures/tables/losses.csv").exists());
    let said = repository.expect(0, &["status", "--exit-code"]);
    assert!(
        said.contains(LEFT_OUT) && !said.contains("losses "),
        "{said}"
    );
    let said = repository.expect(6, &["status", "--exit-code", "--all"]);
    assert!(
        said.contains("stale     losses") && !said.contains("left out"),
        "{said}"
    );
    let json: Json =
        serde_json::from_str(&repository.expect(0, &["status", "--json"])).expect("JSON");
    assert_eq!(json["left_out"], serde_json::json!(["losses"]));
    repository.expect(2, &["status", "--all", "losses"]);
    repository.expect(2, &["status", "--all", "--group", "extra"]);
    assert!(
        repository
            .expect(0, &["run", "--dry-run"])
            .contains(LEFT_OUT)
    );
    // `run` without the group would leave it out.
    let said = repository.expect(0, &["push", "--store", "shared", "--group", "extra"]);
    assert!(said.contains(" run --group extra` "), "{said}");
    let said = repository.expect(0, &["run", "--group", "extra"]);
    assert!(!said.contains("left out"), "{said}");
    assert!(repository.path("figures/tables/losses.csv").exists());
    let said = repository.expect(0, &["status", "losses"]);
    assert!(said.contains("fresh     losses"), "{said}");
}

#[test]
fn verify_names_a_group_that_never_ran_and_the_run_that_mends_one_that_did() {
    let repository = repository();
    repository.expect(0, &["run"]);
    let said = repository.expect(0, &["verify"]);
    assert!(said.contains("not run here: extra (1 stage)"), "{said}");
    let json: Json =
        serde_json::from_str(&repository.expect(0, &["verify", "--json"])).expect("JSON");
    assert_eq!(json["not_run"], serde_json::json!(["losses"]));
    let said = repository.expect(3, &["verify", "--group", "extra"]);
    assert!(
        said.contains("`icl-repro run --group extra` re-makes"),
        "{said}"
    );
    repository.expect(0, &["run", "--group", "extra"]);
    let said = repository.expect(0, &["verify"]);
    assert!(!said.contains("not run"), "{said}");
    let said = repository.expect(0, &["verify", "--rebuild"]);
    assert!(said.contains(LEFT_OUT), "{said}");
    let said = repository.expect(0, &["verify", "--rebuild", "--group", "extra"]);
    assert!(!said.contains("left out"), "{said}");
    std::fs::write(repository.path("figures/tables/losses.csv"), "edited").expect("a file");
    let said = repository.expect(3, &["verify"]);
    let remedy = "`icl-repro run --group extra` re-makes what differs";
    assert!(
        said.contains("losses.csv differs") && said.contains(remedy),
        "{said}"
    );
    std::fs::write(repository.path("figures/curve.svg"), "edited").expect("a file");
    let said = repository.expect(3, &["verify"]);
    let remedy = "`icl-repro run` and `icl-repro run --group extra` re-make what differs";
    assert!(said.contains(remedy), "{said}");
}

#[test]
fn a_graph_marks_the_stages_and_a_crate_has_those_that_ran() {
    let repository = repository();
    let said = repository.expect(0, &["graph"]);
    assert!(said.contains("losses (loss-table, opt-in) <-"), "{said}");
    assert!(
        repository
            .expect(0, &["graph", "--format", "dot"])
            .contains("style = dashed")
    );
    assert!(
        repository
            .expect(0, &["graph", "--format", "mermaid"])
            .contains("opt-in\"]")
    );
    let project = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["CITATION.cff", "LICENSE", "README.md"] {
        std::fs::copy(project.join(name), repository.path(name)).expect("a copy");
    }
    repository.expect(0, &["run"]);
    let export = |to: &str| {
        let args = ["export", "ro-crate", "--to", to, "--date", "2026-02-26"];
        repository.expect(0, &args);
        repository
            .path(to)
            .join("figures/tables/losses.csv")
            .exists()
    };
    assert!(!export("without"));
    repository.expect(0, &["run", "--group", "extra"]);
    assert!(export("with"));
}
