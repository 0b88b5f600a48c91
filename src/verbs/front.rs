//! Verb `front`: the exact trade-off at values of one's own, and descent over all entries beside.

use clap::Args;
use icl::theory::pareto::entries::LARGEST_D;
use icl::theory::pareto::front::{FAMILIES, FrontError, FrontModel, Tradeoff};
use icl::theory::pareto::search::{Errors, Plan};
use retrace::base::error::{Error, Place, Result};
use retrace_cli::answers::answer;
use retrace_cli::{Answer, exit, terminal};
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt::Write as _;

#[derive(Debug, Args)]
pub struct FrontArgs {
    /// Bounds on the zero-shot error, with commas between them
    #[arg(long, value_name = "ERRORS", value_delimiter = ',', required = true)]
    pub zero_shot: Vec<f64>,
    /// Dimension of the covariates
    #[arg(long, value_name = "D", default_value_t = 5)]
    pub d: usize,
    /// Number of shots of the few-shot error
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub shots: usize,
    /// Variance of the label noise
    #[arg(
        long,
        value_name = "SIGMA2",
        default_value_t = 0.1,
        allow_negative_numbers = true
    )]
    pub noise_var: f64,
    /// Descend over all entries of models with so many heads, too
    #[arg(long, value_name = "HEADS", value_delimiter = ',')]
    pub descend: Vec<usize>,
    /// Random starts of each descent
    #[arg(long, value_name = "N", default_value_t = 45)]
    pub starts: usize,
    /// Print a JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

/// A point of one curve.
struct Row {
    curve: String,
    bound: f64,
    zero_shot: f64,
    few_shot: f64,
    model: Option<FrontModel>,
}

/// The least few-shot errors under bounds on the zero-shot error, printed by `front --json`.
#[derive(Serialize, JsonSchema)]
pub struct Front {
    /// Family by family under each bound, then descent by its number of heads; what is out of reach is left out.
    points: Vec<Point>,
}

/// A point of one curve.
#[derive(Serialize, JsonSchema)]
struct Point {
    /// The family of models, or `descent_` and the number of heads.
    curve: String,
    /// On the zero-shot error.
    bound: f64,
    zero_shot: f64,
    /// The mean over the numbers of shots that were asked for.
    few_shot: f64,
    /// The weights that attain it; null for what is not one head.
    model: Option<Weights>,
}

/// The weights of one head: v = (0, alpha theta0, beta), and Q of a, b, c and gamma as [`icl::theory::pareto::front`] has
/// it.
#[derive(Serialize, JsonSchema)]
struct Weights {
    alpha: f64,
    beta: f64,
    a: f64,
    b: f64,
    c: f64,
    gamma: f64,
}

impl Weights {
    fn of(model: FrontModel) -> Option<Weights> {
        match model {
            FrontModel::OneHead {
                alpha,
                beta,
                a,
                b,
                c,
                gamma,
            } => Some(Weights {
                alpha,
                beta,
                a,
                b,
                c,
                gamma,
            }),
            FrontModel::AnyHeads(_) => None,
        }
    }
}

impl Answer for Front {
    const NAME: &'static str = "front";
    const FORMAT: &'static str = "icl-repro front 1";
}

/// The most dimensions, heads and starts: more would take minutes, or gigabytes.
const LARGEST: [(&str, usize); 3] = [("d", LARGEST_D), ("descend", 12), ("starts", 10_000)];

/// Prints the least mean few-shot error under each bound, by family.
pub fn front(args: &FrontArgs) -> Result<u8> {
    let refused = |option: &str, message: String| {
        Error::config(message).at(&Place::whole(format!("--{option}")))
    };
    let option = |error: &FrontError| match error {
        FrontError::NoDimension => "d",
        FrontError::NoiseVariance(_) => "noise-var",
        FrontError::NoShots => "shots",
        FrontError::BelowNoise { .. } | FrontError::OutOfReach { .. } => "zero-shot",
    };
    let tradeoff = Tradeoff::new(args.d, args.noise_var, args.shots)
        .map_err(|error| refused(option(&error), error.to_string()))?;
    if !args.descend.is_empty() {
        let heads = args.descend.iter().copied();
        let asked = [args.d, heads.clone().max().unwrap_or_default(), args.starts];
        for ((name, most), asked) in LARGEST.into_iter().zip(asked) {
            if asked > most {
                let message = format!("{asked} is more than a descent takes: at most {most}");
                return Err(refused(name, message));
            }
        }
        if heads.min() == Some(0) || args.starts == 0 {
            return Err(refused(
                "descend",
                "heads and starts are at least 1".to_owned(),
            ));
        }
    }
    let mut rows = Vec::new();
    for &bound in &args.zero_shot {
        for family in FAMILIES {
            match tradeoff.point(family, bound) {
                Ok(point) => rows.push(Row {
                    curve: family.name().to_owned(),
                    bound,
                    zero_shot: point.zero_shot,
                    few_shot: point.few_shot,
                    model: Some(point.model),
                }),
                Err(FrontError::OutOfReach { .. }) => {}
                Err(error) => return Err(refused(option(&error), error.to_string())),
            }
        }
    }
    for &heads in &args.descend {
        let errors = Errors::new(&tradeoff, heads);
        for &bound in &args.zero_shot {
            let plan = Plan {
                starts: args.starts,
                seed: 0,
            };
            rows.extend(errors.search(bound, &plan).map(|found| Row {
                curve: format!("descent_{heads}"),
                bound,
                zero_shot: found.zero_shot,
                few_shot: found.few_shot,
                model: None,
            }));
        }
    }
    let mut text = String::new();
    if args.json {
        let points = rows.into_iter().map(|row| Point {
            model: row.model.and_then(Weights::of),
            curve: row.curve,
            bound: row.bound,
            zero_shot: row.zero_shot,
            few_shot: row.few_shot,
        });
        text = answer::text(&Front {
            points: points.collect(),
        })?;
    } else {
        let _ = writeln!(
            text,
            "{:<22}{:>10}{:>14}{:>14}",
            "curve", "bound", "zero-shot", "few-shot"
        );
        for Row {
            curve,
            bound,
            zero_shot,
            few_shot,
            ..
        } in rows
        {
            let _ = writeln!(
                text,
                "{curve:<22}{bound:>10}{zero_shot:>14.8}{few_shot:>14.8}"
            );
        }
    }
    terminal::print(&text);
    Ok(exit::OK)
}
