//! How long is the half-life of a sample, and how well do counts of so many minutes tell it?
//!
//! Two kinds of stages: [`kinds::count`] simulates a counter beside a sample, [`kinds::estimate`] finds the
//! half-life from such counts, with a table and a figure. pipeline.yaml says which counts are made and
//! read. All that the command line does with them comes with [`App`]; a program or a test opens the same
//! pipeline as an [`Engine`](retrace::Engine):
//!
//! ```
//! use retrace::Engine;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! std::fs::write(folder.path().join("pipeline.yaml"), half_life::PIPELINE)?;
//!
//! let engine = Engine::open(folder.path(), half_life::kinds())?;
//! let summary = engine.run(&["estimate"])?;
//! assert_eq!((summary.ran, summary.failed.len()), (3, 0));
//!
//! let table = std::fs::read_to_string(engine.output("estimate", "table")?)?;
//! let long = table.lines().find_map(|line| line.strip_prefix("long,"));
//! let (half_life, std_error) = long.and_then(|line| line.split_once(',')).ok_or("no line")?;
//! let (half_life, std_error): (f64, f64) = (half_life.parse()?, std_error.parse()?);
//! assert!((half_life - 30.0).abs() < 4.0 * std_error, "{table}");
//!
//! // Nothing has changed, so nothing runs.
//! assert_eq!(Engine::open(folder.path(), half_life::kinds())?.run(&[])?.fresh, 3);
//! # Ok(())
//! # }
//! ```

pub mod kinds;

use crate::kinds::count::Count;
use crate::kinds::estimate::Estimate;
use retrace::{Kind, Registered, Sources, StageKind};
use retrace_cli::App;

include!(concat!(env!("OUT_DIR"), "/code.rs"));

/// Which code each kind can reach, as the build script found out.
const SOURCES: Sources = Sources {
    roots: ROOTS,
    raw: RAW,
    program: PROGRAM,
};

/// The pipeline of this folder.
pub const PIPELINE: &str = include_str!("../pipeline.yaml");

/// Every kind of stage, with the digest of its code.
pub fn kinds() -> Vec<Box<dyn Kind>> {
    fn kind<K: StageKind>() -> Box<dyn Kind> {
        Box::new(Registered::<K>::new(SOURCES.reach(K::SOURCE)))
    }
    vec![kind::<Count>(), kind::<Estimate>()]
}

/// The command line.
pub fn app() -> App {
    App::new("half-life", env!("CARGO_PKG_VERSION"), kinds, SOURCES)
        .about("Estimates a half-life from simulated counts of decays")
}
