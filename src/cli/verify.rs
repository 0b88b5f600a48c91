//! Verb `verify`.

use crate::cli::args::TargetArgs;
use crate::cli::exit;
use crate::cli::session::Session;
use crate::cli::terminal::{self, count};
use crate::pipeline::error::Result;
use crate::pipeline::verify::{self, Finding};

/// Compares what is there with the lock.
pub fn verify(session: &Session, args: &TargetArgs) -> Result<u8> {
    let selection = session.select(&args.targets)?;
    let report = verify::verify(&session.context(), &selection)?;
    let mut text = String::new();
    for finding in &report.findings {
        text += &match finding {
            Finding::Unrecorded { stage } => {
                format!("{}: the lock has no such stage\n", session.id(*stage))
            }
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
                format!("{}: {} {what}\n", session.id(*stage), path.display())
            }
            Finding::Object { path } => format!("cache: {} is damaged\n", path.display()),
        };
    }
    let files = count(report.files, "file");
    let objects = count(report.objects, "cached object");
    let code = match report.findings.len() {
        0 => {
            text += &format!("{files} equal the lock, {objects} intact\n");
            exit::OK
        }
        findings => {
            text += &format!(
                "{} in {files} and {objects}\n",
                count(findings, "difference")
            );
            text += "`icl-repro run` re-makes what differs and says where it disagrees\n";
            exit::DIFFERS
        }
    };
    terminal::print(&text);
    Ok(code)
}
