//! Verb `plan`: a folder from which a cluster does the work.

use crate::console::terminal::{self, count};
use crate::console::typed;
use crate::pipeline::scope::Scope;
use crate::pipeline::session::Session;
use crate::pipeline::shared::StoreArgs;
use crate::pipeline::workers;
use crate::program::description::Program;
use crate::program::exit;
use crate::verbs::cluster::folder::{self, Wanted};
use crate::verbs::cluster::{slurm, snakemake};
use clap::{Args, Subcommand};
use retrace::base::error::Result;
use retrace::base::files;
use retrace::shared::trust::TRUST_FILE;
use retrace::work::notes::Notes;
use retrace::work::place::Place;
use retrace::work::plan::TaskPlan;
use std::path::{Path, PathBuf};

/// For whom.
#[derive(Debug, Args)]
pub struct PlanCommand {
    #[command(subcommand)]
    what: For,
}

#[derive(Debug, Subcommand)]
enum For {
    /// For Slurm: submit.sh submits the tasks as job arrays
    Slurm(PlanArgs),
    /// For Snakemake 9, and whatever it runs on: a Snakefile with one rule
    Snakemake(PlanArgs),
}

#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Stage ids, globs, groups or output paths, with what they need; none means everything but opt-in groups
    pub targets: Vec<String>,
    /// The folder to make, where every node sees it; one with an older plan is brought up to date
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// About how many minutes a task should take
    #[arg(long, value_name = "N", default_value_t = MINUTES, value_parser = minutes)]
    pub minutes: f64,
    #[command(flatten)]
    pub store: StoreArgs,
}

/// How long a task should take where nobody says it: long beside what a scheduler needs to start one.
pub const MINUTES: f64 = 10.0;

/// So many digits of its key name a plan's signer.
const NAMED_BY: usize = 8;

/// The value of `--minutes`.
pub fn minutes(text: &str) -> std::result::Result<f64, String> {
    let number = text.parse::<f64>().ok();
    let is_right = |minutes: &f64| minutes.is_finite() && *minutes > 0.0;
    let number = number.filter(is_right);
    number.ok_or_else(|| "write a number of minutes above 0, such as 10 or 0.5".into())
}

/// Makes a plan with what a scheduler reads.
pub fn plan(program: &Program, scope: &Scope, command: &PlanCommand) -> Result<u8> {
    let (For::Slurm(args) | For::Snakemake(args)) = &command.what;
    let session = Session::open(program, scope)?;
    let selection = session.select(&args.targets)?;
    let folder = folder::check(&session, &args.to)?;
    let location = args.store.required_location(&session)?;
    let wanted = Wanted {
        scope,
        location: &location,
        minutes: args.minutes,
    };
    let context = session.context()?;
    let plan = folder::make(&session, &context, &selection, &folder, &wanted)?;
    let root = &session.engine.workspace.root;
    let next = match &command.what {
        For::Slurm(_) => {
            write_slurm(&plan, root, &folder, program.name)?;
            format!("{} submits them", folder.join(slurm::SUBMIT).display())
        }
        For::Snakemake(_) => {
            write_snakemake(&session, &plan, &folder)?;
            let file = folder.join(snakemake::SNAKEFILE);
            format!("`snakemake -s {} --cores 4` does them", file.display())
        }
    };
    let stages: usize = plan.tasks.iter().map(|task| task.stages.len()).sum();
    let run = session.run_command(&args.targets, &typed::store_option(&plan.store));
    terminal::summary(&format!(
        "{} in {}: {next}, `{run}` takes what they made\n",
        count(stages, "stage"),
        count(plan.tasks.len(), "task"),
    ));
    if let Some(signer) = plan.signers.first() {
        // Each plan has a key of its own, and a name stands for one key.
        let short: String = signer.chars().take(NAMED_BY).collect();
        terminal::note(&format!(
            "what the tasks make is signed with a key of this plan: before `{run}` takes it, put the line `ed25519 {signer} cluster-{short}` into {TRUST_FILE}"
        ));
    }
    Ok(exit::OK)
}

/// Writes what Slurm reads.
///
/// # Errors
/// A file cannot be written.
pub fn write_slurm(plan: &TaskPlan, root: &Path, folder: &Path, name: &str) -> Result<()> {
    let texts = [
        (slurm::SUBMIT, slurm::submit(plan, root, name)),
        (slurm::JOB, slurm::job(root, folder)),
    ];
    for (file, text) in texts {
        let path = folder.join(file);
        files::write(&path, text.as_bytes())?;
        folder::make_executable(&path)?;
    }
    Ok(())
}

/// Writes what Snakemake reads; tasks of which the store has everything are marked as done.
fn write_snakemake(session: &Session, plan: &TaskPlan, folder: &Path) -> Result<()> {
    let root = &session.engine.workspace.root;
    let text = snakemake::snakefile(plan, root, folder);
    files::write(&folder.join(snakemake::SNAKEFILE), text.as_bytes())?;
    let notes = Notes::new(folder);
    notes.forget()?;
    let done = folder.join(snakemake::DONE);
    if done.exists() {
        files::remove(&done)?;
    }
    files::create_folder(&done)?;
    let shared = folder::store(plan, root)?;
    // A look, which writes nothing into the cache of the repository.
    let place = Place::new(root, None)?;
    let standing = session.engine.context_with(&place.store);
    let context = standing.with_own_cache(&place.workspace, &place.store);
    let left = plan.left(&context, &shared, workers::cancelled())?;
    for task in (0..plan.tasks.len()).filter(|task| !left.contains(task)) {
        files::write(&done.join(task.to_string()), b"")?;
    }
    Ok(())
}
