//! As many stages as there may be.

use crate::toy::{Ask, Repo};
use std::fmt::Write as _;

/// So many stages in ten chains' links: each reads the one of its number in the link before.
fn chains(stages: usize) -> String {
    let items = (0..stages / 10).map(|item| item.to_string());
    let items = items.collect::<Vec<_>>().join(", ");
    let mut yaml = String::from("version: 2\nstages:\n");
    for link in 0..10 {
        let inputs = match link {
            0 => String::new(),
            _ => format!("inputs: {{parts: \"s{}@${{i}}.out\"}}, ", link - 1),
        };
        let _ = writeln!(
            yaml,
            "  s{link}: {{kind: join, matrix: {{i: [{items}]}}, params: {{text: x}}, {inputs}\
             outputs: {{out: \"artifacts/${{id}}\"}}}}"
        );
    }
    yaml
}

#[test]
fn a_hundred_thousand_stages_resolve_and_one_more_is_refused() {
    let yaml = chains(100_000);
    let repo = Repo::new(&yaml);
    let count = repo.with(&Ask::default(), |context| {
        let selection = context.pipeline.select(&[], &[])?;
        Ok(selection.closure.len())
    });
    assert_eq!(count.expect("it resolves"), 100_000);
    let one =
        "  more: {kind: join, params: {text: x}, outputs: {out: artifacts/more}}\n".to_owned();
    repo.write("pipeline.yaml", &(yaml + &one));
    let error = repo.with(&Ask::default(), |_| Ok(())).err();
    let error = error.expect("it is one too many");
    assert!(error.message.contains("more than 100000 stages"), "{error}");
}

#[test]
fn a_stage_runs_first_where_the_first_group_needs_it() {
    let yaml = "version: 2
groups: {second: [c], first: [b]}
stages:
  a: {kind: join, params: {text: a}, outputs: {out: artifacts/a}}
  b: {kind: join, params: {text: b}, inputs: {parts: a.out}, outputs: {out: artifacts/b}}
  c: {kind: join, params: {text: c}, inputs: {parts: b.out}, outputs: {out: artifacts/c}}
  d: {kind: join, params: {text: d}, outputs: {out: artifacts/d}}
";
    let repo = Repo::new(yaml);
    let ranks = repo.with(&Ask::default(), |context| context.pipeline.ranks());
    assert_eq!(ranks.expect("there are groups"), [0, 0, 0, 2]);
    repo.write("pipeline.yaml", &yaml.replace("second: [c], ", ""));
    let ranks = repo.with(&Ask::default(), |context| context.pipeline.ranks());
    assert_eq!(ranks.expect("there are groups"), [0, 0, 1, 1]);
}
