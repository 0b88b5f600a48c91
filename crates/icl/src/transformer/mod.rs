//! A decoder-only transformer with forward and backward by hand, of which the paper's linear attention is one
//! configuration. The same bits for any number of threads and on every processor.
//!
//! Knows neither tasks nor files.

pub mod batch;
pub mod config;
mod layers;
pub mod layout;
mod loss;
pub mod network;
pub mod optimizer;
pub mod parameters;
pub mod train;
pub mod trainable;
