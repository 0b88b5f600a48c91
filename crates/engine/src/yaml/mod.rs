//! YAML as a tree of nodes that know their place, and typed values out of it.

pub mod decimal;
pub mod node;
pub mod numbers;
pub mod text;
pub mod type_error;
pub mod typed;
