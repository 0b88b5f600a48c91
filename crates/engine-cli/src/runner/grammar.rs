//! The grammar of the command line: the verbs that any pipeline has, and a program's own.

use crate::console::voice::Voice;
use crate::pipeline::scope::Scope;
use crate::program::description::Program;
use crate::program::examples;
use crate::program::exit;
use crate::verbs::clean::CleanArgs;
use crate::verbs::cluster::plan::PlanCommand;
use crate::verbs::cluster::work::WorkArgs;
use crate::verbs::completions::CompletionsArgs;
use crate::verbs::explain::ExplainArgs;
use crate::verbs::gc::GcArgs;
use crate::verbs::graph::GraphArgs;
use crate::verbs::man::ManArgs;
use crate::verbs::provenance::ProvenanceArgs;
use crate::verbs::repeat::RepeatArgs;
use crate::verbs::run::RunArgs;
use crate::verbs::runs::RunsArgs;
use crate::verbs::schema::SchemaArgs;
use crate::verbs::status::StatusArgs;
use crate::verbs::store::StoreCommand;
use crate::verbs::transfer::TransferArgs;
use crate::verbs::verify::VerifyArgs;
use crate::verbs::versions::compare::CompareArgs;
use crate::verbs::versions::diff::DiffArgs;
use crate::verbs::versions::variations::VariationsArgs;
use clap::{Command, CommandFactory, Parser, Subcommand};

#[derive(Parser)]
#[command(propagate_version = true)]
pub struct Cli<V: Subcommand> {
    #[command(flatten)]
    pub scope: Scope,
    #[command(flatten)]
    pub voice: Voice,
    #[command(subcommand)]
    pub verb: Verb<V>,
}

#[derive(Subcommand)]
pub enum Verb<V: Subcommand> {
    /// Bring targets up to date: run what is stale, restore what is cached
    Run(RunArgs),
    /// Say which stages are fresh and which are not, and why
    Status(StatusArgs),
    /// Show everything that a stage's cache key is made of, and what differs from the lock
    Explain(ExplainArgs),
    /// Show the stages and what they read from each other
    Graph(GraphArgs),
    /// Compare outputs, inputs and cache with pipeline.lock; writes nothing
    Verify(VerifyArgs),
    /// Run one stage several times under other circumstances, and say which of its outputs differ, where,
    /// and what did it; writes nothing
    Repeat(RepeatArgs),
    /// Show what changed in pipeline.lock and in committed tables between two git revisions, or to what --profile or --set
    /// made
    Diff(DiffArgs),
    /// Show two versions of the results beside each other: settings and cells of tables that differ, verdicts that turned
    Compare(CompareArgs),
    /// List what profiles and --set have made below the cache, or remove some of it
    Variations(VariationsArgs),
    /// Print a JSON Schema: of pipeline.yaml, for editors, or of what a verb prints with --json
    Schema(SchemaArgs),
    /// List past runs: when, how long, what ran and why
    Runs(RunsArgs),
    /// Remove what no result needs from the cache, and old results beyond a size
    Gc(GcArgs),
    /// Remove the cache and the intermediate artifacts, or a profile's outputs alone; figures, tables, the
    /// lock and what was not made here stay
    Clean(CleanArgs),
    /// Put what the lock records and the cache has into a shared store; with --paranoid also in place of what is
    /// wrong there
    Push(TransferArgs),
    /// Bring what the lock records from a shared store into the cache, whoever filled it: other bytes are refused
    Pull(TransferArgs),
    /// Look after a shared store
    Store(StoreCommand),
    /// Plan the work of a cluster: tasks of several stages each, in a folder that its nodes see
    Plan(PlanCommand),
    /// Do one task of a plan, as a job of a cluster does: what is made goes into the shared store, nothing into
    /// the working tree
    Work(WorkArgs),
    /// Say where a published file came from, from any copy of it, and how to make it again
    Provenance(ProvenanceArgs),
    /// Print a script that completes verbs, options, stages, groups and profiles in a shell
    Completions(CompletionsArgs),
    /// Print a page of the manual, or write all of them below --out DIR
    Man(ManArgs),
    #[command(flatten)]
    Own(V),
}

/// Columns of the help, also where the terminal has more or does not say how many it has.
const HELP_WIDTH: usize = 80;

/// The grammar of a program, each verb with its examples; `order` names the verbs that come first where
/// they are listed.
pub fn command<V: Subcommand>(program: &Program, about: &'static str, order: &[&str]) -> Command {
    let cache = format!("Keep the cache in DIR instead of {}", program.cache());
    let command = Cli::<V>::command()
        .name(program.name)
        .version(program.version)
        .about(about)
        .max_term_width(HELP_WIDTH)
        .after_help(exit::sentence(&program.exits()))
        // In place: `mut_arg` would move it to the end.
        .mut_args(|argument| match argument.get_id() == "cache_dir" {
            true => argument.help(&cache),
            false => argument,
        });
    let place = |verb: &Command| order.iter().position(|name| *name == verb.get_name());
    let mut verbs: Vec<Command> = command.get_subcommands().cloned().collect();
    verbs.sort_by_key(|verb| place(verb).unwrap_or(order.len()));
    // A command takes no verb out of its list, but another in its place.
    let mut in_order = verbs.into_iter().enumerate();
    command.mut_subcommands(|verb| {
        let Some((place, verb)) = in_order.next() else {
            return verb;
        };
        let examples = examples::of(program.examples, verb.get_name());
        let verb = verb.display_order(place);
        match examples.is_empty() {
            true => verb,
            false => verb.after_help(examples::text(program.name, examples, HELP_WIDTH)),
        }
    })
}
