//! Verb `doctor`: what this machine is, and whether it computes the bits that others do.

use crate::golden::check::{self, Difference, Level, Round};
use crate::verbs::doctor::folder::{self, Folder};
use crate::verbs::doctor::instructions;
use crate::verbs::doctor::machine::{self, Machine};
use clap::Args;
use retrace::base::digest::Digest;
use retrace::base::error::{Error, Result};
use retrace::store::workspace::Workspace;
use retrace_cli::answers::answer as answers;
use retrace_cli::{Answer, Call, exit, terminal};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print a JSON object instead of lines
    #[arg(long)]
    pub json: bool,
}

/// The font of the figures, below the repository's root.
const FONT: &str = "data/fonts/DejaVuSans.ttf";
const THREADS: [usize; 3] = [1, 2, 3];

/// All that was found.
struct Findings {
    machine: Machine,
    workspace: Option<Workspace>,
    /// The first source file that this program was not built from.
    other_source: Option<&'static str>,
    folders: Vec<Folder>,
    shares_blocks: Option<bool>,
    draws: bool,
    rounds: Vec<Round>,
}

/// What this machine is and whether it computes the bits that others do, printed by `doctor --json`.
#[derive(Serialize, JsonSchema)]
pub struct Diagnosis<'a> {
    /// Of this program.
    version: &'static str,
    /// The first source file that this program was not built from; null where there is none.
    other_source: Option<&'static str>,
    machine: &'a Machine,
    /// Repository, cache and folder of outputs; empty where there is no pipeline.yaml.
    folders: &'a [Folder],
    /// Whether restoring shares blocks with the cache; null where there is no pipeline.yaml.
    shares_blocks: Option<bool>,
    golden: Golden<'a>,
}

/// What was computed whose digests are known.
#[derive(Serialize, JsonSchema)]
struct Golden<'a> {
    /// How often, and how.
    rounds: Vec<Circumstances>,
    /// The digests of the first round, by the name of what was computed.
    digests: BTreeMap<&'a str, &'a str>,
    /// What is not as expected, in any round; empty where all is.
    differences: &'a [Finding],
}

/// How a round was computed.
#[derive(Serialize, JsonSchema)]
struct Circumstances {
    /// The level of vector code.
    level: &'static str,
    threads: usize,
}

/// What differs in one round.
#[derive(Serialize, JsonSchema)]
struct Finding {
    /// The level of vector code.
    level: &'static str,
    threads: usize,
    #[serde(flatten)]
    difference: Difference,
}

impl Answer for Diagnosis<'_> {
    const NAME: &'static str = "doctor";
    const FORMAT: &'static str = "icl-repro doctor 1";
}

/// Looks, computes, tells. Works outside a repository too: then there are no folders and no figure.
pub fn doctor(call: &Call, args: &DoctorArgs) -> Result<u8> {
    let findings = look(call, instructions::cap()?)?;
    let differences = findings.differences();
    let text = match args.json {
        true => answers::text(&findings.diagnosis(&differences))?,
        false => findings.text(&differences),
    };
    terminal::print(&text);
    Ok(match differences.is_empty() {
        true => exit::OK,
        false => exit::DIFFERS,
    })
}

fn look(call: &Call, cap: Level) -> Result<Findings> {
    let workspace = match Workspace::find_root(Path::new(".")) {
        Ok(_) => Some(call.workspace()?),
        Err(_) => None,
    };
    let root = workspace.as_ref().map(|w| w.root.as_path());
    let font = root.and_then(|root| std::fs::read(root.join(FONT)).ok());
    let digest_of = |path: &Path| Digest::of_file(path).map(|(digest, _)| digest);
    let folders = workspace.iter().flat_map(|w| {
        let all = [
            ("repository", &w.root),
            ("cache", &w.cache),
            ("outputs", &w.out),
        ];
        all.map(|(role, path)| folder::look(role, path))
    });
    let shares = |w: &Workspace| folder::shares_blocks(&w.cache, &w.out);
    let mut rounds = Vec::new();
    for level in check::levels(cap) {
        for threads in THREADS {
            let round = check::round(level, cap, threads, font.as_deref());
            rounds.push(round.map_err(Error::failed)?);
        }
    }
    Ok(Findings {
        machine: machine::look(cap),
        other_source: root.and_then(|root| call.program.sources.first_difference(root, digest_of)),
        folders: folders.collect(),
        shares_blocks: workspace.as_ref().map(shares),
        draws: font.is_some(),
        rounds,
        workspace,
    })
}

impl Findings {
    fn differences(&self) -> Vec<Finding> {
        let of_round = |round: &Round| {
            let (level, threads) = (check::level_name(round.level), round.threads);
            let differences = check::differences(&round.digests, self.draws);
            differences.into_iter().map(move |difference| Finding {
                level,
                threads,
                difference,
            })
        };
        self.rounds.iter().flat_map(of_round).collect()
    }

    fn diagnosis<'a>(&'a self, differences: &'a [Finding]) -> Diagnosis<'a> {
        let digests = self.rounds[0].digests.iter();
        let rounds = self.rounds.iter().map(|round| Circumstances {
            level: check::level_name(round.level),
            threads: round.threads,
        });
        Diagnosis {
            version: env!("CARGO_PKG_VERSION"),
            other_source: self.other_source,
            machine: &self.machine,
            folders: &self.folders,
            shares_blocks: self.shares_blocks,
            golden: Golden {
                rounds: rounds.collect(),
                digests: digests.map(|(name, digest)| (&**name, &**digest)).collect(),
                differences,
            },
        }
    }

    fn text(&self, differences: &[Finding]) -> String {
        let mut text = String::new();
        let mut line = |label: &str, value: &str| {
            let _ = writeln!(text, "{label:12}  {value}");
        };
        let Machine {
            architecture,
            cpu_features,
            level,
            levels,
            threads,
            cpu_limit,
            knows_starts,
        } = &self.machine;
        line(
            "processor",
            format!("{architecture} {}", cpu_features.join(" ")).trim_end(),
        );
        line(
            "vector code",
            &format!("{level} (of {})", levels.join(", ")),
        );
        let limit = cpu_limit
            .as_ref()
            .map(|limit| format!(" (cpu.max {limit})"));
        line(
            "threads",
            &format!("{threads}{}", limit.unwrap_or_default()),
        );
        line(
            "restarts",
            match knows_starts {
                true => "told apart: a power cut voids what is remembered of files",
                false => "not told apart: every file that is written is synced",
            },
        );
        for folder in &self.folders {
            let absent = if folder.exists { "" } else { ", not there yet" };
            let writes = match &folder.cannot_write {
                None => "can be written".to_owned(),
                Some(why) => format!("CANNOT be written: {why}"),
            };
            let free = folder.free_bytes as f64 / f64::from(1 << 30);
            let path = folder.path.display();
            line(
                folder.role,
                &format!(
                    "{path} ({}, {free:.1} GiB free{absent}), {writes}",
                    folder.file_system
                ),
            );
        }
        match self.shares_blocks {
            None => line(
                "repository",
                "none here: no pipeline.yaml in this folder or above it",
            ),
            Some(true) => line("restoring", "shares blocks with the cache (reflink)"),
            Some(false) => line("restoring", "copies out of the cache (no reflink here)"),
        }
        match &self.other_source {
            None if self.workspace.is_none() => {}
            None => line("program", "built from the sources here, or there are none"),
            Some(file) => line(
                "program",
                &format!("{file} is not what it was built from: `make` builds it anew"),
            ),
        }
        if !self.draws {
            line("figures", "not checked: the font is not here");
        }
        let count = self.rounds.iter().map(|round| round.digests.len()).sum();
        let count = terminal::count(count, "golden digest");
        let rounds = format!(
            "{} with {} threads",
            levels.join(", "),
            THREADS.map(|n| n.to_string()).join(", ")
        );
        match differences.len() {
            0 => line("bits", &format!("{count} hold: {rounds}")),
            n => line("bits", &format!("{n} of {count} DIFFER: {rounds}")),
        }
        for Finding {
            level,
            threads,
            difference,
        } in differences
        {
            let shown = |digest: &Option<String>| digest.clone().unwrap_or_else(|| "none".into());
            let (found, expected) = (shown(&difference.found), shown(&difference.expected));
            let name = &difference.name;
            line(
                "",
                &format!("{level}, {threads} threads: {name}: {found}, expected {expected}"),
            );
        }
        if !differences.is_empty() {
            line(
                "",
                "results of this machine are not those of others: please report this with `doctor --json`",
            );
        }
        text
    }
}
