//! Which name means what: variables of the file and of a stage, combinations that are kept, and labels of
//! what a glob finds.

use crate::mended::language::{refused, told};
use crate::toy::{Ask, Repo};

/// A stage of the toy kind with these keys.
fn stage(name: &str, rest: &str) -> String {
    format!("  {name}: {{kind: join, {rest}}}\n")
}

fn file(head: &str, stages: &[String]) -> String {
    format!("version: 2\n{head}stages:\n{}", stages.concat())
}

/// What the file is refused for says this.
fn says(yaml: &str, message: &str) {
    let told = told(&refused(yaml, &Ask::default()));
    assert!(told.contains(message), "{yaml}\n{told}");
}

/// Each stage by its id, with its params and the names under which it reads its inputs.
fn resolved(yaml: &str) -> Vec<(String, String, Vec<String>)> {
    let repo = Repo::new(yaml);
    let found = repo.with(&Ask::default(), |context| {
        let stages = context.pipeline.stages.iter().map(|stage| {
            let text = stage.job.params()["text"].as_str().map(str::to_owned);
            let names = stage.inputs.iter().map(|input| input.key_name());
            (stage.id.clone(), text.unwrap_or_default(), names.collect())
        });
        Ok(stages.collect())
    });
    found.unwrap_or_else(|error| panic!("{yaml}\n{}", told(&error)))
}

fn texts(yaml: &str) -> Vec<(String, String)> {
    let found = resolved(yaml).into_iter();
    found.map(|(id, text, _)| (id, text)).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    expected.iter().map(owned).collect()
}

#[test]
fn a_stage_adds_variables_and_overrides_others_for_itself_alone() {
    let yaml = file(
        "vars: {word: w, both: \"${word}!\"}\nkinds: {join: {params: {text: \"${word}\"}}}\n",
        &[
            stage("a", ""),
            stage("b", "override: {word: o}"),
            stage("c", "override: {word: \"<${word}>\"}"),
            stage("d", "matrix: {x: [y]}, override: {word: \"${x}\"}"),
            stage(
                "e",
                "matrix: {x: {y: {z: 1, w: \"${word}\"}}}, vars: {own: \"${x.w}-${x}\"}, params: {text: \"${own}\"}",
            ),
            // What a variable of the file says does not change with the stage.
            stage(
                "f",
                "override: {word: o}, params: {text: \"${both}\", note: \"${word}\"}",
            ),
        ],
    );
    let expected = [
        ("a", "w"),
        ("b", "o"),
        ("c", "<w>"),
        ("d@y", "y"),
        ("e@y", "w-y"),
        ("f", "w!"),
    ];
    assert_eq!(texts(&yaml), pairs(&expected));
}

#[test]
fn a_name_has_one_meaning_in_a_stage() {
    let head = "vars: {word: w, uses_x: \"${x}\", uses_own: \"${own}\"}\n";
    let cases = [
        (
            "vars: {word: o}, params: {text: \"${word}\"}",
            "under `override`",
        ),
        (
            "override: {wrod: o}, params: {text: t}",
            "did you mean `word`?",
        ),
        (
            "override: {word: o}, params: {text: t}",
            "nothing in it uses its variable `word`",
        ),
        (
            "vars: {own: o}, params: {text: t}",
            "nothing in it uses its variable `own`",
        ),
        (
            "vars: {own: o}, params: {text: \"${onw}\"}",
            "did you mean `own`?",
        ),
        (
            "vars: {own: {a: 1}}, params: {text: \"${own.b}\"}",
            "`${own.b}` names nothing",
        ),
        (
            "vars: {own: \"${own}\"}, params: {text: \"${own}\"}",
            "`${own}` names nothing",
        ),
        (
            "vars: {id: o}, params: {text: \"${id}\"}",
            "`id` is no name for a variable",
        ),
        ("vars: [own], params: {text: t}", "must be a mapping"),
        ("override: word, params: {text: t}", "must be a mapping"),
        (
            "matrix: {word: [a]}, params: {text: \"${word}\"}",
            "is a variable of the file already",
        ),
        (
            "matrix: {x: [a]}, vars: {x: b}, params: {text: \"${x}\"}",
            "is an axis of its matrix already",
        ),
        (
            "matrix: {x: [a]}, override: {x: b}, params: {text: \"${x}\"}",
            "no variable `x` to override",
        ),
        (
            "matrix: {x: [a]}, params: {text: \"${uses_x}\"}",
            "`${x}` names nothing",
        ),
        (
            "vars: {own: o}, params: {text: \"${uses_own}${own}\"}",
            "`${own}` names nothing",
        ),
        (
            "title: [t], params: {text: t}",
            "title must be text, not a list",
        ),
        (
            "caption: \"${wrod}\", params: {text: t}",
            "did you mean `word`?",
        ),
    ];
    for (rest, message) in cases {
        says(&file(head, &[stage("s", rest)]), message);
    }
}

#[test]
fn only_keeps_what_it_names_and_exclude_takes_from_it() {
    let cases = [
        ("only: [{x: 1}]", vec!["s@1,a", "s@1,b"]),
        (
            "only: [{x: 1.0}, {y: [b]}]",
            vec!["s@1,a", "s@1,b", "s@2,b"],
        ),
        ("only: [{x: [1, 2], y: a}]", vec!["s@1,a", "s@2,a"]),
        ("only: [{x: 1}], exclude: [{y: a}]", vec!["s@1,b"]),
    ];
    let yaml = |rest: &str| {
        let rest = format!("matrix: {{x: [1, 2], y: [a, b]}}, {rest}, params: {{text: t}}");
        file("", &[stage("s", &rest)])
    };
    for (rest, ids) in cases {
        let found = texts(&yaml(rest)).into_iter().map(|(id, _)| id);
        assert_eq!(found.collect::<Vec<_>>(), ids, "{rest}");
    }
    for (rest, message) in [
        ("only: [{z: 1}]", "there is no axis `z`"),
        ("only: [{x: 3}]", "axis `x` has no item `3`"),
        ("only: [{y: [a, c]}]", "axis `y` has no item `c`"),
        ("only: [{y: []}]", "`only` names no item of axis `y`"),
        (
            "only: [{}]",
            "an item of `only` without an axis keeps everything",
        ),
        ("only: {x: 1}", "only must be a list"),
        ("only: [x]", "a combination must be a mapping"),
        (
            "only: [{x: 1}], exclude: [{x: 1}]",
            "leaves nothing of stage `s`",
        ),
        ("olny: [{x: 1}]", "did you mean `only`?"),
    ] {
        says(&yaml(rest), message);
    }
}

/// What a profile is to leave out of a matrix is a variable.
#[test]
fn only_and_exclude_read_variables_of_the_file() {
    let head = "vars: {taken: [{x: 1}, {x: 2, y: b}], few: [a], none: []}\n";
    let yaml = |rest: &str| {
        let rest = format!("matrix: {{x: [1, 2], y: [a, b]}}, {rest}, params: {{text: t}}");
        file(head, &[stage("s", &rest)])
    };
    let cases = [
        ("only: \"${taken}\"", vec!["s@1,a", "s@1,b", "s@2,b"]),
        (
            "only: [{x: 1, y: \"${few}\"}, {x: 2}]",
            vec!["s@1,a", "s@2,a", "s@2,b"],
        ),
        ("only: \"${none}\", exclude: \"${taken}\"", vec!["s@2,a"]),
    ];
    for (rest, ids) in cases {
        let found = texts(&yaml(rest)).into_iter().map(|(id, _)| id);
        assert_eq!(found.collect::<Vec<_>>(), ids, "{rest}");
    }
    for (rest, message) in [
        ("only: \"${takn}\"", "did you mean `taken`?"),
        ("only: \"${few}\"", "a combination must be a mapping"),
        ("only: \"${taken}s\"", "which cannot stand inside text"),
        ("exclude: [{x: \"${few}\"}]", "axis `x` has no item `a`"),
        // An axis has many values here: it cannot choose among its own combinations.
        ("only: [{y: \"${y}\"}]", "`${y}` names nothing"),
    ] {
        says(&yaml(rest), message);
    }
}

#[test]
fn what_a_matrix_makes_is_bounded() {
    let axis = |size: usize| format!("{:?}", (0..size).collect::<Vec<_>>());
    let yaml = |x: usize, y: usize, only: &str| {
        let rest = format!(
            "matrix: {{x: {}, y: {}}}, {only}params: {{text: t}}",
            axis(x),
            axis(y)
        );
        file("", &[stage("s", &rest)])
    };
    let few = yaml(300, 300, "only: [{x: 0}], ");
    assert_eq!(texts(&few).len(), 300);
    says(&yaml(401, 250, ""), "more than 100000 stages");
    says(
        &yaml(801, 500, "only: [{x: 0}], "),
        "more than 400000 combinations",
    );
}

#[test]
fn a_label_is_what_the_glob_matched() {
    let matrix = "matrix: {x: [0, 1, 10], y: [a, b]}, params: {text: t}";
    let reads = |inputs: &str| {
        let reader = stage(
            "r",
            &format!("params: {{text: t}}, inputs: {{parts: {inputs}}}"),
        );
        file(
            "",
            &[stage("s", matrix), stage("t", "params: {text: t}"), reader],
        )
    };
    for (inputs, names) in [
        ("\"s@0,*.out\"", vec!["parts[a]", "parts[b]"]),
        ("\"s@[!0]*,b.out\"", vec!["parts[10]", "parts[1]"]),
        ("\"s@*,b.out\"", vec!["parts[0]", "parts[10]", "parts[1]"]),
        ("{p: \"s@0,*.out\"}", vec!["parts[p@a]", "parts[p@b]"]),
        (
            "[\"s@0,*.out\", \"s@1?,b.out\"]",
            vec!["parts[0]", "parts[a]", "parts[b]"],
        ),
        (
            "[\"join:s@1,*.out\", \"join:t.out\"]",
            vec!["parts", "parts[a]", "parts[b]"],
        ),
        ("\"s@0,a.out\"", vec!["parts"]),
    ] {
        let found = resolved(&reads(inputs));
        let (_, _, mut found) = found.into_iter().next_back().expect("the reader");
        found.sort();
        let mut names = names;
        names.sort_unstable();
        assert_eq!(found, names, "{inputs}");
    }
    for (inputs, message) in [
        ("\"jion:*.out\"", "did you mean `join`?"),
        ("\"join:u*.out\"", "no stage of kind `join` is `u*`"),
        ("\"tell:*.out\"", "no stage of kind `tell` is `*`"),
        ("\"join:*.uot\"", "did you mean `out`?"),
        ("\"join:[.out\"", "is no glob"),
        ("\"join:*.out\"", "stages wait for each other"),
        (
            "[\"s@0,a.out\", \"s@1,a.out\"]",
            "two artifacts of one name",
        ),
        ("[[x]]", "an input must be text, not a list"),
    ] {
        says(&reads(inputs), message);
    }
}

#[test]
fn an_item_with_fields_is_a_number_where_one_is_wanted() {
    let yaml = "version: 2\nstages:\n  s: {kind: tasks, matrix: {seed: {7: {d: 5}, a: {d: 4}}}, only: [{seed: ITEM}], \
                params: {d: \"${seed.d}\", noise_var: 0.1, pairs: 10, seed: \"${seed}\"}}\n";
    let pipeline =
        crate::mended::language::resolve(&yaml.replace("ITEM", "7"), &[]).expect("a number");
    let stage = &pipeline.stages[0];
    assert_eq!(stage.job.params()["seed"], 7);
    // What pipeline.yaml gives no path lies among the intermediates, called as its kind says.
    let paths: Vec<String> = stage
        .outputs
        .iter()
        .map(|(_, p)| p.display().to_string())
        .collect();
    assert_eq!(
        paths,
        ["artifacts/s_7/task.json", "artifacts/s_7/data_set.parquet"]
    );
    let error = crate::mended::language::resolve(&yaml.replace("ITEM", "a"), &[])
        .err()
        .expect("no number");
    assert!(error.to_string().contains("pipeline.yaml:3:"), "{error}");
}
