//! Figures: rows of tables chosen, summed up, and drawn.

pub mod check;
pub mod choice;
pub mod curves;
pub mod data;
pub mod kind;
pub mod look;
pub mod lost;
pub mod mark;
pub mod prompts;
pub mod rows;
pub mod selector;
pub mod tables;
