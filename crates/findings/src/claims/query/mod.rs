//! Quantities as queries over tables: how they are written, and what they come to.
//!
//! Knows columns, rows and arithmetic. Does not know the science, nor what is expected of a quantity.

pub mod evaluate;
pub mod evidence;
pub mod expression;
pub mod inherit;
pub mod parse;
pub mod rows;
pub mod scan;
pub mod select;
