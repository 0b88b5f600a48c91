//! From pipeline.yaml to stages: inputs bound to outputs, targets chosen, the graph.

pub(crate) mod bind;
pub(crate) mod columns;
pub(crate) mod drafts;
pub(crate) mod graph;
pub(crate) mod groups;
pub(crate) mod kinds;
pub(crate) mod members;
pub mod outputs;
pub(crate) mod recorded;
pub mod resources;
pub mod schema;
pub mod select;
pub mod stages;
pub(crate) mod supplied;
pub(crate) mod tolerance;
pub(crate) mod trace;
