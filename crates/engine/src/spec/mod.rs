//! What pipeline.yaml says: stages, variables, profiles, matrices of stages.

pub(crate) mod combinations;
pub(crate) mod defaults;
pub(crate) mod expand;
pub mod file;
pub(crate) mod fill;
pub(crate) mod groups;
pub mod ids;
pub mod names;
pub mod resources;
pub(crate) mod sections;
pub mod settings;
pub(crate) mod wildcard;
