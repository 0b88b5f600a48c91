//! What a claim can be about: named quantities, and their values in the evidence.
//!
//! Plain structs in, numbers out. Does not know what is expected of them.

use icl::prompts::setting::Setting;
use icl::theory::measures::{ErrorAt, Measures};
use icl::theory::optima;
use icl::theory::points::TheoryPoints;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A Monte Carlo test error with the exact one.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampled {
    pub error: f64,
    pub std_error: f64,
    pub exact: f64,
}

/// All that claims are decided on.
#[derive(Debug, Clone)]
pub struct Evidence {
    pub setting: Setting,
    /// m, the shots of pretraining.
    pub pretrain_shots: usize,
    /// Measures of the models of each training seed: exact ones labelled `measure@SEED`, those of real
    /// data by the name of their set and what makes the seed.
    pub seeds: Vec<(String, Measures)>,
    /// Monte Carlo estimates by the stage that made them.
    pub sampled: Vec<(String, Vec<Sampled>)>,
    pub points: TheoryPoints,
}

/// A quantity by its name in pipeline.yaml.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub enum Quantity {
    LowestError,
    HighestError,
    LowestExcess,
    LowestRatio,
    HighestRatio,
    LowestAccuracy,
    LowestAccuracyExcess,
    HighestAccuracyExcess,
    Loss,
    Scale,
    Deviation,
    Weight,
    WeightRatio,
    ConstantMiss,
    ThresholdMisses,
    BestWeight,
    BestWeightGap,
    LimitGap,
    LargestZ,
}

/// Every quantity with its name.
pub const QUANTITIES: [(&str, Quantity); 19] = [
    // Least and greatest test error of the models `of`, on the tasks and numbers of shots.
    ("lowest-error", Quantity::LowestError),
    ("highest-error", Quantity::HighestError),
    // Least difference of the errors of a model `of` and a model `over`, same task and shots.
    ("lowest-excess", Quantity::LowestExcess),
    // The same for their ratio.
    ("lowest-ratio", Quantity::LowestRatio),
    ("highest-ratio", Quantity::HighestRatio),
    // Of accuracies, where labels are classes.
    ("lowest-accuracy", Quantity::LowestAccuracy),
    ("lowest-accuracy-excess", Quantity::LowestAccuracyExcess),
    ("highest-accuracy-excess", Quantity::HighestAccuracyExcess),
    // Readouts of the model `of`, see `icl::measures`.
    ("loss", Quantity::Loss),
    ("scale", Quantity::Scale),
    ("deviation", Quantity::Deviation),
    ("weight", Quantity::Weight),
    // The weight of `of` over what the balance law predicts from `over`.
    ("weight-ratio", Quantity::WeightRatio),
    // How much farther the constant is from the weight of `of` than the prediction from `over`.
    ("constant-miss", Quantity::ConstantMiss),
    // Points where few shots beat none and the threshold denies it, or the reverse.
    ("threshold-misses", Quantity::ThresholdMisses),
    // The minimiser over w of the value-only error on theta0, and its largest gap from w*(n, c).
    ("best-weight", Quantity::BestWeight),
    ("best-weight-gap", Quantity::BestWeightGap),
    // Largest gap of the full zero-shot optimum's limit from 1 + sigma2.
    ("limit-gap", Quantity::LimitGap),
    // Largest |error - exact| / standard error of the stages `of`.
    ("largest-z", Quantity::LargestZ),
];

impl Quantity {
    /// The name in pipeline.yaml.
    pub fn name(self) -> &'static str {
        QUANTITIES
            .iter()
            .find(|(_, quantity)| *quantity == self)
            .map_or("", |(name, _)| name)
    }
}

impl TryFrom<String> for Quantity {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        let found = QUANTITIES.iter().find(|(known, _)| *known == name);
        found.map(|(_, quantity)| *quantity).ok_or_else(|| {
            let known: Vec<&str> = QUANTITIES.iter().map(|(name, _)| *name).collect();
            unknown("quantity", &name, &known)
        })
    }
}

impl From<Quantity> for String {
    fn from(quantity: Quantity) -> String {
        quantity.name().to_owned()
    }
}

/// `there is no WHAT `x`; there are a, b`.
pub fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    format!(
        "there is no {what} `{name}`; there are {}",
        known.join(", ")
    )
}

/// Where a quantity is taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Extent {
    /// Which seeds: the label under which the stage's inputs name them.
    pub from: String,
    /// Models; stages for `largest-z`.
    pub of: Vec<String>,
    /// Models to compare with.
    pub over: Vec<String>,
    /// `theta0` and `-theta0`; on real data `target`, `flipped` and `unseen`.
    pub tasks: Vec<String>,
    /// First and last number of shots; every measured one between counts.
    pub shots: Option<[u32; 2]>,
    /// A constant to compare with.
    pub constant: Option<f64>,
}

/// The seeds of the synthetic experiment.
pub const SEEDS: &str = "measure";

impl Default for Extent {
    fn default() -> Self {
        Extent {
            from: SEEDS.to_owned(),
            of: Vec::new(),
            over: Vec::new(),
            tasks: Vec::new(),
            shots: None,
            constant: None,
        }
    }
}

/// A quantity in the evidence.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// One number, without spread.
    Exact(f64),
    /// One number for each training seed.
    Seeds(Vec<(String, f64)>),
}

/// Which inputs of the claims stage a quantity reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Closed forms alone.
    Theory,
    /// The measures of all training seeds.
    Seeds,
    /// Monte Carlo estimates.
    Sampled,
}

impl Quantity {
    /// What it reads.
    pub fn basis(self) -> Basis {
        match self {
            Quantity::ThresholdMisses
            | Quantity::BestWeight
            | Quantity::BestWeightGap
            | Quantity::LimitGap => Basis::Theory,
            Quantity::LargestZ => Basis::Sampled,
            _ => Basis::Seeds,
        }
    }

    /// Whether it is one of accuracies, which errors on real data have.
    pub fn is_accuracy(self) -> bool {
        matches!(
            self,
            Quantity::LowestAccuracy
                | Quantity::LowestAccuracyExcess
                | Quantity::HighestAccuracyExcess
        )
    }

    /// The parts of a scope that it looks at.
    fn reads(self) -> &'static [&'static str] {
        match self {
            Quantity::LowestError | Quantity::HighestError | Quantity::LowestAccuracy => {
                &["from", "of", "tasks", "shots"]
            }
            Quantity::LowestExcess
            | Quantity::LowestRatio
            | Quantity::HighestRatio
            | Quantity::LowestAccuracyExcess
            | Quantity::HighestAccuracyExcess => &["from", "of", "over", "tasks", "shots"],
            Quantity::Loss | Quantity::Scale | Quantity::Deviation | Quantity::Weight => {
                &["from", "of"]
            }
            Quantity::WeightRatio => &["from", "of", "over"],
            Quantity::ConstantMiss => &["from", "of", "over", "constant"],
            Quantity::BestWeight => &["shots"],
            Quantity::ThresholdMisses | Quantity::BestWeightGap | Quantity::LimitGap => &[],
            Quantity::LargestZ => &["of"],
        }
    }

    /// Whether a scope says all that the quantity needs, and nothing that it does not look at.
    ///
    /// # Errors
    /// A part that is missing, or one without effect.
    pub fn check(self, scope: &Extent) -> Result<(), String> {
        let parts = [
            ("from", scope.from != SEEDS),
            ("of", !scope.of.is_empty()),
            ("over", !scope.over.is_empty()),
            ("tasks", !scope.tasks.is_empty()),
            ("shots", scope.shots.is_some()),
            ("constant", scope.constant.is_some()),
        ];
        for (part, given) in parts {
            let read = self.reads().contains(&part);
            if given && !read {
                return Err(format!("`{}` does not look at `{part}`", self.name()));
            }
            // The set of seeds has a default.
            if read && !given && part != "from" {
                return Err(format!("`{}` needs `{part}`", self.name()));
            }
        }
        Ok(())
    }

    /// Its value.
    ///
    /// # Errors
    /// A model, task, number of shots or stage that the evidence does not have (the message lists those
    /// it has), or a scope without points.
    pub fn find(self, scope: &Extent, evidence: &Evidence) -> Result<Found, String> {
        match self.basis() {
            Basis::Theory => self.in_theory(scope, evidence).map(Found::Exact),
            Basis::Sampled => largest_z(scope, evidence).map(Found::Exact),
            Basis::Seeds => {
                let of_seed = |(label, measures): &(String, Measures)| {
                    Ok((label.clone(), self.of_seed(scope, measures)?))
                };
                let seeds = evidence.seeds.iter();
                let values: Vec<(String, f64)> = seeds
                    .filter(|(label, _)| set(label) == scope.from)
                    .map(of_seed)
                    .collect::<Result<_, String>>()?;
                if values.is_empty() {
                    let mut known: Vec<&str> = evidence.seeds.iter().map(|(l, _)| set(l)).collect();
                    known.dedup();
                    return Err(unknown("set of seeds", &scope.from, &known));
                }
                Ok(Found::Seeds(values))
            }
        }
    }

    fn in_theory(self, scope: &Extent, evidence: &Evidence) -> Result<f64, String> {
        let (points, setting) = (&evidence.points, &evidence.setting);
        match self {
            Quantity::ThresholdMisses => {
                let misses = points.thresholds.iter().filter(|point| {
                    // At equal errors n is the threshold itself.
                    let equal = (point.few - point.none).abs() < icl::math::tolerance::ROUNDING;
                    let wrong = |threshold: f64| {
                        let n = point.n_shots as f64;
                        let at = (n - threshold).abs() < icl::math::tolerance::ROUNDING * n;
                        if equal || at {
                            equal != at
                        } else {
                            (point.few < point.none) != (n > threshold)
                        }
                    };
                    wrong(point.threshold) || point.special.is_some_and(wrong)
                });
                Ok(misses.count() as f64)
            }
            Quantity::BestWeight => {
                let n = scope.one_shot()?;
                let point = points
                    .weights
                    .iter()
                    .find(|point| point.n_shots == n && point.cosine == 1.0);
                point.map(|point| point.best).ok_or_else(|| {
                    format!("there is no best weight at n = {n}: n goes from 1 to 40")
                })
            }
            Quantity::BestWeightGap => Ok(points.weights.iter().fold(0.0, |most: f64, point| {
                let wanted = optima::best_value_weight(setting, point.n_shots, point.cosine);
                largest(most, (point.best - wanted).abs())
            })),
            _ => Ok(points.limits.iter().fold(0.0, |most: f64, limit| {
                largest(most, (limit - optima::zero_shot_asymptote(setting)).abs())
            })),
        }
    }

    fn of_seed(self, scope: &Extent, measures: &Measures) -> Result<f64, String> {
        let readout = |models: &[String], name: &str| {
            let [model] = models else {
                return Err(format!("`{}` is of one model", self.name()));
            };
            value(measures, model, name)
        };
        match self {
            Quantity::LowestError | Quantity::HighestError | Quantity::LowestAccuracy => {
                let mut found = Vec::new();
                for model in &scope.of {
                    found.extend(self.measured(measures, model, scope)?);
                }
                extreme(found.into_iter().map(|(_, error)| error), self.is_highest())
            }
            Quantity::LowestExcess
            | Quantity::LowestRatio
            | Quantity::HighestRatio
            | Quantity::LowestAccuracyExcess
            | Quantity::HighestAccuracyExcess => {
                let mut found = Vec::new();
                for of in &scope.of {
                    let of = self.measured(measures, of, scope)?;
                    for over in &scope.over {
                        let over = self.measured(measures, over, scope)?;
                        let places = |found: &[(Place<'_>, f64)]| -> Vec<(String, usize)> {
                            let place = |(at, _): &(Place, f64)| (at.0.to_owned(), at.1);
                            found.iter().map(place).collect()
                        };
                        if places(&of) != places(&over) {
                            return Err("the models were not measured at the same places".into());
                        }
                        let pair = |((_, x), (_, y)): (&(Place, f64), &(Place, f64))| match self {
                            Quantity::LowestRatio | Quantity::HighestRatio => x / y,
                            _ => x - y,
                        };
                        found.extend(of.iter().zip(&over).map(pair));
                    }
                }
                extreme(found.into_iter(), self.is_highest())
            }
            Quantity::Loss => readout(&scope.of, "loss"),
            Quantity::Scale => readout(&scope.of, "scale"),
            Quantity::Deviation => readout(&scope.of, "deviation"),
            Quantity::Weight => readout(&scope.of, "weight"),
            _ => {
                let reached = readout(&scope.of, "weight")?;
                let predicted = readout(&scope.over, "balance_weight")?;
                if self == Quantity::WeightRatio {
                    return Ok(reached / predicted);
                }
                let constant = scope.constant.ok_or("`constant-miss` needs a `constant`")?;
                Ok((reached - constant).abs() - (reached - predicted).abs())
            }
        }
    }
}

impl Quantity {
    fn is_highest(self) -> bool {
        matches!(
            self,
            Quantity::HighestError | Quantity::HighestRatio | Quantity::HighestAccuracyExcess
        )
    }

    /// Errors of a model in the scope, or accuracies where the quantity is of these.
    fn measured<'a>(
        self,
        measures: &'a Measures,
        model: &str,
        scope: &Extent,
    ) -> Result<Vec<(Place<'a>, f64)>, String> {
        let accuracies = matches!(
            self,
            Quantity::LowestAccuracy
                | Quantity::LowestAccuracyExcess
                | Quantity::HighestAccuracyExcess
        );
        let value = |at: &ErrorAt| match accuracies {
            true => at
                .accuracy
                .ok_or_else(|| format!("no accuracy of `{model}` was measured, only its errors")),
            false => Ok(at.error),
        };
        let points = points(measures, model, scope)?;
        let found = points.into_iter();
        found
            .map(|at| Ok(((at.task.as_str(), at.n_shots), value(at)?)))
            .collect()
    }
}

/// The set that a seed's label belongs to.
pub fn set(label: &str) -> &str {
    label.split('@').next().unwrap_or(label)
}

impl Extent {
    fn one_shot(&self) -> Result<usize, String> {
        match self.shots {
            Some([first, last]) if first == last => Ok(first as usize),
            _ => Err("`shots` must be one number, written twice: [20, 20]".to_owned()),
        }
    }
}

/// The larger one; NaN where one is.
fn largest(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.max(b)
    }
}

fn extreme(values: impl Iterator<Item = f64>, highest: bool) -> Result<f64, String> {
    let sign = if highest { 1.0 } else { -1.0 };
    let found = values.map(|x| sign * x).reduce(largest);
    found.map(|x| sign * x).ok_or_else(|| {
        "there is no measured point in the scope: give models, tasks and shots".into()
    })
}

/// Task and number of shots.
type Place<'a> = (&'a str, usize);

fn points<'a>(
    measures: &'a Measures,
    model: &str,
    scope: &Extent,
) -> Result<Vec<&'a ErrorAt>, String> {
    let of_model = || measures.errors.iter().filter(|at| at.model == model);
    if of_model().next().is_none() {
        let mut known: Vec<&str> = measures.errors.iter().map(|at| at.model.as_str()).collect();
        known.dedup();
        return Err(unknown("model", model, &known));
    }
    for task in &scope.tasks {
        if !of_model().any(|at| at.task == *task) {
            let mut known: Vec<&str> = of_model().map(|at| at.task.as_str()).collect();
            known.dedup();
            return Err(unknown("task", task, &known));
        }
    }
    let [first, last] = scope.shots.ok_or("`shots: [first, last]` is missing")?;
    // Every measured number between the ends counts, but the ends must be there.
    for task in &scope.tasks {
        for end in [first, last] {
            let here = |at: &&ErrorAt| at.task == *task && at.n_shots == end as usize;
            if !of_model().any(|at| here(&at)) {
                let measured = of_model().filter(|at| at.task == *task);
                let away = |at: &&ErrorAt| at.n_shots.abs_diff(end as usize);
                let nearest = measured.min_by_key(away).map_or(0, |at| at.n_shots);
                return Err(format!(
                    "`{model}` was not measured on `{task}` at n = {end}; the nearest is n = {nearest}"
                ));
            }
        }
    }
    let inside = |n: usize| (first as usize..=last as usize).contains(&n);
    let rows = of_model().filter(|at| scope.tasks.contains(&at.task) && inside(at.n_shots));
    Ok(rows.collect())
}

fn value(measures: &Measures, model: &str, name: &str) -> Result<f64, String> {
    let found = measures
        .values
        .iter()
        .find(|value| value.model == model && value.value_name == name);
    found.map(|value| value.value).ok_or_else(|| {
        let of_model = measures.values.iter().filter(|value| value.model == model);
        let names: Vec<&str> = of_model.map(|value| value.value_name.as_str()).collect();
        if !names.is_empty() {
            return format!("of `{model}`, {}", unknown("readout", name, &names));
        }
        let mut known: Vec<&str> = measures.values.iter().map(|v| v.model.as_str()).collect();
        known.dedup();
        match known.is_empty() {
            true => "the seeds have errors and no readouts".to_owned(),
            false => unknown("model", model, &known),
        }
    })
}

fn largest_z(scope: &Extent, evidence: &Evidence) -> Result<f64, String> {
    let mut most = 0.0;
    for stage in &scope.of {
        let found = evidence.sampled.iter().find(|(name, _)| name == stage);
        let (_, rows) = found.ok_or_else(|| {
            let known: Vec<&str> = evidence.sampled.iter().map(|(n, _)| n.as_str()).collect();
            unknown("stage", stage, &known)
        })?;
        for row in rows {
            let gap = (row.error - row.exact).abs();
            // Without spread only equality agrees.
            let z = if gap == 0.0 { 0.0 } else { gap / row.std_error };
            most = largest(most, z);
        }
    }
    Ok(most)
}
