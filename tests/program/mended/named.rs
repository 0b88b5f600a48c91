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

/// Claims about two seeds, and about errors on two targets.
fn claims(check: &str) -> Result<Made> {
    let names = "labels: {errors: [seed], digits: [target]}, random: [seed, target]";
    claims_with(names, check)
}

fn claims_with(names: &str, check: &str) -> Result<Made> {
    let params = format!(
        "{{d: 5, noise_var: 0.1, pretrain_shots: 20, {names}, known: {{model: [pretrained, zs, both]}}, \
         confidence: {{pass: 0.99, false_refutations: 0.0001}}, claims: [{{id: c, statement: s, \
         refuted_by: r, recorded: holds, checks: [\"{check}\"]}}]}}"
    );
    let mut inputs = vec![given("tables", "sampled", &models())];
    for seed in ["errors@0", "errors@1"] {
        inputs.push(given("tables", seed, &models()));
    }
    // Other models were measured at other places.
    let other = errors(["zs", "both"]);
    inputs.push(given("tables", "digits@0_vs_1", &other));
    inputs.push(given("tables", "digits@0_vs_2", &other));
    run("claims", &params, &inputs)
}

#[test]
fn claims_name_what_was_measured() {
    let sound = [
        "max(errors.error{model=zs, task=target, n_shots=0|20}) below 1",
        "errors.error{model=zs, task=target, n_shots=20} - errors.error{model=pretrained} below 1",
        "max(sampled.error / sampled.std_error) below noise-floor",
        "digits.accuracy{model=zs, task=target, n_shots=0} above 0 over target",
    ];
    for check in sound {
        claims(check).expect(check);
    }
    let broken = [
        // A number of shots that was not measured, at either end.
        (
            "max(errors.error{model=zs, task=target, n_shots=0..21}) below 1",
            "`errors` with model=zs, task=target has nothing at n_shots = 21; the nearest is 20",
        ),
        (
            "max(errors.error{model=zs, task=target, n_shots=1..20}) below 1",
            "has nothing at n_shots = 1; the nearest is 0",
        ),
        // Names.
        (
            "max(errors.error{model=zs, task=traget}) below 1",
            "there is no task `traget`: did you mean `target`?",
        ),
        (
            "max(errors.error{model=baseline}) below 1",
            "there is no model `baseline`; there are pretrained, zs, both",
        ),
        (
            "max(errors.error{model=both}) below 1",
            "in `errors` there is no model `both`; there are pretrained, zs",
        ),
        (
            "max(erors.error) below 1",
            "there is no table `erors`: did you mean `errors`?",
        ),
        (
            "max(errors.eror) below 1",
            "in `errors` there is no column `eror`: did you mean `error`?",
        ),
        (
            "max(errors.error) below noise-flor",
            "did you mean `noise-floor`?",
        ),
        // Factors that are none, or that the quantity does not vary with.
        (
            "max(errors.error) below 1 over sed",
            "there is no random factor `sed`: did you mean `seed`?",
        ),
        (
            "max(errors.error) below 1 over target",
            "`max(errors.error)` does not vary with `target`",
        ),
        (
            "max(errors.error) between 2 and 1",
            "nothing is between 2 and 1",
        ),
        ("max(errors.error) below 1 / 0", "`1 / 0` is inf"),
    ];
    for (check, message) in broken {
        let (found, _, error) = refused(claims(check));
        assert!(found.contains(message), "{check}: {found}");
        assert!(error.place.is_some(), "{found}");
    }
}

#[test]
fn what_is_drawn_once_is_said() {
    let decided = |check: &str| -> String {
        let made = claims(check).expect(check);
        let json: serde_json::Value = serde_json::from_str(&made.text("json")).expect("JSON");
        let word = |name: &str| {
            json[0]["checks"][0][name]
                .as_str()
                .expect("text")
                .to_owned()
        };
        format!("{}, {}", word("outcome"), word("decided"))
    };
    let error = "errors.error{model=zs, task=target, n_shots=20";
    assert_eq!(
        decided(&format!("{error}, seed=0}} below 1")),
        "passes, one number, of seed=0 alone: nothing is said of other draws"
    );
    let two = decided(&format!("{error}}} below 1"));
    let start = "passes, one-sided: t test over seed (2), confidence 0.99";
    assert!(two.starts_with(start), "{two}");
    assert_eq!(
        decided(&format!("{error}, seed=0..0}} below 1")),
        "open, open: there is one seed, which says nothing of others"
    );
}

#[test]
fn labels_and_factors_that_nothing_has_are_refused() {
    let check = "max(sampled.error) below 1";
    for (names, message) in [
        (
            "labels: {erors: [seed], digits: [target]}, random: []",
            "labels.erors: there is no input of `tables` called `erors`: did you mean `errors`?",
        ),
        (
            "labels: {errors: [seed], digits: [target]}, random: [sed]",
            "random.0: there is no column `sed`: did you mean `seed`?",
        ),
        (
            "labels: {errors: [seed]}, random: []",
            "labels.digits: `digits` has a file `0_vs_1`",
        ),
        (
            "labels: {errors: [seed, split], digits: [target]}, random: []",
            "`errors` has a file `0`, of 1 labels; `labels` names 2: seed, split",
        ),
        (
            "labels: {errors: [seed, seed]}, random: []",
            "labels.errors: give each label one name",
        ),
    ] {
        let (found, ..) = refused(claims_with(names, check));
        assert!(found.contains(message), "{names}: {found}");
    }
}

#[test]
fn a_run_of_the_balance_law_without_its_partner_is_refused() {
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
