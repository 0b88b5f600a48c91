//! How somebody comes to a pipeline: [`new`] makes a small one that works, [`adopt`] writes one for programs that
//! are there, by what they do when they run.
//!
//! Two verbs for a program that has the kind `command`. Knows neither figures nor claims but in the files of the
//! new pipeline.

pub mod adopt;
pub mod new;
