//! The grammar of the command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Regenerates the figures and tables of "Fine-Tuning Without Forgetting In-Context Learning".
#[derive(Debug, Parser)]
#[command(name = "icl-repro", version, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    pub scope: Scope,
    #[command(flatten)]
    pub voice: Voice,
    #[command(subcommand)]
    pub verb: Verb,
}

const EXIT_CODES: &str = "Exit codes: 0 ok, 1 a stage failed, 2 usage or configuration, \
3 outputs differ from the lock, 4 a verdict differs from the recorded one (claims), 5 another run is going on (--no-wait), 6 something is stale \
(--exit-code), 130 interrupted.";

/// Which pipeline, in which variant, and where its files are.
#[derive(Debug, Args)]
pub struct Scope {
    /// Act as if started in DIR
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,
    /// Use a profile of pipeline.yaml; its outputs go below the cache folder
    #[arg(long, value_name = "NAME", global = true)]
    pub profile: Option<String>,
    /// Change a parameter (stage.param=value) or a variable (vars.name=value); may be repeated
    #[arg(long = "set", value_name = "STAGE.PARAM=VALUE", global = true)]
    pub sets: Vec<String>,
    /// Add the stages of a group to the targets; may be repeated
    #[arg(long = "group", value_name = "GROUP", global = true)]
    pub groups: Vec<String>,
    /// Keep the cache in DIR instead of .icl-repro
    #[arg(long, value_name = "DIR", global = true)]
    pub cache_dir: Option<PathBuf>,
    /// Read every file instead of trusting its size and times
    #[arg(long, global = true)]
    pub paranoid: bool,
    /// Write outputs and lock below DIR
    #[arg(long, value_name = "DIR", global = true)]
    pub out: Option<PathBuf>,
}

/// How much is said, and in which colours.
#[derive(Debug, Args)]
pub struct Voice {
    /// Colours: on a terminal (auto), always, or never; auto obeys NO_COLOR and CLICOLOR_FORCE
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        default_value_t = Color::Auto,
        hide_possible_values = true,
        global = true
    )]
    pub color: Color,
    /// Say only what was asked for, warnings and errors: no progress, no summary, no stage that is fresh
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more: which files are meant, every change that makes a stage stale, stages that are fresh
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Bring targets up to date: run what is stale, restore what is cached
    Run(RunArgs),
    /// Say which stages are fresh and which are not, and why
    Status(StatusArgs),
    /// Show everything that a stage's cache key is made of, and what differs from the lock
    Explain(TargetArgs),
    /// Show the stages and what they read from each other
    Graph(GraphArgs),
    /// Compare outputs, inputs and cache with pipeline.lock; writes nothing
    Verify(VerifyArgs),
    /// Show what changed in pipeline.lock and in committed tables between two git revisions
    Diff(DiffArgs),
    /// Print a JSON Schema of pipeline.yaml, for editors
    Schema,
    /// List past runs: when, how long, what ran and why
    Runs(RunsArgs),
    /// Remove what no result needs from the cache, and old results beyond a size
    Gc(GcArgs),
    /// Remove the cache and the intermediate artifacts; figures, tables and the lock stay
    Clean(CleanArgs),
    /// Print the paper's claims with their verdicts; exit with 4 when one differs from the recorded one
    Claims(ClaimsArgs),
    /// Bring the report up to date from what is made already, and print its path
    Report(ReportArgs),
    /// Exact test error of your own one-layer model
    Risk(RiskArgs),
    /// Say where a published file came from, from any copy of it, and how to make it again
    Provenance(ProvenanceArgs),
    /// Print a script that completes verbs and options in a shell
    Completions(CompletionsArgs),
    /// Print a page of the manual, or write all of them below --out DIR
    Man(ManArgs),
    /// Say what this machine is, and whether it computes the bits that others do; exit with 3 when not
    Doctor(DoctorArgs),
    /// Package the results for others, with what they were made of
    #[command(subcommand)]
    Export(Export),
}

/// In which form.
#[derive(Debug, Subcommand)]
pub enum Export {
    /// A Workflow Run RO-Crate: files, and each stage's run with its inputs, outputs and parameters
    RoCrate(RoCrateArgs),
}

#[derive(Debug, Args)]
pub struct RoCrateArgs {
    /// Stage ids, globs, groups or output paths; none means everything
    pub targets: Vec<String>,
    /// The folder to make; it must not exist, or be empty
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// The day of publication, YYYY-MM-DD [default: date-released in CITATION.cff]
    #[arg(long, value_name = "DAY")]
    pub date: Option<String>,
    /// Copy also the artifacts that stages exchange
    #[arg(long)]
    pub all: bool,
    /// Copy no file: write only ro-crate-metadata.json, which describes them
    #[arg(long)]
    pub metadata_only: bool,
}

#[derive(Debug, Args)]
pub struct TargetArgs {
    /// Stage ids, globs, groups or output paths; none means everything
    pub targets: Vec<String>,
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Stage ids, globs, groups or output paths; none means everything
    pub targets: Vec<String>,
    /// Run the targets and what they need from an empty cache, in scratch space, and compare every
    /// output with pipeline.lock; says where a mismatch starts
    #[arg(long)]
    pub rebuild: bool,
    /// Threads of the one pool, and stages at a time, as far as more of them help [default: all cores]
    #[arg(short = 'j', value_name = "N", requires = "rebuild", value_parser = jobs, allow_negative_numbers = true)]
    pub jobs: Option<usize>,
    /// Print an object with counts and an array of findings
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// None: HEAD and the working tree; one: that and the working tree; two: old and new
    #[arg(value_name = "REV", num_args = 0..=2)]
    pub revisions: Vec<String>,
    /// Show everything, not only the first changes
    #[arg(long)]
    pub all: bool,
    /// Print an object with all changes
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// Stage ids, globs, groups or output paths; none means everything
    pub targets: Vec<String>,
    /// Run the targets although they are fresh
    #[arg(long)]
    pub force: bool,
    /// Only say what would run, and why
    #[arg(long)]
    pub dry_run: bool,
    /// Run the targets alone; what they read must be made already
    #[arg(long, conflicts_with = "downstream")]
    pub single_item: bool,
    /// Run also what depends on the targets
    #[arg(long)]
    pub downstream: bool,
    /// Threads of the one pool, and stages at a time, as far as more of them help [default: all cores]
    #[arg(short = 'j', value_name = "N", value_parser = jobs, allow_negative_numbers = true)]
    pub jobs: Option<usize>,
    /// After a failure, go on with stages that do not depend on it
    #[arg(long)]
    pub keep_going: bool,
    /// Record outputs that differ from the lock under an unchanged key
    #[arg(long)]
    pub accept: bool,
    /// Fail instead of waiting while another run is going on
    #[arg(long)]
    pub no_wait: bool,
}

impl RunArgs {
    /// A plain run of one target.
    pub fn of(target: &str, no_wait: bool) -> RunArgs {
        RunArgs {
            targets: vec![target.to_owned()],
            force: false,
            dry_run: false,
            single_item: false,
            downstream: false,
            jobs: None,
            keep_going: false,
            accept: false,
            no_wait,
        }
    }
}

/// The value of `-j`. How many can help is another question: a number that no type holds is as good as
/// any other beyond that.
fn jobs(text: &str) -> Result<usize, String> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<usize>() {
        Ok(0) => Err("nothing runs in no thread: write 1 or more".into()),
        Ok(number) => Ok(number),
        Err(_) if is_number => Ok(usize::MAX),
        Err(_) => Err("write a whole number of threads, 1 or more".into()),
    }
}

#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Stage ids, globs, groups or output paths; none means everything
    pub targets: Vec<String>,
    /// Exit with 6 when anything is not fresh
    #[arg(long)]
    pub exit_code: bool,
    /// Print a JSON object instead of lines
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct RunsArgs {
    /// Show one run with all its stages: its number in the list
    pub number: Option<usize>,
    /// How many of the latest runs to list
    #[arg(long, default_value_t = 20)]
    pub last: usize,
    /// Print JSON instead of lines
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct GcArgs {
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
    /// Remove the oldest results, but for those of a lock, until the cache is no larger: 500M, 2G
    #[arg(long, value_name = "SIZE")]
    pub max_size: Option<String>,
}

#[derive(Debug, Args)]
pub struct CleanArgs {
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Fail instead of waiting while another run is going on
    #[arg(long)]
    pub no_wait: bool,
}

#[derive(Debug, Args)]
pub struct ClaimsArgs {
    /// Show one claim with all its evidence and the stages that it rests on
    pub id: Option<String>,
    /// Print an array of {"id", "statement", "expected", "measured", "std_error", "verdict"}
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ProvenanceArgs {
    /// A figure or a table, anywhere
    pub file: PathBuf,
    /// Print an object with the record inside the file, parameters included, and what the lock says
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print a JSON object instead of lines
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Whose language the script is in
    #[arg(value_enum)]
    pub shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

#[derive(Debug, Args)]
pub struct ManArgs {
    /// The verb whose page it is; none means the program's
    pub verb: Option<String>,
}

#[derive(Debug, Args)]
pub struct GraphArgs {
    /// Stage ids, globs, groups or output paths; none means everything
    pub targets: Vec<String>,
    /// Lines to read, or the language of Graphviz or Mermaid
    #[arg(long, value_enum, default_value_t = GraphFormat::Text)]
    pub format: GraphFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum GraphFormat {
    Text,
    Dot,
    Mermaid,
}

#[derive(Debug, Args)]
pub struct RiskArgs {
    /// JSON: {"v": [d+2 numbers], "q": [d+2 rows of d+2 numbers]}, or a model file of a stage
    #[arg(long, value_name = "FILE")]
    pub params: PathBuf,
    /// JSON: [d numbers]
    #[arg(long, value_name = "FILE")]
    pub task: PathBuf,
    /// Numbers of shots: one (20), or first and last (0..20), both included
    #[arg(long, value_name = "RANGE")]
    pub shots: String,
    /// Variance of the label noise
    #[arg(
        long,
        value_name = "SIGMA2",
        default_value_t = 0.1,
        allow_negative_numbers = true
    )]
    pub noise_var: f64,
    /// JSON: covariance of the covariates, d rows of d numbers [default: identity]
    #[arg(long, value_name = "FILE")]
    pub covariance: Option<PathBuf>,
    /// Print an array of {"n", "error"} instead of a table
    #[arg(long)]
    pub json: bool,
}
