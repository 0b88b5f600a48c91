//! Files that people supply themselves, and a page that shows what an opt-in group has recorded: what each
//! verb says to people.

use crate::page;
use crate::repository::Repository;
use retrace::base::digest::Digest;
use serde_json::{Value as Json, json};

/// The font of the figure that is drawn only when asked for; nobody has it but who got it.
const FONT: &str = "data/fonts/apart.ttf";
const LINE: &str =
    "data/fonts/apart.ttf (740 kB, from a foundry, licence Bitstream Vera): make fonts";

/// The small repository with a second figure that needs a file that may not be here, claims beside it,
/// and a page that shows both as recorded.
fn repository() -> Repository {
    let repository = Repository::new();
    page::add(&repository);
    std::fs::write(repository.path("data/claims.json"), "[]").expect("a file");
    let yaml = std::fs::read_to_string(repository.path("pipeline.yaml")).expect("a file");
    let font = std::fs::read(repository.path("data/fonts/DejaVuSans.ttf")).expect("a file");
    let group = "  pictures: [curve]\n  extra: {opt_in: true, stages: [apart, apart_claims]}\n";
    let mut yaml = yaml.replace("  pictures: [curve]\n", group);
    let curve = yaml.find("  curve:\n").expect("a figure");
    let losses = yaml.find("  losses:\n").expect("a table");
    let apart = yaml[curve..losses]
        .replace("  curve:\n", "  apart:\n    title: Apart\n    caption: Drawn elsewhere.\n")
        .replace("/curve.", "/apart.")
        .replace(
            "data/fonts/DejaVuSans.ttf",
            &format!(
                "{{file: {FONT}, blake3: {}, get: make fonts, licence: Bitstream Vera, size: 740 kB, from: a foundry}}",
                Digest::of(&font)
            ),
        );
    yaml += &apart;
    yaml += "
  apart_claims:
    kind: claims
    inputs: {tables: {curves: optimum.curves}}
    params:
      d: 2
      noise_var: 0.1
      pretrain_shots: 4
      confidence: {pass: 0.999, false_refutations: 0.01}
      claims:
        - id: apart-is-drawn
          statement: Every point of the figure lies above nothing.
          refuted_by: a point below 0.
          checks: [min(curves.exact) above 0]
    outputs: {csv: figures/tables/apart_claims.csv, parquet: figures/tables/apart_claims.parquet, tex: figures/tables/apart_claims.tex,
              md: figures/tables/apart_claims.md, json: figures/tables/apart_claims.json}
  report:
    kind: report
    inputs:
      template: data/report/page.html
      style: data/report/page.css
      script: data/report/page.js
      charts: data/report/echarts.common.min.js
      claims: data/claims.json
      pictures: {curve: curve.svg}
      recorded_claims: {apart_claims: {recorded: apart_claims.json}}
      recorded_pictures: {apart: {recorded: apart.svg}}
      recorded_tables: {apart: {recorded: apart.data}}
    params:
      title: a title
      paper: a paper
      paper_url: https://arxiv.org/abs/0
      lead: [words]
      sections: [{title: one, figures: [curve]}]
    outputs: {html: figures/report.html}
";
    std::fs::write(repository.path("pipeline.yaml"), yaml).expect("a file");
    std::fs::write(repository.path(FONT), font).expect("a file");
    repository
}

/// As a clone has it where the group ran once, and whose user has not got the font.
fn fresh_clone() -> Repository {
    let repository = repository();
    repository.expect(0, &["run", "--group", "extra"]);
    repository.expect(0, &["run"]);
    std::fs::remove_file(repository.path(FONT)).expect("a file");
    for folder in [".icl-repro", "artifacts"] {
        std::fs::remove_dir_all(repository.path(folder)).expect("made");
    }
    repository
}

fn page(repository: &Repository) -> String {
    std::fs::read_to_string(repository.path("figures/report.html")).expect("a page")
}

#[test]
fn every_look_goes_on_without_the_file_and_names_it() {
    let repository = fresh_clone();
    let lock = std::fs::read(repository.path("pipeline.lock")).expect("a lock");
    let said = repository.expect(0, &["verify"]);
    let words =
        "input not here: data/fonts/apart.ttf: make fonts (1 stage not made again without it)";
    assert_eq!(said.matches("input not here").count(), 1, "{said}");
    assert!(
        said.contains(words) && said.contains("equal the lock"),
        "{said}"
    );
    let json: Json =
        serde_json::from_str(&repository.expect(0, &["verify", "--json"])).expect("JSON");
    assert_eq!(json["absent"][0]["path"], FONT);
    assert_eq!(json["absent"][0]["licence"], "Bitstream Vera");
    assert_eq!(json["absent"][0]["stages"], json!(["apart"]));
    let said = repository.expect(0, &["status", "--all"]);
    assert!(said.contains(&format!("input not here: {LINE}")), "{said}");
    assert!(
        said.contains("absent    apart") && said.contains("as the lock records it; input not here"),
        "{said}"
    );
    let said = repository.expect(0, &["status", "--all", "--json"]);
    let json: Json = serde_json::from_str(&said).expect("JSON");
    assert_eq!(json["absent"][0]["get"], "make fonts");
    for look in [
        &["graph"][..],
        &["explain"],
        &["explain", "apart"],
        &["run", "--dry-run", "--group", "extra"],
        &["status"],
        &["verify", "--group", "extra"],
    ] {
        repository.expect(0, look);
    }
    assert_eq!(
        std::fs::read(repository.path("pipeline.lock")).expect("a lock"),
        lock
    );
    let said = repository.expect(0, &["run"]);
    assert!(!said.contains("input not here"), "{said}");
    assert_eq!(
        std::fs::read(repository.path("pipeline.lock")).expect("a lock"),
        lock
    );
}

#[test]
fn a_run_that_needs_it_says_what_to_get_and_where() {
    let repository = fresh_clone();
    let said = repository.expect(2, &["run", "--group", "extra"]);
    assert!(
        said.contains("apart cannot run: an input is not here")
            && said.contains(LINE)
            && said.contains("hint: get it, then run again"),
        "{said}"
    );
    assert!(!repository.path("artifacts").exists(), "nothing ran");
    let said = repository.expect(1, &["run", "--keep-going", "--group", "extra"]);
    assert!(said.contains(LINE) && said.contains("1 failed"), "{said}");
    let said = repository.expect(2, &["verify", "--rebuild", "apart"]);
    assert!(
        said.contains("nothing can be made again") && said.contains(LINE),
        "{said}"
    );
    let said = repository.expect(0, &["verify", "--rebuild"]);
    assert!(said.contains("outputs equal the lock"), "{said}");
    std::fs::write(repository.path(FONT), "no font").expect("a file");
    let said = repository.expect(2, &["run", "apart"]);
    assert!(
        said.contains("is another file than pipeline.yaml names")
            && said.contains(&Digest::of(b"no font").to_string())
            && said.contains("get it anew: make fonts"),
        "{said}"
    );
    repository.expect(0, &["run"]);
}

#[test]
fn the_page_shows_what_is_recorded_as_not_recomputed() {
    let repository = repository();
    repository.expect(0, &["run"]);
    let shown = page(&repository);
    let absent =
        "Not recorded here, or not as recorded: <code>apart_claims</code>, <code>apart</code>";
    assert!(shown.contains(absent), "nothing ran");
    assert!(!shown.contains("Not recomputed here"));
    repository.expect(0, &["run", "--group", "extra"]);
    let said = repository.expect(0, &["run"]);
    assert!(said.contains("1 ran"), "{said}");
    let with = page(&repository);
    for words in [
        "1 of 1 recorded claims hold",
        "holds, not recomputed here",
        "Every point of the figure lies above nothing.",
        "Drawn elsewhere. Not recomputed here.",
        "<code>apart</code>, not recomputed here.",
        "apart.csv\">CSV</a>",
    ] {
        assert!(with.contains(words), "{words}");
    }
    assert!(!with.contains("Not recorded here"));
    // A clone that has neither cache nor font draws the same page.
    std::fs::remove_file(repository.path(FONT)).expect("a file");
    for folder in [".icl-repro", "artifacts", "figures/report.html"] {
        let path = repository.path(folder);
        let removed = if path.is_dir() {
            std::fs::remove_dir_all(path)
        } else {
            std::fs::remove_file(path)
        };
        removed.expect("made");
    }
    repository.expect(0, &["run"]);
    assert_eq!(page(&repository), with);
    repository.expect(0, &["verify"]);
}

#[test]
fn a_page_takes_recorded_outputs_in_their_roles_alone() {
    let repository = repository();
    repository.expect(0, &["run", "--group", "extra"]);
    let yaml = std::fs::read_to_string(repository.path("pipeline.yaml")).expect("a file");
    for (of, with, words) in [
        (
            "pictures: {curve: curve.svg}",
            "pictures: {curve: {recorded: apart.svg}}",
            "`apart.svg` may not be recorded yet, and the input `pictures` must be there",
        ),
        (
            "recorded_tables: {apart: {recorded: apart.data}}",
            "tables: {apart: {recorded: apart.data}}",
            "what is recorded comes as recorded_claims, recorded_pictures or recorded_tables",
        ),
        (
            "recorded_pictures: {apart: {recorded: apart.svg}}",
            "recorded_pictures: {apart: {recorded: apart.data}}",
            "what is recorded of `apart`: the SVG has no size",
        ),
    ] {
        assert!(yaml.contains(of));
        std::fs::write(repository.path("pipeline.yaml"), yaml.replace(of, with)).expect("a file");
        let said = repository.run(&["run", "report"]);
        assert!(matches!(said.code, Some(1 | 2)), "{with}: {}", said.text);
        assert!(said.text.contains(words), "{with}: {}", said.text);
    }
}
