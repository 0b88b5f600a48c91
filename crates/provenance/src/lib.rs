//! Where a file came from, written into the file: Parquet, PDF, PNG and SVG.
//!
//! Knows formats, not what the record says.

pub mod carried;
pub mod embed;
pub mod in_parquet;
pub mod in_pdf;
pub mod in_png;
pub mod in_svg;
