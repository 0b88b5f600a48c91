//! Defaults of a kind: what a stage does not say itself, and what it takes away.

use crate::mended::language::told;
use crate::toy::{Ask, Repo};

/// A pipeline with these defaults of the kind `join`, and these stages.
fn pipeline(defaults: &str, stages: &str) -> String {
    format!("version: 2\nvars: {{word: w}}\nkinds: {{join: {defaults}}}\nstages:\n{stages}")
}

/// The outputs' paths, by id.
fn paths(yaml: &str) -> Vec<(String, String)> {
    let repo = Repo::new(yaml);
    let found = repo.with(&Ask::default(), |context| {
        let stages = context.pipeline.stages.iter();
        let path = |stage: &retrace::stage::stage::Stage| stage.outputs[0].1.display().to_string();
        Ok(stages
            .map(|stage| (stage.id.clone(), path(stage)))
            .collect())
    });
    found.unwrap_or_else(|error| panic!("{yaml}\n{}", told(&error)))
}

#[test]
fn a_stage_has_what_its_kind_gives_and_its_own_in_place_of_it() {
    let yaml = pipeline(
        "{params: {text: \"${word}\", note: n}, outputs: {out: \"artifacts/${id}.txt\"}}",
        "  a: {kind: join}\n  b: {kind: join, params: {text: b}}\n  \
         c: {kind: join, params: {note: null}, outputs: {out: artifacts/own}}\n  \
         d: {kind: join, matrix: {x: [e, f], y: [z.z]}, params: {text: \"${x}\"}}\n",
    );
    let expected = [
        ("a", "artifacts/a.txt"),
        ("b", "artifacts/b.txt"),
        ("c", "artifacts/own"),
        ("d@e,z.z", "artifacts/d_e_z.z.txt"),
        ("d@f,z.z", "artifacts/d_f_z.z.txt"),
    ];
    let expected = expected.map(|(id, path)| (id.to_owned(), path.to_owned()));
    assert_eq!(paths(&yaml), expected);
    let repo = Repo::new(&yaml);
    let params = repo.with(&Ask::default(), |context| {
        let params = context.pipeline.stages.iter().map(|s| s.job.params());
        Ok(params.map(|params| params.to_string()).collect::<Vec<_>>())
    });
    let expected = [
        r#"{"note":"n","text":"w"}"#,
        r#"{"note":"n","text":"b"}"#,
        r#"{"note":"","text":"w"}"#,
        r#"{"note":"n","text":"e"}"#,
        r#"{"note":"n","text":"f"}"#,
    ];
    assert_eq!(params.expect("it resolves"), expected);
}

#[test]
fn a_default_is_the_same_as_its_text_in_the_stage() {
    let with = pipeline(
        "{params: {text: t}, inputs: {file: data/x}, outputs: {out: \"artifacts/${id}\"}}",
        "  a: {kind: join}\n",
    );
    let without = "version: 2\nstages:\n  a: {kind: join, params: {text: t}, \
                   inputs: {file: data/x}, outputs: {out: artifacts/a}}\n";
    let repo = Repo::new(without);
    repo.write("data/x", "x");
    repo.run(&Ask::default()).expect("it runs");
    assert_eq!(repo.take_runs(), ["t"]);
    repo.write("pipeline.yaml", &with);
    repo.run(&Ask::default()).expect("it runs");
    assert!(repo.take_runs().is_empty(), "the key is the same");
}

#[test]
fn defaults_name_what_is_there() {
    let cases = [
        ("version: 2\nkinds: {jion: {}}\n", "did you mean `join`?"),
        (
            "version: 2\nkinds: {tell: {}}\n",
            "no stage is of kind `tell`",
        ),
        (
            "version: 2\nkinds: {join: {param: {}}}\n",
            "did you mean `params`?",
        ),
        (
            "version: 2\nkinds: {join: [x]}\n",
            "must be a mapping, not a list",
        ),
        (
            "version: 2\nkinds: [join]\n",
            "must be a mapping, not a list",
        ),
        (
            "version: 2\nkinds: {join: {params: \"${p}\"}}\n",
            "params must be a mapping",
        ),
        (
            "version: 2\nkinds: {join: {inputs: {part: x}}}\n",
            "did you mean `parts`?",
        ),
        (
            "version: 2\nkinds: {join: {outputs: {uot: x}}}\n",
            "did you mean `out`?",
        ),
        (
            "version: 2\nkinds: {join: {params: {txet: x}}}\n",
            "did you mean `text`?",
        ),
        (
            "version: 2\nkinds: {join: {params: {note: [x]}}}\n",
            "pipeline.yaml:2:31",
        ),
        (
            "version: 2\nkinds: {join: {params: {note: \"${id}\"}}}\n",
            "is for outputs",
        ),
        (
            "version: 2\nkinds: {join: {inputs: {file: \"data/${id}\"}}}\n",
            "is for outputs",
        ),
        (
            "version: 2\nkinds: {join: {params: {note: \"${wrod}\"}}}\n",
            "`${wrod}` names nothing",
        ),
        (
            "version: 2\nvars: {id: x}\n",
            "`id` is no name for a variable",
        ),
        ("version: 1\n", "docs/reference/version-2.md"),
        ("version: 3\n", "a newer file needs"),
        ("version: 0\n", "version must be 2"),
    ];
    for (head, message) in cases {
        let yaml = format!(
            "{head}stages:\n  s: {{kind: join, params: {{text: t}}, outputs: {{out: artifacts/s}}}}\n"
        );
        let told = told(&crate::mended::language::refused(&yaml, &Ask::default()));
        assert!(told.contains(message), "{head}\n{told}");
    }
    let axis = "version: 2\nstages:\n  s: {kind: join, matrix: {id: [1]}, params: {text: t}, \
                outputs: {out: artifacts/s}}\n";
    let told = told(&crate::mended::language::refused(axis, &Ask::default()));
    assert!(told.contains("`id` is no name for an axis"), "{told}");
    // Nothing is taken away that is not there.
    let null = "version: 2\nstages:\n  s: {kind: join, params: {text: t}, \
                inputs: {file: null}, outputs: {out: artifacts/s}}\n";
    assert!(
        crate::mended::language::told(&crate::mended::language::refused(null, &Ask::default()))
            .contains("must be text, not nothing")
    );
}

#[test]
fn ids_that_one_file_name_stands_for_are_told_apart() {
    let yaml = pipeline(
        "{params: {text: t}, outputs: {out: \"artifacts/${id}\"}}",
        "  s_1: {kind: join}\n  s: {kind: join, matrix: {x: [1]}}\n",
    );
    let told = told(&crate::mended::language::refused(&yaml, &Ask::default()));
    assert!(told.contains("both write artifacts/s_1"), "{told}");
}
