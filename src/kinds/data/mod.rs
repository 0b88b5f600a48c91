//! Real data: digit images, tables of examples and names in many languages, as tasks.

pub mod digits;
pub mod name_lines;
pub mod names;
pub mod packed;
pub mod tabular;
pub mod tabular_tasks;
