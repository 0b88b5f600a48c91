//! What this machine is, as far as results, speed or safety could depend on it.
//!
//! Does not judge.

use crate::golden::check::{self, Level};
use retrace::store::stat;
use schemars::JsonSchema;
use serde::Serialize;

/// The machine.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Machine {
    pub architecture: &'static str,
    /// Those that choose a code path of ours or of the platform's mathematics.
    pub cpu_features: Vec<&'static str>,
    /// The widest level of vector code that is used, and all that could be.
    pub level: &'static str,
    pub levels: Vec<&'static str>,
    /// What the system lets this process use: affinity and control groups count.
    pub threads: usize,
    /// `cpu.max` of the control group, where there is one: quota and period in microseconds.
    pub cpu_limit: Option<String>,
    /// Whether one start of the system can be told from another: then a power cut voids what is
    /// remembered of files.
    pub knows_starts: bool,
}

/// Looks at it.
pub fn look(cap: Level) -> Machine {
    let levels: Vec<&str> = check::levels(cap)
        .into_iter()
        .map(check::level_name)
        .collect();
    let limit = std::fs::read_to_string("/sys/fs/cgroup/cpu.max").ok();
    Machine {
        architecture: std::env::consts::ARCH,
        cpu_features: cpu_features(),
        level: levels.last().copied().unwrap_or_default(),
        levels,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        cpu_limit: limit.map(|text| text.trim().to_owned()),
        knows_starts: stat::knows_starts(),
    }
}

#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Vec<&'static str> {
    use std::arch::is_x86_feature_detected as has;
    let features = [
        ("sse2", has!("sse2")),
        ("sse4.2", has!("sse4.2")),
        ("avx", has!("avx")),
        ("avx2", has!("avx2")),
        ("fma", has!("fma")),
        ("avx512f", has!("avx512f")),
        ("avx512vl", has!("avx512vl")),
        ("avx512dq", has!("avx512dq")),
    ];
    let present = features.into_iter().filter(|(_, has)| *has);
    present.map(|(name, _)| name).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu_features() -> Vec<&'static str> {
    Vec::new()
}
