//! Verb `export`: the results as a package for others.

pub mod citation;
pub mod crate_graph;
pub mod crate_values;
pub mod day;
pub mod licences;
pub mod ro_crate;
