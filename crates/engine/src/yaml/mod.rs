//! YAML as a tree of nodes that know their place, and typed values out of it.

pub(crate) mod decimal;
pub mod node;
pub(crate) mod numbers;
pub(crate) mod text;
pub(crate) mod type_error;
pub mod typed;
