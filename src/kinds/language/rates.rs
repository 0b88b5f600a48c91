//! Kind `language-rates`: the learning rate of each variant that is best on items set aside for choices.
//!
//! Role `paths`: paths of kind `language-finetune`, labelled by their learning rate, and then by a seed where there are several. The
//! best has the largest mean, over the files of a rate, of `log_probability` on the measure after the last step; of two as good the smaller
//! wins. A rate with which a variant diverged is none of its. Output `rates`: columns `variant`, `learning_rate`, `log_probability`.

use crate::kinds::exchange::table::{failed, read_table, write_table};
use retrace::base::error::{Error, Result};
use retrace::stage::columns::{Wanted, columns, wanted};
use retrace::stage::kind::{Io, Role, StageKind, many};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tables::table::{Column, Table};

pub struct LanguageRates;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    measure: String,
    shots: u32,
}

impl StageKind for LanguageRates {
    const NAME: &'static str = "language-rates";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[many("paths")];
    const OUTPUTS: &'static [&'static str] = &["rates.parquet"];
    type Params = Params;

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "rates" => columns(&["variant", "learning_rate", "log_probability"]),
            _ => None,
        }
    }

    fn wants(_params: &Params) -> Vec<Wanted> {
        wanted(
            "paths",
            &["variant", "step", "measure", "n_shots", "log_probability"],
        )
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let mut found: Found = BTreeMap::new();
        let mut order: Vec<f64> = Vec::new();
        for (label, path) in io.inputs("paths") {
            let rate = rate_of(label)?;
            if !order.contains(&rate) {
                order.push(rate);
            }
            let at = order.iter().position(|&known| known == rate).unwrap_or(0);
            let last = last_scores(&read_table(path)?, params)
                .map_err(|e| Error::failed(format!("`{label}`: {}", e.message)))?;
            for (variant, score) in last {
                found
                    .entry(variant)
                    .or_default()
                    .entry(at)
                    .or_default()
                    .push(score);
            }
        }
        let mut best = Vec::new();
        for (variant, rates) in found {
            best.push((
                variant.clone(),
                choose(&order, &rates).ok_or_else(|| {
                    Error::failed(format!("`{variant}` diverged with every rate"))
                        .hint("try smaller ones")
                })?,
            ));
        }
        let table = Table::new(vec![
            (
                "variant",
                Column::Text(best.iter().map(|(variant, _)| variant.clone()).collect()),
            ),
            (
                "learning_rate",
                Column::Float(best.iter().map(|(_, (rate, _))| *rate).collect()),
            ),
            (
                "log_probability",
                Column::Float(best.iter().map(|(_, (_, score))| *score).collect()),
            ),
        ]);
        write_table(io, "rates", table)
    }
}

/// By variant and place of the rate: scores of all files.
type Found = BTreeMap<String, BTreeMap<usize, Vec<f64>>>;

/// The rate in a label such as `llm_trial@0.001,100`.
fn rate_of(label: &str) -> Result<f64> {
    let values = label.rsplit('@').next().unwrap_or(label);
    let first = values.split(',').next().unwrap_or(values);
    match first.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err(
            failed(format!("`{label}` does not begin with a learning rate"))
                .hint("give the rate as the first item of the matrix of the stages"),
        ),
    }
}

/// The best rate with its mean score; none where each has a divergence.
fn choose(order: &[f64], rates: &BTreeMap<usize, Vec<f64>>) -> Option<(f64, f64)> {
    let means = rates
        .iter()
        .map(|(&at, scores)| (order[at], scores.iter().sum::<f64>() / scores.len() as f64));
    let mut means: Vec<(f64, f64)> = means.filter(|(_, mean)| mean.is_finite()).collect();
    means.sort_by(|a, b| a.0.total_cmp(&b.0));
    means
        .into_iter()
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
}

/// Of each variant the score after its last step, null where it diverged.
fn last_scores(table: &Table, params: &Params) -> Result<BTreeMap<String, f64>> {
    let variant = table.texts("variant").map_err(failed)?;
    let measure = table.texts("measure").map_err(failed)?;
    let [step, shots, score] =
        ["step", "n_shots", "log_probability"].map(|name| table.floats(name).map_err(failed));
    let (step, shots, score) = (step?, shots?, score?);
    let mut last: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for row in 0..table.rows() {
        if measure[row] != params.measure || shots[row] != f64::from(params.shots) {
            continue;
        }
        let entry = last
            .entry(variant[row].clone())
            .or_insert((step[row], score[row]));
        if step[row] >= entry.0 {
            *entry = (step[row], score[row]);
        }
    }
    if last.is_empty() {
        let message = format!(
            "nothing was measured on `{}` with {} shots",
            params.measure, params.shots
        );
        return Err(failed(message).suggest(&params.measure, measure.iter().map(String::as_str)));
    }
    Ok(last
        .into_iter()
        .map(|(variant, (_, score))| (variant, score))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_rate_is_chosen_and_the_smaller_of_two_as_good() {
        let scores = |scores: &[(usize, &[f64])]| {
            scores
                .iter()
                .map(|(at, scores)| (*at, scores.to_vec()))
                .collect()
        };
        let order = [0.01, 0.001, 0.1];
        let best = choose(
            &order,
            &scores(&[(0, &[-2.0, -1.0]), (1, &[-1.5]), (2, &[-3.0])]),
        );
        assert_eq!(best, Some((0.001, -1.5)));
        let best = choose(&order, &scores(&[(0, &[-2.0, f64::NAN]), (2, &[-3.0])]));
        assert_eq!(best, Some((0.1, -3.0)), "one that diverged once is none");
        assert_eq!(choose(&order, &scores(&[(0, &[f64::NAN])])), None);
    }

    #[test]
    fn labels_begin_with_a_rate() {
        assert_eq!(rate_of("trial@0.001,100").unwrap(), 0.001);
        assert_eq!(rate_of("0.5").unwrap(), 0.5);
        for wrong in ["trial@zs", "trial@-1", "trial@"] {
            let message = rate_of(wrong).unwrap_err().message;
            assert_eq!(
                message,
                format!("`{wrong}` does not begin with a learning rate")
            );
        }
    }

    #[test]
    fn scores_are_those_after_the_last_step() {
        let text = |texts: &[&str]| Column::Text(texts.iter().map(|&text| text.into()).collect());
        let table = Table::new(vec![
            ("variant", text(&["a", "a", "b", "a"])),
            ("step", Column::Int(vec![0, 5, 5, 5])),
            ("measure", text(&["dev", "dev", "dev", "test"])),
            ("n_shots", Column::Int(vec![0, 0, 0, 0])),
            (
                "log_probability",
                Column::Float(vec![-3.0, -1.0, f64::NAN, -9.0]),
            ),
        ])
        .unwrap();
        let params = |measure: &str| Params {
            measure: measure.into(),
            shots: 0,
        };
        let last = last_scores(&table, &params("dev")).unwrap();
        assert_eq!(last["a"], -1.0);
        assert!(last["b"].is_nan());
        let error = last_scores(&table, &params("deb")).unwrap_err();
        assert_eq!(error.message, "nothing was measured on `deb` with 0 shots");
    }
}
