//! Verb `verify`.

use crate::answers::answer;
use crate::answers::input::{AbsentFor, AbsentInput};
use crate::answers::verify::{Finding as Said, Verified};
use crate::console::terminal::{self, count};
use crate::console::typed;
use crate::pipeline::session::Session;
use crate::pipeline::workers;
use crate::program::exit;
use crate::verbs::status::{named, shown};
use clap::Args;
use retrace::base::error::Result;
use retrace::stage::supplied::AbsentFile;
use retrace::store::workspace::LOCK_FILE;
use retrace::upkeep::verify::{self, Finding, Verification};
use std::collections::BTreeSet;
use std::path::Path;

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Stage ids, globs, groups or output paths; none means everything
    pub targets: Vec<String>,
    /// Run the targets and what they need from an empty cache, in scratch space, and compare every
    /// output with pipeline.lock; says where a mismatch starts. Without targets, opt-in groups are left out
    #[arg(long)]
    pub rebuild: bool,
    /// Threads of the one pool, and stages at a time, as far as more of them help [default: all cores]
    #[arg(short = 'j', value_name = "N", requires = "rebuild", value_parser = workers::jobs, allow_negative_numbers = true)]
    pub jobs: Option<usize>,
    /// Make only a sample of the recorded stages again, such as 1%, each by itself from what the lock records of those
    /// before it
    #[arg(long, value_name = "PERCENT", requires = "rebuild", value_parser = percent)]
    pub sample: Option<f64>,
    /// With --sample: another number makes other stages again
    #[arg(long, value_name = "N", requires = "sample", default_value_t = 0)]
    pub seed: u64,
    /// With --sample: where what these stages read comes from, as far as it is not here: a folder or a URL
    #[arg(long, value_name = "STORE", requires = "sample")]
    pub store: Option<String>,
    /// Print a JSON object with counts and findings
    #[arg(long)]
    pub json: bool,
}

/// The value of `--sample`, as a fraction.
fn percent(text: &str) -> std::result::Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim().parse::<f64>();
    let number = number.ok().filter(|n| *n > 0.0 && *n <= 100.0);
    let number = number.ok_or("write a number of per cent above 0 and up to 100, such as 1%")?;
    Ok(number / 100.0)
}

/// What brings the line ends back that were committed.
const LINE_ENDS: &str = "git wrote CR LF at the checkout (core.autocrlf). Commit what is your own, \
then `git rm -rq --cached . && git reset -q --hard` checks everything out as committed";

/// Compares what is there with the lock.
pub fn verify(session: &Session, args: &VerifyArgs) -> Result<u8> {
    let selection = session.look_at(&args.targets)?;
    let report = verify::verify(&session.context()?, &selection)?;
    if args.json {
        terminal::print(&answer::text(&answer_of(session, &report))?);
        return Ok(code(&report));
    }
    let mut text = String::new();
    for finding in &report.findings {
        text += &match finding {
            Finding::Unrecorded { stage } => {
                format!("{}: the lock has no such stage\n", session.id(*stage))
            }
            Finding::Unreadable { stage, why } => {
                format!(
                    "{}: the lock does not record it: {why}\n",
                    session.id(*stage)
                )
            }
            Finding::Lock { problem } => format!("{}\n", problem.text(LOCK_FILE)),
            Finding::Renamed { stage, from } => format!(
                "{}: {}, recorded as {from}\n",
                session.id(*stage),
                terminal::paint(terminal::CARE, "renamed")
            ),
            Finding::Moved { stage, from, to } => format!(
                "{}: {} {}, recorded as {}\n",
                session.id(*stage),
                to.display(),
                terminal::paint(terminal::CARE, "moved"),
                from.display()
            ),
            Finding::Outdated { stage, changes } => {
                let shown: Vec<String> = changes.iter().map(ToString::to_string).collect();
                format!(
                    "{}: the lock is out of date: {}\n",
                    session.id(*stage),
                    shown.join("; ")
                )
            }
            Finding::Output {
                stage,
                path,
                missing,
            } => {
                let what = if *missing {
                    "is missing"
                } else {
                    "differs from the lock"
                };
                let what = terminal::paint(terminal::BAD, what);
                format!("{}: {} {what}\n", session.id(*stage), path.display())
            }
            Finding::Publication { stage, path } => format!(
                "{}: the lock records {} as published by other code\n",
                session.id(*stage),
                path.display()
            ),
            Finding::Basis { stage } => format!(
                "{}: the lock records another basis of comparison than pipeline.yaml declares\n",
                session.id(*stage)
            ),
            Finding::Object { path } => format!("cache: {} is damaged\n", path.display()),
        };
    }
    text += &named(&shown(&report.orphans));
    if !report.not_run.is_empty() && !terminal::is_quiet() {
        let groups = session.engine.pipeline.opt_in_groups(&report.not_run);
        let stages = count(report.not_run.len(), "stage");
        text += &format!("not run here: {} ({stages})\n", groups.join(", "));
    }
    if !terminal::is_quiet() {
        for &stage in &report.within {
            let basis = session.engine.pipeline.stages[stage].compare.iter();
            let basis: Vec<String> = basis.map(|(name, b)| format!("{name}: {b}")).collect();
            text += &format!(
                "{}: recorded within a tolerance ({})\n",
                session.id(stage),
                basis.join("; ")
            );
        }
    }
    for (file, stages) in &report.absent {
        text += &absent(file, stages.len());
    }
    let files = count(report.files, "file");
    let objects = count(report.objects, "cached object");
    match report.findings.len() {
        _ if terminal::is_quiet() => {}
        0 => {
            let equal = terminal::paint(terminal::GOOD, "equal the lock");
            text += &format!("{files} {equal}, {objects} intact\n");
        }
        findings => {
            text += &format!(
                "{} in {files} and {objects}\n",
                terminal::paint(terminal::BAD, &count(findings, "difference"))
            );
            text += &remedy(session, &report)?;
        }
    }
    if !report.line_ends.is_empty() {
        text += &format!(
            "{} in line ends alone: {LINE_ENDS}\n",
            terminal::paint(
                terminal::CARE,
                &format!("{} differ", count(report.line_ends.len(), "file")),
            )
        );
    }
    terminal::print(&text);
    Ok(code(&report))
}

/// A line for a file that is not here, and what that keeps from running.
pub fn absent(file: &AbsentFile, stages: usize) -> String {
    let (path, supplied) = (file.path.display(), &file.supplied);
    format!(
        "{}: {path}: {} ({} not made again without it)\n",
        terminal::paint(terminal::CARE, "input not here"),
        supplied.get,
        count(stages, "stage")
    )
}

/// The same for programs.
pub fn absent_for(session: &Session, absent: &[(AbsentFile, BTreeSet<usize>)]) -> Vec<AbsentFor> {
    let one = |(file, stages): &(AbsentFile, BTreeSet<usize>)| AbsentFor {
        input: AbsentInput::of(file),
        stages: ids(session, stages),
    };
    absent.iter().map(one).collect()
}

fn ids(session: &Session, stages: &BTreeSet<usize>) -> Vec<String> {
    let ids = stages.iter().map(|&stage| session.id(stage).to_owned());
    ids.collect()
}

/// What to type where something differs: opt-in groups are to be asked for.
fn remedy(session: &Session, report: &Verification) -> Result<String> {
    let left_out = session.engine.pipeline.everything()?.unasked;
    let stages = report.findings.iter().filter_map(Finding::stage);
    let (unasked, others): (BTreeSet<usize>, BTreeSet<usize>) =
        stages.partition(|stage| left_out.contains(stage));
    let groups = session.engine.pipeline.opt_in_groups(&unasked);
    let groups = groups.iter().map(|group| format!("run --group {group}"));
    let elsewhere = report.findings.iter().any(|f| f.stage().is_none());
    let plain = (unasked.is_empty() || !others.is_empty() || elsewhere).then(|| "run".to_owned());
    let commands = plain.into_iter().chain(groups);
    let commands: Vec<String> = commands
        .map(|command| format!("`{}`", typed::command(&command)))
        .collect();
    let (re_make, say) = match commands.len() {
        1 => ("re-makes", "says"),
        _ => ("re-make", "say"),
    };
    let commands = commands.join(" and ");
    Ok(format!(
        "{commands} {re_make} what differs and {say} where it disagrees\n"
    ))
}

fn code(report: &Verification) -> u8 {
    if report.findings.is_empty() {
        exit::OK
    } else {
        exit::DIFFERS
    }
}

fn answer_of(session: &Session, report: &Verification) -> Verified {
    let findings = report.findings.iter().map(|finding| said(session, finding));
    Verified {
        files: report.files,
        objects: report.objects,
        line_ends: shown(&report.line_ends),
        findings: findings.collect(),
        not_run: ids(session, &report.not_run),
        orphans: shown(&report.orphans),
        absent: absent_for(session, &report.absent),
        within: ids(session, &report.within),
    }
}

fn said(session: &Session, finding: &Finding) -> Said {
    let id = |stage: usize| session.id(stage).to_owned();
    let path = |path: &Path| path.display().to_string();
    match finding {
        Finding::Unrecorded { stage } => Said::Unrecorded { stage: id(*stage) },
        Finding::Unreadable { stage, why } => Said::Unreadable {
            stage: id(*stage),
            why: why.clone(),
        },
        Finding::Lock { problem } => Said::Lock {
            stage: problem.stage.clone(),
            line: problem.line,
            why: problem.why.clone(),
        },
        Finding::Renamed { stage, from } => Said::Renamed {
            stage: id(*stage),
            from: from.clone(),
        },
        Finding::Moved { stage, from, to } => Said::Moved {
            stage: id(*stage),
            path: path(to),
            from: path(from),
        },
        Finding::Outdated { stage, changes } => Said::Outdated {
            stage: id(*stage),
            changes: changes.clone(),
        },
        Finding::Output {
            stage,
            path: file,
            missing,
        } => {
            let (stage, path) = (id(*stage), path(file));
            match missing {
                true => Said::Missing { stage, path },
                false => Said::Differs { stage, path },
            }
        }
        Finding::Publication { stage, path: file } => Said::PublishedOtherwise {
            stage: id(*stage),
            path: path(file),
        },
        Finding::Basis { stage } => Said::Basis { stage: id(*stage) },
        Finding::Object { path: file } => Said::Damaged { path: path(file) },
    }
}
