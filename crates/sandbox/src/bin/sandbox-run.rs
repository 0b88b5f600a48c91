//! Runs the command that stdin describes, as JSON (`command`, `bounds`), and prints what [`sandbox::run`]
//! says of it: for tests and measurements, which need a program that can stand beside a command.

use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

#[derive(serde::Deserialize)]
struct Plan {
    command: sandbox::Command,
    bounds: sandbox::Bounds,
}

fn run() -> Result<String, String> {
    let mut text = String::new();
    let read = std::io::stdin().lock().read_to_string(&mut text);
    read.map_err(|error| error.to_string())?;
    let plan: Plan = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let ended = sandbox::run(&plan.command, &plan.bounds, &AtomicBool::new(false));
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
