//! What a pipeline of very many stages costs: time and memory of each step of a run, and of the files
//! that it keeps.
//!
//! `cargo bench --locked -p retrace --bench scale -- 1000 10000 100000` prints a table; without numbers it takes the
//! first two. Nothing is asserted here. The stages are toys that join texts: a hundred steps of chains side by
//! side, and one stage that reads the end of each.

#[allow(dead_code, reason = "tests use the rest of it")]
#[path = "../../../tests/engine/toy.rs"]
mod toy;

use retrace::base::error::Result;
use retrace::lock::file::Lock;
use retrace::store::actions::Actions;
use retrace::store::content::Store;
use std::fmt::Write as _;
use std::time::Instant;
use toy::{Ask, CACHE, Repo};

/// Stages one after the other in each chain.
const STEPS: usize = 100;

fn main() {
    let asked: Vec<usize> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let sizes = match asked.is_empty() {
        true => vec![1000, 10_000],
        false => asked,
    };
    println!(
        "{:>8} {:<34} {:>10} {:>12}",
        "stages", "step", "seconds", "peak MB"
    );
    for size in sizes {
        measure(size).expect("a pipeline that runs");
    }
}

/// Chains of [`STEPS`] stages, and one that reads the end of each: about `stages` in all.
fn chains(stages: usize) -> String {
    // One fewer, for the stage that reads their ends.
    let width = (stages - 1) / STEPS;
    let items: Vec<String> = (0..width).map(|item| item.to_string()).collect();
    let items = items.join(", ");
    let mut yaml = String::from("version: 2\nstages:\n");
    for step in 0..STEPS {
        let inputs = match step.checked_sub(1) {
            Some(before) => format!("inputs: {{parts: \"s{before}@${{i}}.out\"}}, "),
            None => String::new(),
        };
        let _ = writeln!(
            yaml,
            "  s{step}: {{kind: join, matrix: {{i: [{items}]}}, params: {{text: \"{step}-${{i}};\"}}, \
             {inputs}outputs: {{out: \"artifacts/${{id}}.txt\"}}}}"
        );
    }
    let last = STEPS - 1;
    let _ = writeln!(
        yaml,
        "  all: {{kind: join, params: {{text: all}}, inputs: {{parts: \"s{last}@*.out\"}}, \
         outputs: {{out: artifacts/all.txt}}}}"
    );
    yaml
}

fn measure(stages: usize) -> Result<()> {
    let repo = Repo::new(&chains(stages));
    let ask = Ask::default;
    let step = |name: &str, act: &mut dyn FnMut() -> Result<()>| -> Result<()> {
        forget_peak();
        let start = Instant::now();
        act()?;
        let seconds = start.elapsed().as_secs_f64();
        println!("{stages:>8} {name:<34} {seconds:>10.3} {:>12}", peak_mb());
        Ok(())
    };
    step("read and resolve", &mut || repo.with(&ask(), |_| Ok(())))?;
    step("plan, nothing is made", &mut || {
        repo.with(&ask(), |context| {
            context.plan(&context.pipeline.select(&[], &[])?).map(drop)
        })
    })?;
    step("run, everything", &mut || repo.run(&ask()).map(drop))?;
    step("run, nothing to do, reads files", &mut || {
        repo.run(&ask()).map(drop)
    })?;
    step("run, nothing to do", &mut || repo.run(&ask()).map(drop))?;
    step("plan, all is fresh", &mut || {
        repo.with(&ask(), |context| {
            context.plan(&context.pipeline.select(&[], &[])?).map(drop)
        })
    })?;
    step("the action log, read", &mut || {
        Actions::open(repo.path(CACHE).join("actions.log")).map(drop)
    })?;
    step("both caches, read", &mut || {
        Store::open(&repo.path(CACHE), false).map(drop)
    })?;
    step("the lock, read", &mut || {
        Lock::read(&repo.path("pipeline.lock")).map(drop)
    })?;
    for name in [
        "pipeline.yaml",
        "pipeline.lock",
        "pipeline.keys",
        ".icl-repro/actions.log",
        ".icl-repro/stat",
    ] {
        let bytes = repo.path(name).metadata().map_or(0, |meta| meta.len());
        println!("{stages:>8} {name:<34} {:>10.1} MB", bytes as f64 / 1e6);
    }
    Ok(())
}

/// From here on the peak is counted anew (Linux).
fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn peak_mb() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    // What the kernel calls kB is 1,024 bytes.
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.map_or("-".into(), |kib| format!("{:.0}", kib * 1024.0 / 1e6))
}
