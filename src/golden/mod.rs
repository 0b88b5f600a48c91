//! Small computations whose bits are known: does this machine compute what others do?
//!
//! [`numbers`] samples, trains, evaluates and solves at small sizes, [`transformers`] trains those, [`language`] a language model; [`files`] writes tables and draws a
//! figure; [`expected`] holds the digests of all of them; [`check`] compares, at every instruction set of
//! the machine and with several threads. No stage reaches this folder: it can change no key.

pub mod check;
pub mod expected;
pub mod files;
pub mod language;
pub mod numbers;
pub mod transformers;
