//! From a figure to bytes: layout, axes, marks, legend, and the formats.

pub mod axes;
pub mod canvas;
pub mod clip;
pub mod export;
pub mod figure;
pub mod image_rows;
pub mod layout;
pub mod legend;
pub mod marks;
pub mod text_columns;
pub mod ticks;
