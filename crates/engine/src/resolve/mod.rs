//! From pipeline.yaml to stages: inputs bound to outputs, targets chosen, the graph.

pub mod bind;
pub mod columns;
pub mod graph;
pub mod kinds;
pub mod outputs;
pub mod schema;
pub mod select;
pub mod stages;
pub mod trace;
