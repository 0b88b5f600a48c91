//! Verb `claims`: the verdicts that ledgers came to, against the recorded ones.

use crate::claims::check::shown;
use crate::claims::claim::{Checked, Decided};
use crate::claims::print::measured;
use crate::claims::query::expression::{Expression, Selector};
use crate::claims::query::inherit::spelled_out;
use crate::claims::query::parse::Reader;
use crate::claims::questions::{TABLE_ROLE, reads};
use crate::page::kind::Report;
use crate::verbs::claims::ledgers::{self, Ledger};
use crate::verbs::claims::verdicts::{ClaimsArgs, Line, Verdicts, compare, in_words, painted};
use retrace::base::error::{Error, Result};
use retrace::stage::kind::StageKind;
use retrace::stage::stage::{Input, Source};
use retrace_cli::answers::answer;
use retrace_cli::{Beside, Scope, Session, exit, terminal};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What `provenance` says of claims.
pub const CLAIMS_BESIDE: Beside = Beside {
    what: "claims",
    none: "none rests on it directly",
    of: resting_on,
};

/// Prints all claims, or one with its evidence.
///
/// # Errors
/// There is no such claim, or nothing was decided.
pub fn claims(session: &Session, scope: &Scope, args: &ClaimsArgs) -> Result<u8> {
    let ledgers = ledgers::asked(session, args.id.as_deref())?;
    let read = |stage: &usize| ledgers::read(session, *stage);
    let ledgers: Vec<Ledger> = ledgers.iter().map(read).collect::<Result<_>>()?;
    let mut shown: Vec<(usize, &Decided)> = Vec::new();
    for ledger in &ledgers {
        let claims = ledger.claims.iter();
        let asked = claims.filter(|claim| args.id.as_ref().is_none_or(|id| claim.id == *id));
        shown.extend(asked.map(|claim| (ledger.stage, claim)));
    }
    // pipeline.yaml has the claim, and what was decided is older.
    if let Some(id) = args.id.as_ref().filter(|_| shown.is_empty()) {
        let command = ledgers::deciding_command(session, ledgers[0].stage);
        let error = Error::failed(format!("claim `{id}` is not decided yet"));
        return Err(error.hint(format!("{command} decides it")));
    }
    let lines: Vec<Line> = shown.iter().map(|(_, claim)| line(claim)).collect();
    let text = match (&args.id, args.json) {
        (_, true) => answer::text(&Verdicts { claims: &lines })?,
        (None, false) => in_words(&lines),
        (Some(_), false) => {
            let shown = shown.iter();
            shown
                .map(|(stage, claim)| one(session, *stage, claim))
                .collect()
        }
    };
    terminal::print(&text);
    for ledger in &ledgers {
        if let Some(path) = &ledger.committed {
            let command = ledgers::deciding_command(session, ledger.stage);
            let path = path.display();
            terminal::note(&format!(
                "as committed in {path}; nothing was computed here: {command} decides them anew"
            ));
        }
    }
    // Another profile trains other models: its verdicts are shown, not compared.
    if scope.profile.is_some() || !scope.sets.is_empty() {
        return Ok(exit::OK);
    }
    let pairs = shown.iter();
    let pairs = pairs.map(|(_, c)| (&*c.id, c.verdict.words(), c.recorded.words()));
    Ok(compare(pairs))
}

fn line(claim: &Decided) -> Line<'_> {
    Line {
        id: &claim.id,
        statement: &claim.statement,
        expected: &claim.expected,
        measured: claim.measured,
        std_error: claim.std_error,
        verdict: claim.verdict.words(),
    }
}

fn one(session: &Session, stage: usize, claim: &Decided) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{}: {} (recorded: {})\n  {}\n  refuted by: {}",
        claim.id,
        painted(claim.verdict.words()),
        claim.recorded.words(),
        claim.statement,
        claim.refuted_by
    );
    for check in &claim.checks {
        evidence(&mut text, "", check);
    }
    for check in &claim.shows {
        evidence(&mut text, "beside, deciding nothing: ", check);
    }
    if let Some((words, paper)) = &claim.correction {
        let _ = writeln!(text, "\n  correction: {words}");
        evidence(&mut text, "the paper's value: ", paper);
    }
    let paper = claim.correction.iter().map(|(_, paper)| paper);
    let checks = claim.checks.iter().chain(&claim.shows).chain(paper);
    let rests = rests_on(session, stage, checks);
    let _ = match rests.is_empty() {
        true => writeln!(text, "\n  rests on closed forms alone"),
        false => writeln!(text, "\n  rests on {}", briefly(session, &rests)),
    };
    text
}

fn evidence(text: &mut String, before: &str, check: &Checked) {
    let outcome = check.outcome.word();
    let _ = writeln!(
        text,
        "\n  {before}{}\n    expected  {}\n    measured  {}  {outcome}\n    decided   {}",
        check.quantity,
        check.expected,
        measured(check.measured, check.std_error),
        check.decided
    );
    if let Some([low, high]) = check.interval {
        let _ = writeln!(text, "    interval  {} to {}", shown(low), shown(high));
    }
    if let (Some(reserve), Some(open)) = (check.reserve, check.chance_open) {
        let open = if open < 1e-9 {
            "below 1e-9".to_owned()
        } else {
            format!("{open:.1e}")
        };
        let _ = writeln!(
            text,
            "    reserve   {reserve:.1} standard deviations of a unit; chance to stay open {open}"
        );
    }
    let value =
        |(unit, x): &(String, Option<f64>)| format!("{unit}: {}", x.map_or("none".into(), shown));
    let units: Vec<String> = check.units.iter().map(value).collect();
    if !units.is_empty() {
        let factors: Vec<&str> = check
            .factors
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let _ = writeln!(text, "    by {}  {}", factors.join(","), units.join("  "));
    }
}

/// Ids with commas between them, the items of a matrix in one: `finetune@* (6)`.
fn briefly(session: &Session, stages: &BTreeSet<usize>) -> String {
    let mut names: Vec<(&str, usize, &str)> = Vec::new();
    for &stage in stages {
        let id = session.id(stage);
        let name = id.split('@').next().unwrap_or(id);
        match names.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, count, _)) => *count += 1,
            None => names.push((name, 1, id)),
        }
    }
    let text = names.iter().map(|(name, count, id)| match count {
        1 => (*id).to_owned(),
        _ => format!("{name}@* ({count})"),
    });
    text.collect::<Vec<_>>().join(", ")
}

/// The ids of the claims that a stage bears on: those that the report shows beside it if it draws a
/// figure, else those that rest on it; none of these while they are not decided.
fn resting_on(session: &Session, stage: &str) -> Vec<String> {
    let stages = &session.engine.pipeline.stages;
    let Some(asked) = stages.iter().position(|s| s.id == stage) else {
        return Vec::new();
    };
    let shown = shown_beside(session, stage);
    if !shown.is_empty() {
        return shown;
    }
    let first = ledgers::first(session);
    let Ok(decided) = first.and_then(|ledger| ledgers::read(session, ledger)) else {
        return Vec::new();
    };
    let ledger = decided.stage;
    let rests = |claim: &&Decided| {
        let checks = claim.checks.iter().chain(&claim.shows);
        asked == ledger || rests_on(session, ledger, checks).contains(&asked)
    };
    let claims = decided.claims.iter();
    claims.filter(rests).map(|claim| claim.id.clone()).collect()
}

/// The ids of the claims that the report names beside the figure of a stage.
fn shown_beside(session: &Session, stage: &str) -> Vec<String> {
    let Some(report) = session.engine.of_kind(Report::NAME) else {
        return Vec::new();
    };
    let params = session.engine.pipeline.stages[report].job.params();
    let claims = params["claims"][stage].as_array().into_iter().flatten();
    claims
        .filter_map(|id| id.as_str().map(str::to_owned))
        .collect()
}

/// The stages from which a claim's quantities come, directly or through others.
fn rests_on<'a>(
    session: &Session,
    ledger: usize,
    checks: impl Iterator<Item = &'a Checked>,
) -> BTreeSet<usize> {
    let read = |check: &Checked| Reader::new(&check.quantity, None).expression();
    // What another version wrote may not be understood: it rests on what can be said.
    let quantities: Vec<Expression> = checks.filter_map(|check| read(check).ok()).collect();
    let mut found = deciding(session, ledger, quantities.iter());
    let stages = &session.engine.pipeline.stages;
    for index in (0..stages.len()).rev() {
        if found.contains(&index) {
            found.extend(stages[index].upstream());
        }
    }
    found
}

/// The stages whose outputs quantities read.
pub fn deciding<'a>(
    session: &Session,
    ledger: usize,
    quantities: impl Iterator<Item = &'a Expression>,
) -> BTreeSet<usize> {
    let stage = &session.engine.pipeline.stages[ledger];
    let labels = serde_json::from_value(stage.job.params()["labels"].clone()).unwrap_or_default();
    let quantities: Vec<Expression> = quantities.map(spelled_out).collect();
    let selectors: Vec<&Selector> = quantities.iter().flat_map(Expression::selectors).collect();
    let is_read = |label: &str| {
        selectors
            .iter()
            .any(|selector| reads(selector, &labels, label))
    };
    let inputs = stage.inputs.iter();
    let inputs = inputs.filter(|input| input.role == TABLE_ROLE && is_read(&input.label));
    let of_stage = |input: &Input| match input.source {
        Source::Output { stage, .. } => Some(stage),
        Source::File(_) | Source::Recorded { .. } => None,
    };
    inputs.filter_map(of_stage).collect()
}
