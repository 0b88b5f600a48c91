//! Stages with content hashes, an action cache, a content store and a committed lock.
//!
//! Constructive traces in the sense of *Build Systems à la Carte* (Mokhov, Mitchell, Peyton Jones
//! 2018): a stage's key is a digest of everything that can affect its outputs, and the cache maps
//! keys to output contents. Knows no science: kinds of stages are registered from outside.
//!
//! Who writes a kind needs [`StageKind`], its roles ([`one`], [`optional`], [`many`], [`any`]), [`Io`] and
//! [`Error`]; who has kinds [`Registered`]s them with the [`Code`] that they reach and opens an
//! [`Engine`]:
//!
//! ```
//! use retrace::{Code, Engine, Io, Kind, Registered, Result, Role, StageKind};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! /// Writes a line.
//! struct Say;
//!
//! #[derive(Deserialize, Serialize, JsonSchema)]
//! struct Words {
//!     words: String,
//! }
//!
//! impl StageKind for Say {
//!     const NAME: &'static str = "say";
//!     const SOURCE: &'static str = file!();
//!     const INPUTS: &'static [Role] = &[];
//!     const OUTPUTS: &'static [&'static str] = &["text"];
//!     type Params = Words;
//!
//!     fn run(params: &Words, io: &Io) -> Result<()> {
//!         io.write("text", params.words.as_bytes())
//!     }
//! }
//!
//! # fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let root = folder.path();
//! std::fs::write(
//!     root.join("pipeline.yaml"),
//!     "version: 2\n\
//!      stages:\n\
//!     \x20 hello: {kind: say, params: {words: Hello}, outputs: {text: figures/hello.txt}}\n",
//! )?;
//! // A build script gives the digest of the code: see the crate `code-digest`.
//! let kinds: fn() -> Vec<Box<dyn Kind>> =
//!     || vec![Box::new(Registered::<Say>::new(Code::new("1", [])))];
//!
//! let engine = Engine::open(root, kinds())?;
//! assert_eq!(engine.run(&[])?.ran, 1);
//! assert_eq!(std::fs::read(engine.output("hello", "text")?)?, b"Hello");
//! // Nothing has changed, so nothing runs.
//! assert_eq!(Engine::open(root, kinds())?.run(&[])?.fresh, 1);
//! # Ok(())
//! # }
//! ```
//!
//! In the order of dependence: [`base`], [`yaml`], [`spec`] (what pipeline.yaml says), [`stage`] (what a
//! stage is and what its key covers), [`store`] (what is kept), [`shared`] (what others keep), [`resolve`]
//! (from pipeline.yaml to stages), [`lock`], [`run`], [`work`] (what a cluster does), [`upkeep`]. A whole
//! command line is in the crate `retrace-cli`.

pub mod base;
mod engine;
pub mod lock;
pub mod resolve;
pub mod run;
pub mod shared;
pub mod spec;
pub mod stage;
pub mod store;
pub mod upkeep;
pub mod work;
pub mod yaml;

pub use base::digest::Digest;
pub use base::error::{Error, ErrorKind, Place, Result};
pub use engine::{Engine, OpenOptions};
pub use run::inspection::Inspector;
pub use run::plan::{Context, Reason, State};
pub use run::settle::Summary;
pub use spec::settings::Settings;
pub use stage::key::Code;
pub use stage::kind::{
    Arity, Io, Job, Kind, Registered, Role, StageKind, any, many, one, optional,
};
pub use stage::publication::{Apart, Publisher};
pub use stage::sources::Sources;
