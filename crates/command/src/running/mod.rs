//! A command that runs: its view of the repository, how it is confined, what it looked at, how it ended.

pub mod confined;
pub mod ending;
pub mod log;
pub mod looks;
pub mod run;
pub mod unwatched;
pub mod view;
