//! The transformer and its worlds against finite differences, independent implementations and known answers.

mod explain;
mod language;
mod transformer;
#[path = "../../../icl/tests/science/written_out.rs"]
mod written_out;
