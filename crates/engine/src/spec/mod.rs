//! What pipeline.yaml says: stages, variables, profiles, matrices of stages.

pub mod combinations;
pub mod defaults;
pub mod expand;
pub mod file;
pub mod fill;
pub mod ids;
pub mod sections;
pub mod settings;
pub mod wildcard;
