//! Verb `adopt`: what is there (a dvc.yaml, a list of commands, a folder of numbered scripts) is run watched, and
//! the pipeline that was seen is written.
//!
//! In the order of dependence: `step`, `shell`; readers of what is there (`commands`, `scripts`, `dvc`
//! with `template`); `order`; `trial` runs the steps; `pipeline` makes stages of what they did; `text`
//! writes them; `verb` puts the parts together.

mod commands;
mod dvc;
mod order;
mod pipeline;
mod scripts;
mod shell;
mod step;
mod template;
mod text;
mod trial;
mod verb;

pub use verb::{AdoptArgs, adopt};
