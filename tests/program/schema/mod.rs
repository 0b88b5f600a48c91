//! The JSON Schemas: of pipeline.yaml, and of what verbs print for programs.

pub mod answers;
mod pipeline;
mod promise;
mod validator;
