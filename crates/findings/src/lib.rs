//! What any paper shows of its tables: figures, claims with their verdicts, and one page with all of it.
//!
//! Three kinds of stages and a table: [`figure`], [`claims`] (with the table of verdicts) and [`page`], over
//! tables that any stage or person may have written, as Parquet, CSV or JSON. A program adds them to its
//! kinds, [`verbs`] to its command line, [`publisher`] and [`contents`] to what it knows of files:
//! the program `retrace` has nothing else, `icl-repro` has the science of one paper besides.
//!
//! Knows no science. What claims of one paper compare with are numbers that its program gives by name, see
//! [`claims::questions`].

pub mod claims;
pub mod contents;
pub mod exchange;
pub mod figure;
pub mod page;
pub mod params;
pub mod publisher;
pub mod verbs;
