//! Figures: rows of tables asked for (`query`), summed up (`statistics`), and drawn.

pub mod check;
pub mod curves;
pub mod data;
pub mod error_range;
pub mod guide;
pub mod kind;
pub mod legend;
pub mod lost;
pub mod panel;
pub mod query;
pub mod rows;
pub mod statistics;
pub mod wants;
