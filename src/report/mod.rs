//! Plain numbers and words in, bytes out: figures, and tables for LaTeX.
//!
//! Knows nothing of stages, files, science or time, so equal descriptions give equal bytes on
//! every machine. A figure goes `figure` -> `axes` (ranges) -> `layout` (places) -> `draw` (one
//! intermediate SVG) -> `export` (the SVG, PDF and PNG that a reader gets).

#![deny(unsafe_code)]

pub mod axes;
pub mod canvas;
pub mod clip;
pub mod color;
pub mod draw;
pub mod error;
pub mod export;
pub mod figure;
pub mod font;
pub mod image_rows;
pub mod latex;
pub mod layers;
pub mod layout;
pub mod legend;
pub mod marks;
pub mod number;
pub mod page;
pub mod picture;
pub mod scale;
pub mod ticks;
pub mod warnings;
