//! Kind `claims`: decides the claims of the paper. A verdict never fails the stage.
//!
//! Outputs: the ledger as `csv`, `parquet`, `tex` and `md`, and `json` with all evidence (a list of
//! [`Decided`]) for the command line. Columns: `id`, `statement`, `expected`, `measured`, `std_error`,
//! `verdict`, `recorded`, `seeds`, `low`, `high`, `decided`.

use crate::kinds::claims::check::shown;
use crate::kinds::claims::claim::{self, Checked, Claim, Confidence, Decided};
use crate::kinds::claims::quantity::{Basis, Evidence, SEEDS, Sampled, unknown};
use crate::kinds::exchange::measures::read_measures;
use crate::kinds::exchange::table::{failed, read_table};
use crate::kinds::params::number::{Count, Dimension, NonNegative};
use crate::kinds::table::print::column;
use icl::prompts::setting::Setting;
use icl::theory::points;
use plots::latex::{self, Align};
use plots::number;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::{Wanted, columns, wanted};
use retrace::stage::kind::{Io, Role, StageKind, many};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use tables::table::{Column, Table};

pub struct Claims;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    d: Dimension,
    noise_var: NonNegative,
    /// m, the shots of pretraining.
    pretrain_shots: Count,
    /// Every model that a claim may name.
    models: Vec<String>,
    confidence: Confidence,
    claims: Vec<Claim>,
}

/// The roles of the measures of seeds, and of Monte Carlo errors.
pub const SEED_ROLES: [&str; 2] = ["errors", "values"];
pub const SAMPLED_ROLE: &str = "sampled";

impl StageKind for Claims {
    const NAME: &'static str = "claims";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[many("errors"), many("values"), many("sampled")];
    const OUTPUTS: &'static [&'static str] = &["csv", "parquet", "tex", "md", "json"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        let share = |x: f64| x > 0.0 && x < 0.5;
        let Confidence {
            pass,
            false_refutations,
        } = params.confidence;
        if !share(1.0 - pass) || !share(false_refutations) {
            return Err(
                "confidence: pass is from 0.5 to 1, false_refutations from 0 to 0.5".into(),
            );
        }
        let known: Vec<&str> = params.models.iter().map(String::as_str).collect();
        let mut ids = BTreeSet::new();
        for (at, claim) in params.claims.iter().enumerate() {
            let in_claim = |e: String| format!("claims.{at}: claim `{}`: {e}", claim.id);
            if !ids.insert(&claim.id) {
                return Err(in_claim("it stands twice".into()));
            }
            if claim.checks.is_empty() {
                return Err(in_claim("it has no checks".into()));
            }
            let paper = claim.correction.iter().map(|correction| &correction.paper);
            for check in claim.checks.iter().chain(&claim.shows).chain(paper) {
                if !(check.margin >= 0.0 && check.margin.is_finite()) {
                    return Err(in_claim(format!(
                        "the margin {} is no margin",
                        check.margin
                    )));
                }
                check.quantity.check(&check.at).map_err(in_claim)?;
                let named = match check.quantity.basis() {
                    Basis::Seeds => check.at.of.iter().chain(&check.at.over),
                    Basis::Theory | Basis::Sampled => [].iter().chain(&[]),
                };
                for model in named {
                    if !params.models.contains(model) {
                        return Err(in_claim(unknown("model", model, &known)));
                    }
                }
            }
        }
        Ok(())
    }

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "csv" | "parquet" => columns(&[
                "id",
                "statement",
                "expected",
                "measured",
                "std_error",
                "verdict",
                "recorded",
                "seeds",
                "low",
                "high",
                "decided",
            ]),
            _ => None,
        }
    }

    fn wants(params: &Params) -> Vec<Wanted> {
        let mut wants = wanted("errors", &["model", "task", "n_shots", "error"]);
        wants.extend(wanted("values", &["model", "quantity", "value"]));
        wants.extend(wanted(SAMPLED_ROLE, &["error", "std_error", "exact"]));
        // Accuracies, of the sets of seeds of which a check asks for them.
        for (at, claim) in params.claims.iter().enumerate() {
            for (list, checks) in [("checks", &claim.checks), ("shows", &claim.shows)] {
                let asked = checks.iter().enumerate();
                let asked = asked.filter(|(_, check)| check.quantity.is_accuracy());
                wants.extend(asked.map(|(n, check)| Wanted {
                    role: "errors".to_owned(),
                    label: check.at.from.clone(),
                    column: "accuracy".to_owned(),
                    param: format!("claims.{at}.{list}.{n}"),
                }));
            }
        }
        wants
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let setting = Setting::new(params.d.get(), params.noise_var.get()).map_err(failed)?;
        let mut seeds = Vec::new();
        for (label, errors) in io.inputs("errors") {
            let values = io.inputs("values").iter().find(|(other, _)| other == label);
            let values = values.map(|(_, path)| path.as_path());
            seeds.push((label.clone(), read_measures(errors, values)?));
        }
        for (label, _) in io.inputs("values") {
            let errors = || io.inputs("errors").iter().map(|(label, _)| label.as_str());
            if !errors().any(|known| known == label) {
                let message = format!("the values `{label}` belong to no input of `errors`");
                return Err(Error::failed(message).suggest(label, errors()));
            }
        }
        let mut sampled = Vec::new();
        for (label, path) in io.inputs(SAMPLED_ROLE) {
            let table = read_table(path)?;
            let floats = |name: &str| table.floats(name).map_err(failed);
            let (error, std_error) = (floats("error")?, floats("std_error")?);
            let exact = floats("exact")?;
            let rows = (0..table.rows()).map(|row| Sampled {
                error: error[row],
                std_error: std_error[row],
                exact: exact[row],
            });
            sampled.push((label.clone(), rows.collect()));
        }
        let evidence = Evidence {
            points: points::exact(&setting).map_err(failed)?,
            setting,
            pretrain_shots: params.pretrain_shots.get(),
            seeds,
            sampled,
        };
        let decided = claim::decide(&params.claims, params.confidence, &evidence);
        let decided = decided.map_err(|why| {
            let of = |claim: &Claim| why.starts_with(&format!("claim `{}`: ", claim.id));
            let at = params.claims.iter().position(of).unwrap_or_default();
            Error::failed(format!("claims.{at}: {why}"))
        })?;
        for claim in &decided {
            io.log(format!("{}: {}", claim.id, claim.verdict.words()));
        }
        let table = table(&decided).map_err(failed)?;
        io.write("csv", &table.to_csv().map_err(failed)?)?;
        io.write("parquet", &table.to_parquet().map_err(failed)?)?;
        let print = latex_table(&decided);
        io.write("tex", latex::latex(&print).map_err(failed)?.as_bytes())?;
        io.write("md", markdown(&decided).as_bytes())?;
        let mut json = serde_json::to_vec_pretty(&decided).map_err(failed)?;
        json.push(b'\n');
        io.write("json", &json)
    }
}

fn table(claims: &[Decided]) -> std::result::Result<Table, tables::table::TableError> {
    let text = |part: &dyn Fn(&Decided) -> String| Column::Text(claims.iter().map(part).collect());
    let float = |part: &dyn Fn(&Decided) -> Option<f64>| {
        Column::Float(claims.iter().map(|c| part(c).unwrap_or(f64::NAN)).collect())
    };
    let seeds = claims
        .iter()
        .map(|claim| claim.checks[0].seeds.len() as i64);
    Table::new(vec![
        ("id", text(&|c| c.id.clone())),
        ("statement", text(&|c| c.statement.clone())),
        ("expected", text(&|c| c.expected.clone())),
        ("measured", float(&|c| c.measured)),
        ("std_error", float(&|c| c.std_error)),
        ("verdict", text(&|c| c.verdict.words().to_owned())),
        ("recorded", text(&|c| c.recorded.words().to_owned())),
        ("seeds", Column::Int(seeds.collect())),
        ("low", float(&|c| c.checks[0].interval.map(|i| i[0]))),
        ("high", float(&|c| c.checks[0].interval.map(|i| i[1]))),
        ("decided", text(&|c| c.checks[0].decided.clone())),
    ])
}

/// Value and standard error, in words.
pub fn measured(measured: Option<f64>, std_error: Option<f64>) -> String {
    match (measured, std_error) {
        (None, _) => "none".to_owned(),
        (Some(value), None) => shown(value),
        (Some(value), Some(error)) => {
            format!("{} ± {}", digits(value, error), digits(error, error))
        }
    }
}

/// `value` to two digits of its error.
fn digits(value: f64, error: f64) -> String {
    if error == 0.0 || !error.is_finite() {
        return shown(value);
    }
    let decimals = (1.0 - libm::floor(libm::log10(error))).clamp(0.0, 12.0) as usize;
    format!("{value:.decimals$}")
}

fn latex_table(claims: &[Decided]) -> latex::Table {
    let row = |claim: &Decided| {
        let value = match (claim.measured, claim.std_error) {
            (None, _) => String::new(),
            (Some(value), None) => shown(value).replace('-', "\u{2212}"),
            (Some(value), Some(error)) => number::with_error(value, error, 2),
        };
        vec![
            claim.id.clone(),
            claim.expected.clone(),
            value,
            claim.verdict.words().to_owned(),
        ]
    };
    latex::Table {
        columns: vec![
            column("Claim", Align::Left),
            column("Expected", Align::Left),
            column("Measured", Align::Right),
            column("Verdict", Align::Left),
        ],
        rows: claims.iter().map(row).collect(),
        ..latex::Table::default()
    }
}

/// Where a check looks, in words: `lowest-error of zs on theta0 at n = 1..40`.
pub fn place(check: &Checked) -> String {
    let mut text = check.quantity.clone();
    let at = &check.at;
    let mut add = |word: &str, names: &[String]| {
        if !names.is_empty() {
            let _ = write!(text, " {word} {}", names.join(", "));
        }
    };
    add("of", &at.of);
    add("over", &at.over);
    add("on", &at.tasks);
    if let Some([first, last]) = at.shots {
        let _ = match first == last {
            true => write!(text, " at n = {first}"),
            false => write!(text, " at n = {first}..{last}"),
        };
    }
    if let Some(constant) = at.constant {
        let _ = write!(text, " for {constant}");
    }
    if at.from != SEEDS {
        let _ = write!(text, " ({})", at.from);
    }
    text
}

fn markdown(claims: &[Decided]) -> String {
    let mut text =
        "| claim | expected | measured | verdict |\n| --- | --- | --- | --- |\n".to_owned();
    for claim in claims {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            claim.id,
            claim.expected,
            measured(claim.measured, claim.std_error),
            claim.verdict.words()
        );
    }
    for claim in claims {
        let _ = write!(
            text,
            "\n## {}: {}\n\n{}\n\nRefuted by: {}\n\n| quantity | expected | measured | interval | outcome |\n\
             | --- | --- | --- | --- | --- |\n",
            claim.id,
            claim.verdict.words(),
            claim.statement,
            claim.refuted_by
        );
        for check in &claim.checks {
            line(&mut text, "", check);
        }
        for check in &claim.shows {
            line(&mut text, "beside: ", check);
        }
        if let Some((words, paper)) = &claim.correction {
            line(&mut text, "the paper's value: ", paper);
            let _ = writeln!(text, "\nCorrection: {words}");
        }
    }
    text
}

fn line(text: &mut String, before: &str, check: &Checked) {
    let interval = check.interval.map_or_else(String::new, |[low, high]| {
        format!("{} to {}", shown(low), shown(high))
    });
    let outcome = check.outcome.word();
    let _ = writeln!(
        text,
        "| {before}{} | {} | {} | {interval} | {outcome} |",
        place(check),
        check.expected,
        measured(check.measured, check.std_error)
    );
}
