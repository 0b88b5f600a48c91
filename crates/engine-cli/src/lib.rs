//! The command line of a reproducible pipeline: the verbs that any pipeline has, for somebody's kinds of
//! stages.
//!
//! A program names itself, its kinds and the sources that it was built from, and has them all: `run`,
//! `status`, `explain`, `graph`, `verify`, `diff`, `compare`, `variations`, `schema`, `runs`, `gc`, `clean`, `push`, `pull`, `store`,
//! `provenance`, `completions` and `man`. Verbs of its own are a [`clap::Subcommand`] that is [`OwnVerbs`]:
//!
//! ```
//! use retrace_cli::{App, Call, OwnVerbs, exit, terminal};
//!
//! #[derive(clap::Subcommand)]
//! enum Verbs {
//!     /// Print how many stages there are
//!     Count,
//! }
//!
//! impl OwnVerbs for Verbs {
//!     fn run(&self, call: &Call) -> retrace::Result<u8> {
//!         match self {
//!             Verbs::Count => {
//!                 let stages = call.session()?.engine.pipeline.stages.len();
//!                 terminal::print(&format!("{stages}\n"));
//!                 Ok(exit::OK)
//!             }
//!         }
//!     }
//! }
//!
//! # fn kinds() -> Vec<Box<dyn retrace::Kind>> { Vec::new() }
//! # const SOURCES: retrace::Sources = retrace::Sources { roots: &[], raw: &[], program: "" };
//! # fn main() {
//! let app = App::new("mine", "1.0.0", kinds, SOURCES)
//!     .about("What it is for")
//!     .verbs::<Verbs>();
//! // `main` returns app.run().
//! assert!(app.command().find_subcommand("count").is_some());
//! assert!(app.command().find_subcommand("explain").is_some());
//! # }
//! ```
//!
//! A whole program, with kinds, a build script and tests, is in `examples/half-life`.
//!
//! The crate knows the engine ([`retrace`]) and the terminal, and nothing of what stages do: what a
//! program knows of the contents of files is its [`Formats`], how they are published its
//! [`Publisher`](retrace::Publisher).

pub mod answers;
mod console;
mod pipeline;
mod program;
mod progress;
mod runner;
mod verbs;

pub use answers::answer::{Answer, Described};
pub use console::{panics, terminal, typed};
pub use pipeline::git::{Commit, Git};
pub use pipeline::scope::Scope;
pub use pipeline::session::Session;
pub use pipeline::workers;
pub use program::changes::{Change, Changes, Difference, Unreadable, Version};
pub use program::child;
pub use program::completions::Shell;
pub use program::description::{Build, Program};
pub use program::examples::{self, Example, Examples};
pub use program::exit::{self, Exit};
pub use program::formats::Formats;
pub use program::manual::Page;
pub use program::plain::PlainFiles;
pub use program::verdicts::{CompareVerdicts, Side, Verdicts};
pub use progress::outlook::{Outlook, Ready};
pub use runner::app::App;
pub use runner::call::{Call, NoVerbs, OwnVerbs};
pub use verbs::provenance::Beside;
pub use verbs::run::RunArgs;
pub use verbs::versions::compare::most;
pub use verbs::versions::comparison::Comparison;
pub use verbs::versions::meant;
pub use verbs::versions::tables::{ChangedTable, Compared, cell, shape};
pub use verbs::versions::values::{ChangedValue, rows as value_rows};
