//! The program: its verbs, its documents, the paper's results, and faults that people met.
//!
//! A module for each subject; `no_test_is_forgotten` finds a file that nobody names.

mod appendix;
mod claims;
mod cli;
mod crate_export;
mod depth;
mod digits;
mod docs;
mod doctor;
mod draws;
mod explained;
#[path = "../hostile/figure_attacks.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod figure_attacks;
mod finished;
mod forgotten;
mod golden;
#[path = "../hostile/hostile.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod hostile;
mod kept;
mod language;
mod language_model;
mod layers;
mod mended;
mod mmlu;
mod offline;
mod opt_in;
mod own_data;
mod page;
mod publications;
mod report_page;
#[path = "../faults/repository.rs"]
#[allow(dead_code, reason = "the faults use the rest")]
mod repository;
mod results;
mod schema;
mod shared_work;
mod supplied;
#[path = "../engine/toy.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod toy;
mod tradeoff;
mod transformers;
mod variations;
mod verbs;
mod words;
#[path = "../hostile/yaml.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod yaml;
