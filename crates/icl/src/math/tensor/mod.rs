//! Arithmetic of a transformer over f32 or f64: elementary functions, products of matrices, and
//! what acts on rows. The same bits at every level of vector instructions. Knows no model.

pub mod activation;
pub mod float;
pub mod matmul;
pub mod matrix;
pub mod norm;
mod pack;
pub mod rows;
mod tile;
