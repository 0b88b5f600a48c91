//! What pipeline.yaml says: stages, variables, profiles, matrices of stages.

pub(crate) mod expand;
pub mod file;
pub(crate) mod fill;
pub(crate) mod ids;
pub mod settings;
