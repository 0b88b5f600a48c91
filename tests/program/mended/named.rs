//! What tables, claims and the report name must be there too, in every kind that selects by name.

use crate::mended::sketch::{Given, Made, refused, run};
use retrace::base::error::Result;
use tables::table::{Column, Table};

fn text(values: &[&str]) -> Column {
    Column::Text(values.iter().map(|value| (*value).to_owned()).collect())
}

/// Errors of two models on two tasks at n = 0 and 20, with every column that a table kind reads.
fn errors(models: [&str; 2]) -> Table {
    let (mut model, mut task, mut n) = (Vec::new(), Vec::new(), Vec::new());
    for name in models {
        for on in ["target", "unseen"] {
            for shots in [0, 20] {
                model.push(name);
                task.push(on);
                n.push(shots);
            }
        }
    }
    let number = || Column::Float(vec![0.5; n.len()]);
    let rows = n.len();
    Table::new(vec![
        ("model", text(&model)),
        ("task", text(&task)),
        ("n_shots", Column::Int(n.clone())),
        ("error", number()),
        ("std_error", number()),
        ("error_median", number()),
        ("exact", number()),
        ("accuracy", number()),
        ("accuracy_std_error", number()),
        ("accuracy_median", number()),
        ("collapses", number()),
        ("draws", Column::Int(vec![6; rows])),
        ("splits", Column::Int(vec![2; rows])),
        ("targets", Column::Int(vec![3; rows])),
    ])
    .expect("a table")
}

fn given(role: &str, label: &str, table: &Table) -> (String, String, Vec<u8>) {
    (
        role.to_owned(),
        label.to_owned(),
        table.to_parquet().expect("bytes"),
    )
}

fn models() -> Table {
    errors(["pretrained", "zs"])
}

/// Each set of params is refused with these words, and the one without an edit is not.
fn each_refused(kind: &str, params: &str, inputs: &Given, broken: &[(&str, &str, &str, &str)]) {
    run(kind, params, inputs).expect("the sound one runs");
    for (old, new, message, hint) in broken {
        assert!(params.contains(old), "{kind}: no `{old}`");
        let (found, suggested, error) = refused(run(kind, &params.replacen(old, new, 1), inputs));
        assert!(found.contains(message), "{kind} {new}: {found}");
        assert!(suggested.contains(hint), "{kind} {new}: {suggested}");
        assert!(error.place.is_some(), "{kind} {new}: nobody knows where");
    }
}

#[test]
fn tables_of_errors_name_what_is_there() {
    each_refused(
        "error-table",
        "{names: {}, models: [zs], shots: [0, 20]}",
        &vec![given("errors", "", &models())],
        &[
            ("[zs]", "[zz]", "models.0: there is no model `zz`", "zs"),
            (
                "[zs]",
                "[zs, pretraind]",
                "models.1: there is no model `pretraind`",
                "`pretrained`",
            ),
            (
                "20]",
                "21]",
                "shots.1: `zs` was not evaluated on `target` at n = 21",
                "20",
            ),
            (
                "[0, ",
                "[5, ",
                "shots.0: `zs` was not evaluated on `target` at n = 5",
                "",
            ),
        ],
    );
    let curves = vec![
        given("curves", "a", &models()),
        given("curves", "b", &models()),
    ];
    each_refused(
        "shot-table",
        "{group: d, groups: [a, b], names: {}, models: [zs], columns: [{header: h, task: target, n_shots: 20}]}",
        &curves,
        &[
            (
                "[a, b]",
                "[a, c]",
                "groups.1: there are no curves `c`",
                "a, b",
            ),
            ("[zs]", "[zss]", "models.0: `a` has no model `zss`", "`zs`"),
            (
                "task: target",
                "task: traget",
                "columns.0.task: `a` has no `zs` on `traget`",
                "`target`",
            ),
            (
                "n_shots: 20",
                "n_shots: 2",
                "columns.0.n_shots: `a` has no `zs` on `target` at n = 2",
                "20",
            ),
        ],
    );
    let losses = Table::new(vec![
        ("loss", Column::Float(vec![1.0, 0.5])),
        ("zero_shot", Column::Float(vec![1.0, 0.5])),
        ("few_shot", Column::Float(vec![1.0, 0.5])),
    ]);
    let losses = losses.expect("a table");
    let inputs = vec![
        given("losses", "finetune@zs", &losses),
        given("losses", "finetune@both", &losses),
    ];
    each_refused(
        "loss-table",
        "{names: {}, models: [zs, both], last: 1}",
        &inputs,
        &[
            (
                "both]",
                "bth]",
                "models.1: there is no model `bth`",
                "`both`",
            ),
            ("[zs", "[zs_v", "models.0: there is no model `zs_v`", "zs"),
        ],
    );
    // One name for two trainings would be the first of them.
    let twice = vec![
        given("losses", "a@zs", &losses),
        given("losses", "b@zs", &losses),
    ];
    let (found, ..) = refused(run(
        "loss-table",
        "{names: {}, models: [zs], last: 1}",
        &twice,
    ));
    assert!(
        found.contains("models.0: two inputs have the name `zs`"),
        "{found}"
    );
}

#[test]
fn a_summary_of_targets_names_what_is_there() {
    let inputs = vec![
        given("errors", "x,one", &models()),
        given("errors", "x,two", &models()),
    ];
    run("target-summary", "{models: [zs], collapse: 0.2}", &inputs).expect("the sound one runs");
    let (found, hint, _) = refused(run(
        "target-summary",
        "{models: [zss], collapse: 0.2}",
        &inputs,
    ));
    assert!(
        found.contains("`x,one` has no `zss` on `target` at n = 0") && hint.contains("`zs`"),
        "{found} {hint}"
    );
}

/// Claims about the seeds `measure@0` and `measure@1`.
fn claims(check: &str) -> Result<Made> {
    let params = format!(
        "{{d: 5, noise_var: 0.1, pretrain_shots: 20, models: [pretrained, zs], \
         confidence: {{pass: 0.99, false_refutations: 0.0001}}, claims: [{{id: c, statement: s, \
         refuted_by: r, recorded: holds, checks: [{check}]}}]}}"
    );
    let plain = |table: Table| {
        let columns = table.columns().iter();
        let columns = columns.filter(|(name, _)| !name.starts_with("accuracy"));
        Table::new(
            columns
                .map(|(name, column)| (name.as_str(), column.clone()))
                .collect(),
        )
        .expect("a table")
    };
    let values = Table::new(vec![
        ("model", text(&["pretrained", "zs"])),
        ("quantity", text(&["loss", "weight"])),
        ("value", Column::Float(vec![0.3, 0.5])),
    ]);
    let values = values.expect("a table");
    let sampled = given("sampled", "evaluate", &models());
    let mut inputs = vec![sampled];
    for seed in ["measure@0", "measure@1"] {
        inputs.push(given("errors", seed, &plain(models())));
        inputs.push(given("values", seed, &values));
    }
    // Other models were measured at other places.
    let other = errors(["zs", "both"]);
    inputs.push(given("errors", "digits@0", &other));
    inputs.push(given("errors", "digits@1", &other));
    run("claims", &params, &inputs)
}

#[test]
fn claims_name_what_was_measured_and_nothing_without_effect() {
    let sound = [
        "{quantity: highest-error, at: {of: [zs], tasks: [target], shots: [0, 20]}, is: below, expected: 1}",
        "{quantity: lowest-excess, at: {of: [zs], over: [pretrained], tasks: [target], shots: [20, 20]}, is: below, expected: 1}",
        "{quantity: loss, at: {of: [pretrained]}, is: below, expected: 1}",
        "{quantity: largest-z, at: {of: [evaluate]}, is: below, expected: 1}",
        "{quantity: lowest-accuracy, at: {from: digits, of: [zs], tasks: [target], shots: [0, 0]}, is: below, expected: 1}",
    ];
    for check in sound {
        claims(check).expect(check);
    }
    let broken = [
        // A number of shots that was not measured, at either end.
        (
            "{quantity: highest-error, at: {of: [zs], tasks: [target], shots: [0, 21]}, is: below, expected: 1}",
            "`zs` was not measured on `target` at n = 21; the nearest is n = 20",
        ),
        (
            "{quantity: highest-error, at: {of: [zs], tasks: [target], shots: [1, 20]}, is: below, expected: 1}",
            "at n = 1; the nearest is n = 0",
        ),
        // Names.
        (
            "{quantity: highest-error, at: {of: [zs], tasks: [traget], shots: [0, 20]}, is: below, expected: 1}",
            "there is no task `traget`; there are target",
        ),
        (
            "{quantity: highest-error, at: {of: [zz], tasks: [target], shots: [0, 20]}, is: below, expected: 1}",
            "there is no model `zz`; there are pretrained, zs",
        ),
        (
            "{quantity: highest-error, at: {from: measures, of: [zs], tasks: [target], shots: [0, 20]}, is: below, expected: 1}",
            "there is no set of seeds `measures`; there are measure",
        ),
        (
            "{quantity: largest-z, at: {of: [evaluat]}, is: below, expected: 1}",
            "there is no stage `evaluat`; there are evaluate",
        ),
        (
            "{quantity: scale, at: {of: [zs]}, is: below, expected: 1}",
            "of `zs`, there is no readout `scale`; there are weight",
        ),
        (
            "{quantity: loss, at: {from: digits, of: [zs]}, is: below, expected: 1}",
            "the seeds have errors and no readouts",
        ),
        (
            "{quantity: lowest-accuracy, at: {of: [zs], tasks: [target], shots: [0, 0]}, is: below, expected: 1}",
            "no accuracy of `zs` was measured",
        ),
        // Nothing to look at: the largest of no deviations would be 0, and pass.
        (
            "{quantity: largest-z, is: below, expected: 1}",
            "`largest-z` needs `of`",
        ),
        (
            "{quantity: highest-error, at: {of: [zs], shots: [0, 20]}, is: below, expected: 1}",
            "`highest-error` needs `tasks`",
        ),
        (
            "{quantity: lowest-excess, at: {of: [zs], tasks: [target], shots: [0, 20]}, is: below, expected: 1}",
            "`lowest-excess` needs `over`",
        ),
        // Words without effect.
        (
            "{quantity: loss, at: {of: [pretrained], tasks: [target]}, is: below, expected: 1}",
            "`loss` does not look at `tasks`",
        ),
        (
            "{quantity: limit-gap, at: {of: [zs]}, is: below, expected: 1}",
            "`limit-gap` does not look at `of`",
        ),
        (
            "{quantity: highest-error, at: {of: [zs], over: [pretrained], tasks: [target], shots: [0, 20]}, is: below, expected: 1}",
            "`highest-error` does not look at `over`",
        ),
    ];
    for (check, message) in broken {
        let (found, _, error) = refused(claims(check));
        assert!(found.contains(message), "{check}: {found}");
        assert!(
            found.contains("claim `c`") && error.place.is_some(),
            "{found}"
        );
    }
}

#[test]
fn evidence_under_a_name_that_nothing_has_is_refused() {
    let table = models();
    let params = "{d: 5, noise_var: 0.1, pretrain_shots: 20, models: [zs], confidence: {pass: 0.99, false_refutations: 0.0001}, \
                  claims: [{id: c, statement: s, refuted_by: r, recorded: holds, checks: [{quantity: limit-gap, is: below, expected: 1}]}]}";
    let inputs = vec![
        given("errors", "measure@0", &table),
        given("values", "mesure@0", &table),
    ];
    let (found, hint, _) = refused(run("claims", params, &inputs));
    assert!(
        found.contains("the values `mesure@0` belong to no input of `errors`")
            && hint.contains("measure@0"),
        "{found} {hint}"
    );

    let way = "{shots: 2, steps: 1, optimizer: {sgd: {learning_rate: 0.01, momentum: 0}}}";
    let params = format!(
        "{{dimensions: [], noise_vars: [], seeds: [], init_std: 0.1, pretraining: {way}, population: {{}}}}"
    );
    let one = |role: &str, label: &str| (role.to_owned(), label.to_owned(), b"{}".to_vec());
    for (inputs, message) in [
        (
            vec![one("pretrained", "ledger@7"), one("finetuned", "ledger@1")],
            "the input `finetuned` has no `ledger@7`, which was pretrained",
        ),
        (
            vec![one("finetuned", "ledger@1")],
            "the input `pretrained` has no `ledger@1`, which was fine-tuned",
        ),
    ] {
        let (found, ..) = refused(run("balance-law", &params, &inputs));
        assert!(found.contains(message), "{found}");
    }
}
