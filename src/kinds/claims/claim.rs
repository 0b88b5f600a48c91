//! A claim of the paper, and how it is decided on evidence.
//!
//! Plain structs in, verdicts out: does not know where the evidence came from. `docs/claims.md` has
//! the reasoning, above all the chance of a false alarm.

use crate::kinds::claims::check::{Check, Relation, Scale};
use crate::kinds::claims::quantity::{Evidence, Extent, Found};
use icl::math::student;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a claim comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    #[default]
    Holds,
    /// The paper's value is rejected and the corrected one accepted.
    HoldsWithCorrection,
    Fails,
    Undecided,
}

impl Verdict {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::HoldsWithCorrection => "holds with a correction",
            Verdict::Fails => "fails",
            Verdict::Undecided => "undecided",
        }
    }
}

/// A claim as written in pipeline.yaml.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    pub id: String,
    /// In plain words.
    pub statement: String,
    /// What would refute it.
    pub refuted_by: String,
    /// The verdict that is expected; `holds` where nothing else is said.
    #[serde(default)]
    pub recorded: Verdict,
    /// All must pass; the first is the one in the table.
    pub checks: Vec<Check>,
    /// Further evidence, which decides nothing.
    #[serde(default)]
    pub shows: Vec<Check>,
    /// A value of the paper or its code that the checks put right.
    #[serde(default)]
    pub correction: Option<Correction>,
}

/// A value that must be rejected.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// What the paper has, and what is right.
    pub words: String,
    /// Passes when the paper's value is right.
    pub paper: Check,
}

/// How sure a verdict must be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Confidence {
    /// Of each one-sided bound by which a check passes.
    pub pass: f64,
    /// Chance, for all checks of the ledger together, that one is refuted although it is right.
    pub false_refutations: f64,
}

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Passes,
    Refuted,
    Open,
}

impl Outcome {
    /// As it stands in tables, on the page and in answers.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Passes => "passes",
            Outcome::Refuted => "refuted",
            Outcome::Open => "open",
        }
    }
}

/// A check with its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Checked {
    pub quantity: String,
    pub at: Extent,
    /// In words, with its value.
    pub expected: String,
    /// Mean over the seeds, geometric on a log scale.
    pub measured: Option<f64>,
    /// None for an exact number.
    pub std_error: Option<f64>,
    /// The two one-sided bounds at the pass confidence; none where the seeds go beyond all numbers.
    pub interval: Option<[f64; 2]>,
    /// Distance of the mean from the nearest bound of what is expected, in standard deviations of
    /// a seed.
    pub reserve: Option<f64>,
    /// Chance that seeds with this mean and spread leave the check open.
    pub chance_open: Option<f64>,
    /// How it was decided, in words.
    pub decided: String,
    pub outcome: Outcome,
    /// Every seed with its value.
    pub seeds: Vec<(String, Option<f64>)>,
}

/// A claim with its verdict and all its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decided {
    pub id: String,
    pub statement: String,
    pub expected: String,
    pub measured: Option<f64>,
    pub std_error: Option<f64>,
    pub verdict: Verdict,
    pub recorded: Verdict,
    pub refuted_by: String,
    pub checks: Vec<Checked>,
    /// Further evidence, which decides nothing.
    pub shows: Vec<Checked>,
    /// What is put right, and the check of the paper's value.
    pub correction: Option<(String, Checked)>,
}

/// Decides every claim.
///
/// # Errors
/// A claim that asks for something that is not there; the message lists what is.
pub fn decide(
    claims: &[Claim],
    confidence: Confidence,
    evidence: &Evidence,
) -> Result<Vec<Decided>, String> {
    let checks = || {
        let papers = claims.iter().filter_map(|claim| claim.correction.as_ref());
        let papers = papers.map(|correction| &correction.paper);
        claims.iter().flat_map(|claim| &claim.checks).chain(papers)
    };
    let judge = Judge {
        pass_tail: 1.0 - confidence.pass,
        refute_tail: confidence.false_refutations / checks().count().max(1) as f64,
        evidence,
    };
    claims
        .iter()
        .map(|claim| {
            judge
                .claim(claim)
                .map_err(|e| format!("claim `{}`: {e}", claim.id))
        })
        .collect()
}

struct Judge<'a> {
    pass_tail: f64,
    /// Per check, so that all of them together keep to the budget (Bonferroni).
    refute_tail: f64,
    evidence: &'a Evidence,
}

impl Judge<'_> {
    fn claim(&self, claim: &Claim) -> Result<Decided, String> {
        let checks = claim.checks.iter().map(|check| self.check(check));
        let checks: Vec<Checked> = checks.collect::<Result<_, _>>()?;
        let shows = claim.shows.iter().map(|check| self.check(check));
        let shows: Vec<Checked> = shows.collect::<Result<_, _>>()?;
        let correction = match &claim.correction {
            Some(correction) => Some((correction.words.clone(), self.check(&correction.paper)?)),
            None => None,
        };
        let any = |outcome| checks.iter().any(|check| check.outcome == outcome);
        let verdict = if any(Outcome::Refuted) {
            Verdict::Fails
        } else if any(Outcome::Open) {
            Verdict::Undecided
        } else {
            match correction.as_ref().map(|(_, paper)| paper.outcome) {
                None | Some(Outcome::Passes) => Verdict::Holds,
                Some(Outcome::Refuted) => Verdict::HoldsWithCorrection,
                Some(Outcome::Open) => Verdict::Undecided,
            }
        };
        let first = checks.first().ok_or("it has no checks")?;
        Ok(Decided {
            id: claim.id.clone(),
            statement: claim.statement.clone(),
            expected: first.expected.clone(),
            measured: first.measured,
            std_error: first.std_error,
            verdict,
            recorded: claim.recorded,
            refuted_by: claim.refuted_by.clone(),
            checks,
            shows,
            correction,
        })
    }

    fn check(&self, check: &Check) -> Result<Checked, String> {
        let value = check.expected.value(self.evidence);
        // The expected set on the linear scale, its ends excluded.
        let bounds = match check.is {
            Relation::Within => [value - check.margin, value + check.margin],
            Relation::Above => [value, f64::INFINITY],
            Relation::Below => [f64::NEG_INFINITY, value],
        };
        let checked = Checked {
            quantity: check.quantity.name().to_owned(),
            at: check.at.clone(),
            expected: check.words(value),
            measured: None,
            std_error: None,
            interval: None,
            reserve: None,
            chance_open: None,
            decided: String::new(),
            outcome: Outcome::Open,
            seeds: Vec::new(),
        };
        Ok(match check.quantity.find(&check.at, self.evidence)? {
            Found::Exact(found) => Checked {
                measured: finite(found),
                decided: "exact: one number, no spread".to_owned(),
                outcome: match bounds[0] <= found && found <= bounds[1] {
                    true => Outcome::Passes,
                    false => Outcome::Refuted,
                },
                ..checked
            },
            Found::Seeds(seeds) => self.over_seeds(check, bounds, checked, seeds),
        })
    }

    fn over_seeds(
        &self,
        check: &Check,
        bounds: [f64; 2],
        checked: Checked,
        seeds: Vec<(String, f64)>,
    ) -> Checked {
        let n = seeds.len();
        let words = match check.is {
            Relation::Within => "equivalence test: two one-sided t tests",
            Relation::Above | Relation::Below => "one-sided t test",
        };
        let scale = match check.scale {
            Scale::Linear => "",
            Scale::Log => " of logarithms",
        };
        let checked = Checked {
            decided: format!(
                "{words}{scale} over {n} seeds, confidence {}; refuted at {:.1e}",
                1.0 - self.pass_tail,
                self.refute_tail
            ),
            seeds: seeds
                .iter()
                .map(|(seed, x)| (seed.clone(), finite(*x)))
                .collect(),
            ..checked
        };
        let into = |x: f64| match check.scale {
            Scale::Linear => x,
            // No number below 0 is on the scale; the least bound of a ratio is 0.
            Scale::Log if x <= 0.0 => f64::NEG_INFINITY,
            Scale::Log => libm::log(x),
        };
        let back = |x: f64| match check.scale {
            Scale::Linear => x,
            Scale::Log => libm::exp(x),
        };
        let values: Vec<f64> = seeds.iter().map(|(_, x)| into(*x)).collect();
        // A seed that diverged, or a single one, decides nothing.
        if n < 2 || values.iter().any(|x| !x.is_finite()) {
            return checked;
        }
        let [low, high] = bounds.map(into);
        let count = n as f64;
        let mean = values.iter().fold(0.0, |sum, x| sum + x) / count;
        let squares = values
            .iter()
            .fold(0.0, |sum, x| sum + (x - mean) * (x - mean));
        let deviation = (squares / (count - 1.0)).sqrt();
        let std_error = deviation / count.sqrt();
        let pass = student::t_quantile(self.pass_tail, n - 1) * std_error;
        let refute = student::t_quantile(self.refute_tail, n - 1) * std_error;
        let outcome = if low < mean - pass && mean + pass < high {
            Outcome::Passes
        } else if mean + refute < low || mean - refute > high {
            Outcome::Refuted
        } else {
            Outcome::Open
        };
        let reserve = (mean - low).min(high - mean) / deviation;
        let chance = |reserve: f64| {
            let t = student::t_quantile(self.pass_tail, n - 1);
            student::shortfall(reserve, n, t)
        };
        // A test with two sides can stay open at either.
        let sides = [(mean - low) / deviation, (high - mean) / deviation];
        let open: f64 = sides
            .iter()
            .filter(|side| side.is_finite())
            .fold(0.0, |sum, &side| sum + chance(side));
        Checked {
            measured: Some(back(mean)),
            std_error: Some(match check.scale {
                Scale::Linear => std_error,
                Scale::Log => back(mean) * std_error,
            }),
            // JSON has no infinity: models that diverge have no interval.
            interval: Some([back(mean - pass), back(mean + pass)])
                .filter(|ends| ends.iter().all(|end| end.is_finite())),
            reserve: finite(reserve),
            chance_open: Some(open.min(1.0)),
            outcome,
            ..checked
        }
    }
}

fn finite(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}
