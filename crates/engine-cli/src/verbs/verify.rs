//! Verb `verify`.

use crate::console::terminal::{self, count};
use crate::pipeline::session::Session;
use crate::pipeline::workers;
use crate::program::exit;
use crate::verbs::status::named;
use clap::Args;
use retrace::base::error::Result;
use retrace::store::workspace::LOCK_FILE;
use retrace::upkeep::verify::{self, Finding, Verification};
use serde_json::{Value as Json, json};

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Stage ids, globs, groups or output paths; none means everything
    pub targets: Vec<String>,
    /// Run the targets and what they need from an empty cache, in scratch space, and compare every
    /// output with pipeline.lock; says where a mismatch starts
    #[arg(long)]
    pub rebuild: bool,
    /// Threads of the one pool, and stages at a time, as far as more of them help [default: all cores]
    #[arg(short = 'j', value_name = "N", requires = "rebuild", value_parser = workers::jobs, allow_negative_numbers = true)]
    pub jobs: Option<usize>,
    /// Print an object with counts and an array of findings
    #[arg(long)]
    pub json: bool,
}

/// What brings the line ends back that were committed.
const LINE_ENDS: &str = "git wrote CR LF at the checkout (core.autocrlf). Commit what is your own, \
then `git rm -rq --cached . && git reset -q --hard` checks everything out as committed";

/// Compares what is there with the lock.
pub fn verify(session: &Session, args: &VerifyArgs) -> Result<u8> {
    let selection = session.select(&args.targets)?;
    let report = verify::verify(&session.context()?, &selection)?;
    if args.json {
        terminal::print(&format!("{:#}\n", as_json(session, &report)));
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
            Finding::Object { path } => format!("cache: {} is damaged\n", path.display()),
        };
    }
    text += &named(&report.orphans);
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
            text += &format!(
                "`{} run` re-makes what differs and says where it disagrees\n",
                session.program.name
            );
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

fn code(report: &Verification) -> u8 {
    if report.findings.is_empty() {
        exit::OK
    } else {
        exit::DIFFERS
    }
}

fn as_json(session: &Session, report: &Verification) -> Json {
    let findings = report.findings.iter().map(|finding| match finding {
        Finding::Unrecorded { stage } => {
            json!({"finding": "unrecorded", "stage": session.id(*stage)})
        }
        Finding::Unreadable { stage, why } => {
            json!({"finding": "unreadable", "stage": session.id(*stage), "why": why})
        }
        Finding::Lock { problem } => json!({
            "finding": "lock",
            "stage": problem.stage,
            "line": problem.line,
            "why": problem.why,
        }),
        Finding::Renamed { stage, from } => {
            json!({"finding": "renamed", "stage": session.id(*stage), "from": from})
        }
        Finding::Moved { stage, from, to } => json!({
            "finding": "moved",
            "stage": session.id(*stage),
            "path": to,
            "from": from,
        }),
        Finding::Outdated { stage, changes } => {
            json!({"finding": "outdated", "stage": session.id(*stage), "changes": changes})
        }
        Finding::Output {
            stage,
            path,
            missing,
        } => json!({
            "finding": if *missing { "missing" } else { "differs" },
            "stage": session.id(*stage),
            "path": path,
        }),
        Finding::Publication { stage, path } => json!({
            "finding": "published-otherwise",
            "stage": session.id(*stage),
            "path": path,
        }),
        Finding::Object { path } => json!({"finding": "damaged", "path": path}),
    });
    json!({
        "verified": "files",
        "files": report.files,
        "objects": report.objects,
        "line_ends": report.line_ends,
        "findings": findings.collect::<Vec<Json>>(),
        "orphans": report.orphans,
    })
}
