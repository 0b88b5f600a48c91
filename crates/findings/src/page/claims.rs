//! Claims as the report shows them: numbers in words, verdicts with a class for their colour.
//!
//! Knows what the kind `claims` writes. Does not know where on the page it stands.

use crate::claims::check::shown;
use crate::claims::claim::{Checked, Decided, Verdict};
use crate::claims::print::measured;
use crate::page::params::ClaimWords;
use serde::Serialize;

#[derive(Serialize)]
pub struct ClaimView {
    pub id: String,
    /// The statement, or how it reads alone.
    pub heading: String,
    /// The statement where the heading is another sentence.
    pub statement: Option<String>,
    /// Of what the numbers are, in words; or as the first check writes it.
    pub measures: String,
    pub in_words: bool,
    pub refuted_by: String,
    pub expected: String,
    pub measured: String,
    pub verdict: &'static str,
    pub class: &'static str,
    pub differs: bool,
    pub recorded: &'static str,
    pub correction: Option<String>,
    pub evidence: Vec<CheckView>,
    /// Figures that bear on it: address and title. It stands in full beside the first.
    pub figures: Vec<(String, String)>,
}

#[derive(Serialize)]
pub struct CheckView {
    role: &'static str,
    quantity: String,
    expected: String,
    measured: String,
    interval: String,
    decided: String,
    outcome: &'static str,
    factors: String,
    units: String,
}

/// How many claims came to what.
#[derive(Default, Serialize)]
pub struct Counts {
    pub all: usize,
    pub holds: usize,
    pub corrected: usize,
    pub fails: usize,
    pub undecided: usize,
}

/// A verdict as a class of the style sheet.
pub fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::HoldsWithCorrection => "corrected",
        Verdict::Fails => "fails",
        Verdict::Undecided => "undecided",
    }
}

/// Counts verdicts.
pub fn counts(claims: &[Decided]) -> Counts {
    let mut counts = Counts {
        all: claims.len(),
        ..Counts::default()
    };
    for claim in claims {
        match claim.verdict {
            Verdict::Holds => counts.holds += 1,
            Verdict::HoldsWithCorrection => counts.corrected += 1,
            Verdict::Fails => counts.fails += 1,
            Verdict::Undecided => counts.undecided += 1,
        }
    }
    counts
}

/// A claim with all its evidence.
pub fn view(
    claim: &Decided,
    words: Option<&ClaimWords>,
    figures: Vec<(String, String)>,
    signs: &[[String; 2]],
) -> ClaimView {
    let typeset = |text: &str| typeset(text, signs);
    let check = |role, checked| check(role, checked, signs);
    let mut evidence: Vec<CheckView> = claim.checks.iter().map(|c| check("", c)).collect();
    evidence.extend(claim.shows.iter().map(|c| check("beside", c)));
    let paper = claim.correction.as_ref();
    evidence.extend(paper.map(|(_, paper)| check("the paper’s value", paper)));
    let alone = words.and_then(|words| words.alone.as_ref());
    let measures = words.and_then(|words| words.measures.as_ref());
    let first = claim.checks.first().map(|check| &check.quantity);
    ClaimView {
        id: claim.id.clone(),
        heading: typeset(alone.unwrap_or(&claim.statement)),
        statement: alone.map(|_| typeset(&claim.statement)),
        measures: measures
            .or(first)
            .map_or_else(String::new, |of| typeset(of)),
        in_words: measures.is_some(),
        refuted_by: typeset(&claim.refuted_by),
        expected: expected(&typeset(&claim.expected)),
        measured: measured(claim.measured, claim.std_error),
        verdict: claim.verdict.words(),
        class: class(claim.verdict),
        differs: claim.verdict != claim.recorded,
        recorded: claim.recorded.words(),
        correction: paper.map(|(words, _)| typeset(words)),
        evidence,
        figures,
    }
}

/// Signs in place of what pipeline.yaml writes out, one after the other, and a minus between words.
fn typeset(text: &str, signs: &[[String; 2]]) -> String {
    let text = signs.iter().fold(text.to_owned(), |text, [plain, sign]| {
        text.replace(plain.as_str(), sign)
    });
    text.replace(" - ", " − ")
}

/// `1 within 0.25` as a sum is written: 1 ± 0.25; `0 within 0` is exactly 0.
fn expected(words: &str) -> String {
    match words.rsplit_once(" within ") {
        Some((value, "0")) => format!("exactly {value}"),
        Some((value, margin)) => format!("{value} ± {margin}"),
        None => words.to_owned(),
    }
}

fn check(role: &'static str, check: &Checked, signs: &[[String; 2]]) -> CheckView {
    let typeset = |text: &str| typeset(text, signs);
    let unit = |(name, value): &(String, Option<f64>)| {
        format!("{name}: {}", value.map_or("none".into(), shown))
    };
    let factors: Vec<&str> = check
        .factors
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    CheckView {
        role,
        quantity: typeset(&check.quantity),
        expected: expected(&typeset(&check.expected)),
        measured: measured(check.measured, check.std_error),
        interval: check.interval.map_or_else(String::new, |[low, high]| {
            format!("{} to {}", shown(low), shown(high))
        }),
        decided: check.decided.clone(),
        outcome: check.outcome.word(),
        factors: factors.join(" and "),
        units: check.units.iter().map(unit).collect::<Vec<_>>().join(", "),
    }
}
