//! Tables for print, as LaTeX and CSV.

pub mod configuration;
pub mod configuration_table;
pub mod error_table;
pub mod loss_table;
pub mod parameter_table;
pub mod print;
pub mod shot_table;
