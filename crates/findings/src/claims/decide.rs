//! How claims are decided on evidence: outcomes of checks, and the verdict that follows.
//!
//! Does not know where the evidence came from. `docs/claims.md` has the reasoning, above all the chance of a
//! false alarm.

use crate::claims::check::{Check, Relation, Scale};
use crate::claims::claim::{Checked, Claim, Confidence, Decided, Outcome, Verdict};
use crate::claims::query::evaluate::{Units, evaluate};
use crate::claims::query::evidence::{Evidence, Key};
use crate::claims::query::expression::{Aggregate, Expression};
use crate::claims::query::inherit::spelled_out;
use crate::claims::spread::{self, Spread};

/// Decides every claim; `random` are the columns whose values are draws.
///
/// # Errors
/// A claim that asks for something that is not there; the message says which, and lists what is.
pub fn decide(
    claims: &[Claim],
    confidence: Confidence,
    random: &[String],
    evidence: &Evidence,
) -> Result<Vec<Decided>, String> {
    let deciding = claims.iter().map(|claim| {
        let paper = claim.correction.iter().count();
        claim.checks.len() + paper
    });
    let judge = Judge {
        pass_tail: 1.0 - confidence.pass,
        refute_tail: confidence.false_refutations / deciding.sum::<usize>().max(1) as f64,
        random,
        evidence,
    };
    let decided = claims.iter().enumerate().map(|(at, claim)| {
        let decided = judge.claim(claim);
        decided.map_err(|(place, why)| format!("claims.{at}.{place}: claim `{}`: {why}", claim.id))
    });
    decided.collect()
}

struct Judge<'a> {
    pass_tail: f64,
    /// Per check, so that all of them together keep to the budget (Bonferroni).
    refute_tail: f64,
    random: &'a [String],
    evidence: &'a Evidence,
}

/// Where in the claim, and what is wrong there.
type Wrong = (String, String);

impl Judge<'_> {
    fn claim(&self, claim: &Claim) -> Result<Decided, Wrong> {
        let all = |list: &str, checks: &[Check]| -> Result<Vec<Checked>, Wrong> {
            let checks = checks.iter().enumerate();
            let checked = checks.map(|(at, check)| {
                self.check(check)
                    .map_err(|why| (format!("{list}.{at}"), why))
            });
            checked.collect()
        };
        let checks = all("checks", &claim.checks)?;
        let shows = all("shows", &claim.shows)?;
        let correction = match &claim.correction {
            Some(correction) => {
                let paper = self.check(&correction.paper);
                let paper = paper.map_err(|why| ("correction.paper".to_owned(), why))?;
                Some((correction.words.clone(), paper))
            }
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
        let none = || ("checks".to_owned(), "it has no checks".to_owned());
        let first = checks.first().ok_or_else(none)?;
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
        let bounds = check.bounds(self.evidence)?;
        let random = check.over.as_deref().unwrap_or(self.random);
        let units = evaluate(&check.quantity, self.evidence, random)?;
        if let Some(missing) = random
            .iter()
            .find(|name| check.over.is_some() && !units.factors.contains(name))
        {
            return Err(format!(
                "`{}` does not vary with `{missing}`",
                check.quantity
            ));
        }
        let checked = Checked {
            quantity: check.quantity.to_string(),
            expected: check.words(self.evidence)?,
            factors: Vec::new(),
            measured: None,
            std_error: None,
            interval: None,
            reserve: None,
            chance_open: None,
            decided: String::new(),
            outcome: Outcome::Open,
            units: Vec::new(),
        };
        Ok(match units.factors.is_empty() {
            true => self.exactly(check, bounds, checked, units.values[0]),
            false => self.over_units(check, bounds, checked, &units),
        })
    }

    /// One number. What is no number is not what is expected.
    fn exactly(&self, check: &Check, bounds: [f64; 2], checked: Checked, found: f64) -> Checked {
        let fixed = self.fixed(check);
        Checked {
            measured: finite(found),
            decided: match fixed.is_empty() {
                true => "exact: one number, no spread".to_owned(),
                false => format!(
                    "one number, of {} alone: nothing is said of other draws",
                    fixed.join(", ")
                ),
            },
            outcome: match bounds[0] <= found && found <= bounds[1] {
                true => Outcome::Passes,
                false => Outcome::Refuted,
            },
            ..checked
        }
    }

    /// The draws that filters fix, `seed=0`.
    fn fixed(&self, check: &Check) -> Vec<String> {
        let mut fixed: Vec<String> = Vec::new();
        for selector in spelled_out(&check.quantity).selectors() {
            let filters = selector.filters.iter();
            let draws = filters.filter(|filter| self.random.contains(&filter.column));
            for filter in draws.map(ToString::to_string) {
                if !fixed.contains(&filter) {
                    fixed.push(filter);
                }
            }
        }
        fixed
    }

    fn over_units(
        &self,
        check: &Check,
        bounds: [f64; 2],
        checked: Checked,
        units: &Units,
    ) -> Checked {
        let levels = spread::levels(units);
        let counts: Vec<usize> = levels.iter().map(|levels| spread::count(levels)).collect();
        let name = |keys: &Vec<Key>| {
            keys.iter()
                .map(Key::to_string)
                .collect::<Vec<_>>()
                .join(",")
        };
        let names = units.keys.iter().map(name);
        let checked = Checked {
            factors: units
                .factors
                .iter()
                .cloned()
                .zip(counts.iter().copied())
                .collect(),
            units: names.zip(units.values.iter().map(|x| finite(*x))).collect(),
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
        let values: Vec<f64> = units.values.iter().map(|x| into(*x)).collect();
        // A draw that diverged, or a single one, decides nothing.
        let lost = values
            .iter()
            .zip(&checked.units)
            .find(|(x, _)| !x.is_finite());
        let single = units
            .factors
            .iter()
            .zip(&counts)
            .find(|(_, count)| **count < 2);
        let nothing = match (lost, single) {
            (Some((x, (unit, _))), _) => {
                let why = match x.is_nan() || check.scale == Scale::Log {
                    true => "no number, as where a training diverged",
                    false => "infinite, as after a division by zero",
                };
                Some(format!(
                    "open: at {} = {unit} the quantity is {why}",
                    units.factors.join(",")
                ))
            }
            (None, Some((factor, _))) => Some(format!(
                "open: there is one {factor}, which says nothing of others"
            )),
            (None, None) => None,
        };
        if let Some(decided) = nothing {
            return Checked { decided, ..checked };
        }
        let share = matches!(check.quantity, Expression::Aggregate(Aggregate::Share, ..));
        let spread = Spread::new(&values, levels, check.average, share);
        let [low, high] = bounds.map(into);
        let pass = spread.bounds(self.pass_tail);
        let refute = spread.bounds(self.refute_tail);
        let outcome = if low < pass[0] && pass[1] < high {
            Outcome::Passes
        } else if refute[1] < low || refute[0] > high {
            Outcome::Refuted
        } else {
            Outcome::Open
        };
        let sides = match check.is {
            Relation::Within(..) | Relation::Between(..) => {
                "equivalence test, two one-sided bounds"
            }
            Relation::Above(..) | Relation::Below(..) => "one-sided",
        };
        let scale = match check.scale {
            Scale::Linear => "",
            Scale::Log => " of logarithms",
        };
        let fixed = self.fixed(check);
        let alone = match fixed.is_empty() {
            true => String::new(),
            false => format!("; of {} alone", fixed.join(", ")),
        };
        let reserve = spread.reserve([low, high], self.pass_tail);
        let (centre, error) = (spread.centre(), spread.std_error());
        Checked {
            measured: Some(back(centre)),
            std_error: Some(match check.scale {
                Scale::Linear => error,
                Scale::Log => back(centre) * error,
            }),
            // JSON has no infinity: models that diverge have no interval.
            interval: Some(pass.map(back)).filter(|ends| ends.iter().all(|end| end.is_finite())),
            reserve: reserve.and_then(|(reserve, _)| finite(reserve)),
            chance_open: reserve.map(|(_, open)| open),
            decided: format!(
                "{sides}: {}{scale}, confidence {}; refuted at {:.1e}{alone}",
                spread.words(&units.factors),
                1.0 - self.pass_tail,
                self.refute_tail
            ),
            outcome,
            ..checked
        }
    }
}

fn finite(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}
