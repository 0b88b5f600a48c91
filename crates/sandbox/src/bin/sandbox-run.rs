//! Runs the command that the first line of stdin describes, as JSON (`command`, `bounds`), and prints what
//! [`sandbox::run`] says of it; a second line, whatever it says, cancels. For tests, and to try a command by
//! hand: they need a program that can stand beside it.

use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(serde::Deserialize)]
struct Plan {
    command: sandbox::Command,
    bounds: sandbox::Bounds,
}

static CANCELLED: AtomicBool = AtomicBool::new(false);

fn run() -> Result<String, String> {
    let plan = std::io::stdin().lines().next();
    let plan = plan.ok_or("stdin is empty: a plan is needed")?;
    let plan = plan.map_err(|error| error.to_string())?;
    let plan: Plan = serde_json::from_str(&plan).map_err(|error| error.to_string())?;
    std::thread::spawn(|| {
        if let Some(Ok(_)) = std::io::stdin().lines().next() {
            CANCELLED.store(true, Ordering::Relaxed);
        }
    });
    let ended = sandbox::run(&plan.command, &plan.bounds, &CANCELLED);
    let ended = ended.map_err(|error| error.to_string())?;
    serde_json::to_string_pretty(&ended).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    if let Some(code) = sandbox::act_if_asked() {
        return code;
    }
    let (text, code) = match run() {
        Ok(text) => (text, ExitCode::SUCCESS),
        Err(error) => (error, ExitCode::FAILURE),
    };
    match writeln!(std::io::stdout().lock(), "{text}") {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}
