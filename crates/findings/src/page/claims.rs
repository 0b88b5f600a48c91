//! Claims as the report shows them: numbers in words, verdicts with a class for their colour.
//!
//! Knows what the kind `claims` writes. Does not know where on the page it stands.

use crate::claims::check::shown;
use crate::claims::claim::{Checked, Decided, Outcome, Verdict};
use crate::claims::print::measured;
use crate::page::params::ClaimWords;
use serde::Serialize;

#[derive(Serialize)]
pub struct ClaimView {
    pub id: String,
    /// The first sentence of the statement, or of how it reads alone.
    pub heading: String,
    /// The sentences after it, where it is long.
    pub more: Option<String>,
    /// Whether the paper makes it of what it studies itself.
    pub of_paper: bool,
    /// The statement where the heading is another sentence.
    pub statement: Option<String>,
    /// Of what the numbers are, in words; or as its check writes it. They are those of the first check, or of
    /// the first of those for which the claim does not hold.
    pub measures: String,
    pub in_words: bool,
    pub refuted_by: String,
    pub expected: String,
    pub measured: String,
    pub verdict: &'static str,
    pub class: &'static str,
    /// Undecided, and what was measured speaks against it.
    pub against: bool,
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
    /// Of those, the ones that speak against the claim.
    pub against: usize,
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
pub fn counts<'a>(claims: impl Iterator<Item = &'a Decided>) -> Counts {
    let mut counts = Counts::default();
    for claim in claims {
        counts.all += 1;
        counts.against += usize::from(is_against(claim));
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
    let (number, decisive) = decisive(claim, words);
    let measures = words.and_then(|words| words.of(number));
    let (heading, more) = first_sentence(alone.unwrap_or(&claim.statement));
    ClaimView {
        id: claim.id.clone(),
        heading: typeset(heading),
        more: more.map(typeset),
        of_paper: words.is_some_and(|words| words.of_paper),
        statement: alone.map(|_| typeset(&claim.statement)),
        measures: measures
            .or(decisive.map(|check| check.quantity.as_str()))
            .map_or_else(String::new, typeset),
        in_words: measures.is_some(),
        refuted_by: typeset(&claim.refuted_by),
        expected: decisive.map_or_else(String::new, |check| expected(&typeset(&check.expected))),
        measured: decisive.map_or_else(String::new, |c| measured(c.measured, c.std_error)),
        verdict: claim.verdict.words(),
        class: class(claim.verdict),
        against: is_against(claim),
        differs: claim.verdict != claim.recorded,
        recorded: claim.recorded.words(),
        correction: paper.map(|(words, _)| typeset(words)),
        evidence,
        figures,
    }
}

/// A longer statement has its first sentence for a heading.
const LONG: usize = 30;

/// The first sentence of a long statement and the others; of a short one all of it.
fn first_sentence(statement: &str) -> (&str, Option<&str>) {
    let is_long = statement.split_whitespace().count() > LONG;
    let ends = |(at, _): &(usize, &str)| {
        let next = statement[at + 2..].chars().next();
        next.is_some_and(char::is_uppercase)
    };
    match statement.match_indices(". ").find(ends) {
        Some((at, _)) if is_long => (&statement[..=at], Some(&statement[at + 2..])),
        _ => (statement, None),
    }
}

/// The check whose numbers tell of the claim, and its number from 1: the first, or where the claim does not hold
/// the first that is why, of open ones one that speaks against it before others; unless there are words for the first
/// and none for that.
fn decisive<'a>(claim: &'a Decided, words: Option<&ClaimWords>) -> (usize, Option<&'a Checked>) {
    let at = |is: fn(&Checked) -> bool| claim.checks.iter().position(is);
    let why = match claim.verdict {
        Verdict::Holds | Verdict::HoldsWithCorrection => None,
        Verdict::Fails => at(|check| check.outcome == Outcome::Refuted),
        Verdict::Undecided => at(speaks_against).or(at(|check| check.outcome == Outcome::Open)),
    };
    let is_told = |at: &usize| {
        words.is_none_or(|words| words.measures.is_none() || words.of(at + 1).is_some())
    };
    let at = why.filter(is_told).unwrap_or(0);
    (at + 1, claim.checks.get(at))
}

/// Whether a check is open although its value, were it certain, is not what is expected.
fn speaks_against(check: &Checked) -> bool {
    let met = check.measured.map(|value| is_met(&check.expected, value));
    check.outcome == Outcome::Open && met == Some(Some(false))
}

/// Whether a claim is undecided although the value of a check speaks against it.
fn is_against(claim: &Decided) -> bool {
    claim.verdict == Verdict::Undecided && claim.checks.iter().any(speaks_against)
}

/// Whether a value is what the words of a check expect, as far as their digits tell; nothing where they are other
/// words than a check's.
fn is_met(expected: &str, value: f64) -> Option<bool> {
    // `1 + sigma2 = 1.1`: a closed form and its value.
    let number = |words: &str| words.rsplit(" = ").next()?.trim().parse::<f64>().ok();
    if let Some((centre, margin)) = expected.rsplit_once(" within ") {
        return Some((value - number(centre)?).abs() <= number(margin)?);
    }
    let (relation, bound) = expected.split_once(' ')?;
    match relation {
        "above" => Some(value >= number(bound)?),
        "below" => Some(value <= number(bound)?),
        "between" => {
            let (low, high) = bound.rsplit_once(" and ")?;
            Some(number(low)? <= value && value <= number(high)?)
        }
        _ => None,
    }
}

/// Signs in place of what pipeline.yaml writes out, one after the other, and a minus between words.
fn typeset(text: &str, signs: &[[String; 2]]) -> String {
    let text = signs.iter().fold(text.to_owned(), |text, [plain, sign]| {
        text.replace(plain.as_str(), sign)
    });
    text.replace(" - ", " − ")
}

/// `1 within 0.25` as it is said, which no standard error is: within 0.25 of 1; `0 within 0` is exactly 0.
fn expected(words: &str) -> String {
    match words.rsplit_once(" within ") {
        Some((value, "0")) => format!("exactly {value}"),
        Some((value, margin)) => format!("within {margin} of {value}"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_is_compared_with_what_is_measured() {
        for (words, met, not_met) in [
            ("above 0.9", 0.95, 0.77),
            ("below 1.0e-5", 1e-6, 2e-5),
            ("above -1.0e-6", 0.0, -1.0),
            ("0 within 0", 0.0, 1e-9),
            (
                "1 + sigma2 - m/(m+1+d) = 0.345283 within 0.003",
                0.348,
                0.349,
            ),
            ("between a + b = 1 and b = 2.5", 2.0, 0.5),
        ] {
            assert_eq!(is_met(words, met), Some(true), "{words}");
            assert_eq!(is_met(words, not_met), Some(false), "{words}");
        }
        for words in ["", "about 3", "above all", "1 within reason"] {
            assert_eq!(is_met(words, 1.0), None, "{words}");
        }
    }

    fn check(quantity: &str, outcome: Outcome, expected: &str, measured: f64) -> Checked {
        Checked {
            quantity: quantity.to_owned(),
            expected: expected.to_owned(),
            factors: Vec::new(),
            measured: Some(measured),
            std_error: None,
            interval: None,
            reserve: None,
            chance_open: None,
            decided: String::new(),
            outcome,
            units: Vec::new(),
        }
    }

    #[test]
    fn a_long_statement_has_its_first_sentence_for_a_heading() {
        let long = "word ".repeat(LONG);
        let statement = format!("In 2.5 steps, e. g. two. Then {long}");
        let (heading, more) = first_sentence(&statement);
        assert_eq!(heading, "In 2.5 steps, e. g. two.");
        assert!(more.is_some_and(|more| more.starts_with("Then word")));
        for whole in ["Short. As it is.", &long] {
            assert_eq!(first_sentence(whole), (whole, None));
        }
    }

    #[test]
    fn the_numbers_of_a_claim_are_those_that_decide_it() {
        let mut claim = Decided {
            id: "one".to_owned(),
            statement: "One".to_owned(),
            expected: "above 0".to_owned(),
            measured: Some(1.0),
            std_error: None,
            verdict: Verdict::Undecided,
            recorded: Verdict::Undecided,
            refuted_by: String::new(),
            checks: vec![
                check("first", Outcome::Passes, "above 0", 1.0),
                check("second", Outcome::Open, "1 within 0.25", 1.5),
                check("third", Outcome::Refuted, "below 3", 4.0),
            ],
            shows: Vec::new(),
            correction: None,
        };
        let seen = |claim: &Decided, words: Option<&ClaimWords>| {
            let view = view(claim, words, Vec::new(), &[]);
            (view.measures, view.expected, view.measured, view.against)
        };
        let own = |of: &str, expected: &str, value: &str, against| {
            (
                of.to_owned(),
                expected.to_owned(),
                value.to_owned(),
                against,
            )
        };
        let open = own("second", "within 0.25 of 1", "1.5", true);
        assert_eq!(seen(&claim, None), open);
        // A check in words is told before one that nobody can read.
        let mut words = ClaimWords {
            measures: Some("the first".to_owned()),
            ..ClaimWords::default()
        };
        assert_eq!(
            seen(&claim, Some(&words)),
            own("the first", "above 0", "1", true)
        );
        words
            .measures_of
            .insert("2".to_owned(), "the second".to_owned());
        assert_eq!(seen(&claim, Some(&words)).0, "the second");
        // Of open checks the one that speaks against it, not the first.
        claim.checks[0].outcome = Outcome::Open;
        assert_eq!(seen(&claim, Some(&words)).0, "the second");
        words.measures_of.insert("3".to_owned(), "third".to_owned());
        claim.verdict = Verdict::Fails;
        assert_eq!(
            seen(&claim, Some(&words)),
            own("third", "below 3", "4", false)
        );
        claim.verdict = Verdict::Holds;
        assert_eq!(
            seen(&claim, Some(&words)),
            own("the first", "above 0", "1", false)
        );
    }
}
