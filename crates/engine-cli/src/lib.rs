//! The command line of a reproducible pipeline: the verbs that any pipeline has, for somebody's kinds of
//! stages.
//!
//! A program names itself, its kinds and the sources that it was built from, and has them all: `run`,
//! `status`, `explain`, `graph`, `verify`, `diff`, `schema`, `runs`, `gc`, `clean`, `provenance`,
//! `completions` and `man`. Verbs of its own are a [`clap::Subcommand`] that is [`OwnVerbs`].
//!
//! The crate knows the engine ([`retrace`]) and the terminal, and nothing of what stages do: what a
//! program knows of the contents of files is its [`Formats`], how they are published its
//! [`retrace::stage::publication::Publisher`].

mod app;
mod console;
mod program;
pub mod progress;
mod session;
mod verbs;

pub use app::app::App;
pub use app::call::{Call, NoVerbs, OwnVerbs};
pub use console::{panics, terminal};
pub use program::changes::{Change, Changes, Difference, Unreadable, Version};
pub use program::child;
pub use program::completions::Shell;
pub use program::examples::{self, Example, Examples};
pub use program::exit::{self, Exit};
pub use program::formats::Formats;
pub use program::manual::Page;
pub use program::plain::PlainFiles;
pub use program::program::{Build, Program};
pub use session::scope::Scope;
pub use session::session::Session;
pub use session::workers;
pub use verbs::provenance::Beside;
pub use verbs::run::RunArgs;
