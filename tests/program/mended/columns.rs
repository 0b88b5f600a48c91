//! A column that a figure or another kind wants and its table does not have is told when the pipeline is
//! resolved.

use super::language::{resolve, told};
use std::path::Path;

const FIRST: &str = "version: 2\nstages:\n  o: {kind: optimum, params: {family: {pretrained: {dimensions: [6], \
                     pretrain_shots: 10}}, noise_var: 0, shots: {first: 0, last: 2}, prompts: 10, seeds: [0], task_seed: 0}}\n";

fn refusal(yaml: &str) -> String {
    match resolve(yaml, &[]) {
        Ok(_) => panic!("{yaml}\nis not refused"),
        Err(error) => told(&error),
    }
}

#[test]
fn a_wrong_column_of_a_figure_is_told_before_anything_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let yaml = std::fs::read_to_string(root.join("pipeline.yaml")).expect("the pipeline");
    resolve(&yaml, &[]).expect("it is sound");
    // What is written, what is written wrongly, where it is told, and what was meant.
    for (right, wrong, told, meant) in [
        (
            "{table: learned, x: n_shots, y: error}, each: model",
            "{table: learned, x: n_shots, y: eror}, each: model",
            "stage `linear_tf_thetas`: panels.0.series.0.from.y: ",
            "error",
        ),
        (
            "title: \"task −θ₀\", where: {task: ",
            "title: \"task −θ₀\", where: {tsk: ",
            "stage `linear_tf_thetas`: panels.0.facets.1.where.tsk: ",
            "task",
        ),
        (
            "{table: \"finetune@*\", x: step, y: loss}",
            "{table: \"finetune@*\", x: stp, y: loss}",
            "stage `train_losses`: panels.1.series.0.from.x: ",
            "step",
        ),
        (
            "{table: pretrain, x: step",
            "{table: pretrian, x: step",
            "stage `train_losses`: panels.0.series.0.from.x: no input of `tables` is called `pretrian`",
            "pretrain",
        ),
        (
            "{statistic: draw}, x: gain, y: loss}",
            "{statistic: draw}, x: gain, y: los}",
            "stage `digits_tradeoff`: panels.0.series.0.from.y: ",
            "loss",
        ),
        (
            "each: descent",
            "each: decent",
            "stage `balance_law`: panels.0.series.1.each: ",
            "descent",
        ),
        (
            "{table: weights, where: {n_shots: 20}",
            "{table: weights, where: {n_shot: 20}",
            "stage `optimal_zs_finetune_v_only_with_c`: panels.1.callouts.0.from.where.n_shot: ",
            "n_shots",
        ),
        (
            "lines: [size, training, pretraining]",
            "lines: [size, trainin, pretraining]",
            "stage `appendix_summary`: panels.0.rows.lines.1: ",
            "training",
        ),
    ] {
        assert!(yaml.contains(right), "{right}");
        let edited = yaml.replacen(right, wrong, 1);
        let error = resolve(&edited, &[]).err().expect(wrong);
        assert!(
            error.message.starts_with(told),
            "{wrong}: {}",
            error.message
        );
        let says = ["has no column", "no input of `tables` is called"];
        let says = says.iter().any(|words| error.message.contains(words));
        assert!(says, "{}", error.message);
        let hint = error.hint.as_deref().unwrap_or_default();
        assert!(hint.contains(&format!("`{meant}`")), "{wrong}: {hint}");
        let place = error.place.expect("a place").to_string();
        let line = edited
            .lines()
            .position(|line| line.contains(wrong))
            .expect("the edit")
            + 1;
        assert!(
            place.starts_with(&format!("pipeline.yaml:{line}:")),
            "{wrong}: {place}"
        );
    }
}

#[test]
fn a_kind_that_reads_other_columns_than_are_written_is_refused() {
    let outputs = "outputs: {csv: figures/a.csv, parquet: figures/a.parquet, tex: figures/a.tex}";
    let table = "params: {names: {}, models: [], shots: [0]}";
    let yaml = format!(
        "{FIRST}  e: {{kind: error-table, inputs: {{errors: o.curves}}, {table}, {outputs}}}\n"
    );
    let told = refusal(&yaml);
    let expected = "pipeline.yaml:4:3: stage `e`: input `errors`, o.curves, has no column `model`";
    assert!(told.contains(expected), "{told}");
    // A file of one's own has the columns that it has.
    resolve(&yaml.replace("o.curves", "data/own.parquet"), &[])
        .map(drop)
        .expect("it resolves");
}

#[test]
fn columns_and_tables_of_claims_are_told_at_their_sentence() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let yaml = std::fs::read_to_string(root.join("pipeline.yaml")).expect("the pipeline");
    let sentence = "errors.error{model=zs, task=theta0, n_shots=0}";
    for (wrong, message, hint) in [
        (
            "errors.accuracy{model=zs, task=theta0, n_shots=0}",
            "has no column `accuracy`",
            "",
        ),
        (
            "errors.error{model=zs, tsk=theta0, n_shots=0}",
            "has no column `tsk`",
            "`task`",
        ),
        (
            "eror.error{model=zs, task=theta0, n_shots=0}",
            "no input of `tables` is called `eror`",
            "`errors`",
        ),
        (
            "errors.error{model=sz, task=theta0, n_shots=0}",
            "there is no model `sz`",
            "",
        ),
        (
            "errors.error{model=zs, task=theta0, n_shots=}",
            "a value is missing before `}`",
            "",
        ),
    ] {
        let edited = yaml.replacen(sentence, wrong, 1);
        assert!(edited.contains(wrong), "{sentence}");
        let error = resolve(&edited, &[]).err().expect(wrong);
        let (told, hinted) = (&error.message, error.hint.as_deref().unwrap_or_default());
        assert!(told.contains(message), "{wrong}: {told}");
        assert!(hinted.contains(hint), "{wrong}: {hinted}");
        let mut lines = edited.lines();
        let line = lines
            .position(|line| line.contains(wrong))
            .expect("the edit")
            + 1;
        let place = error.place.expect("a place").to_string();
        let start = format!("pipeline.yaml:{line}:");
        assert!(place.starts_with(&start), "{wrong}: {place}");
    }
}
