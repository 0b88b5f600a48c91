//! A table as a LaTeX fragment that fits an A4 page, for the packages array, booktabs, longtable and siunitx.
//!
//! Knows nothing of what the cells mean: they are plain text, escaped here. Numbers are aligned by siunitx, which
//! reads a standard error in parentheses. What is too wide for a line is set smaller, then wrapped, then cut into
//! several tables, one above the other; what is long breaks over pages.

pub mod escape;
mod fit;
mod numeral;
mod table;
mod write;

pub use table::{Align, Column, Group, Table};
pub use write::latex;
