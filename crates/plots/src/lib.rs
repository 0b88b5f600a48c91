//! Plain numbers and words in, bytes out: figures, and tables for LaTeX.
//!
//! Knows nothing of stages, files, science or time, so equal descriptions give equal bytes on
//! every machine. A figure goes [`figure`] -> [`draw::axes`] (ranges) -> [`draw::layout`] (places) ->
//! [`draw::figure`] (one intermediate SVG) -> [`draw::export`] (the SVG, PDF and PNG that a reader gets).

pub mod color;
pub mod draw;
pub mod error;
pub mod figure;
pub mod font;
pub mod latex;
pub mod number;
pub mod picture;
pub mod scale;
pub mod warnings;
