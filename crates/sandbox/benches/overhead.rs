//! What watching costs: a command plain and watched in turns, the median of each.
//!
//! `cargo bench -p sandbox --bench overhead -- [-n TIMES] PROGRAM [ARGUMENT...]`. The program may read what
//! is installed with it; it starts in an empty watched folder. How often what was called is not counted here:
//! `strace -fc` does.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn measure(times: usize, program: PathBuf, arguments: Vec<OsString>) -> Result<(), String> {
    let words = |error: std::io::Error| error.to_string();
    let folder = tempfile::tempdir().map_err(words)?;
    let watched = folder.path().join("watched");
    std::fs::create_dir(&watched).map_err(words)?;
    let command = sandbox::Command {
        program,
        arguments,
        environment: BTreeMap::from([("PATH".into(), "/usr/bin:/bin".into())]),
        folder: watched.clone(),
        log: folder.path().join("log"),
    };
    let bounds = sandbox::Bounds {
        watched: vec![watched],
        ..sandbox::Bounds::default()
    };
    let (mut plain, mut under_watch) = (Vec::new(), Vec::new());
    for _ in 0..times {
        let start = Instant::now();
        let status = std::process::Command::new(&command.program)
            .args(&command.arguments)
            .env_clear()
            .envs(&command.environment)
            .current_dir(&command.folder)
            .status()
            .map_err(words)?;
        plain.push(start.elapsed());
        let start = Instant::now();
        let ended = sandbox::run(&command, &bounds, &AtomicBool::new(false));
        under_watch.push(start.elapsed());
        let ended = ended.map_err(|error| error.to_string())?;
        if !status.success() || ended.end != sandbox::End::Exited(0) {
            let log = std::fs::read_to_string(&command.log).map_err(words)?;
            return Err(format!("plain {status}, watched {:?}: {log}", ended.end));
        }
    }
    let (plain, under_watch) = (median(plain), median(under_watch));
    let more = under_watch.as_secs_f64() / plain.as_secs_f64() - 1.0;
    println!(
        "plain {plain:.1?}, watched {under_watch:.1?}: {:+.1} % (medians of {times})",
        100.0 * more
    );
    Ok(())
}

fn main() -> ExitCode {
    if let Some(code) = sandbox::act_if_asked() {
        return code;
    }
    // `cargo bench` says that it is one.
    let mut words = std::env::args_os().skip(1).filter(|word| word != "--bench");
    let mut times = 20;
    let mut program = words.next();
    if program.as_deref() == Some("-n".as_ref()) {
        let number = words.next();
        times = number
            .and_then(|word| word.to_str()?.parse().ok())
            .unwrap_or(times);
        program = words.next();
    }
    let program = program.unwrap_or("/bin/true".into());
    match measure(times, program.into(), words.collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
