//! A decoder-only transformer with forward and backward by hand, of which the paper's linear attention is one
//! configuration. The same bits for any number of threads and on every processor.
//!
//! In the order of dependence: [`model`], its layers, [`network`], [`train`]. Knows neither tasks nor files.

pub mod adapter;
pub mod decode;
mod layers;
mod loss;
pub mod model;
pub mod network;
pub mod optimizer;
pub mod train;
pub mod trainable;
