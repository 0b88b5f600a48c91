//! Real data: digit images and tables of examples, as tasks.

pub mod digits;
pub mod tabular;
pub mod tabular_tasks;
