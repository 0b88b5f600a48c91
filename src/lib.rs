//! A reproducible pipeline for the figures and tables of *Fine-Tuning Without Forgetting In-Context
//! Learning: A Theoretical Analysis of Linear Attention Models* (Lee, Sohn, Lee; ICML 2026; arXiv
//! 2602.23197).
//!
//! In the order of dependence: [`math`] (random streams, sampling, sums), [`icl`] (the science),
//! [`artifact`] (files that stages exchange), [`report`] (figures and tables as bytes), [`pipeline`]
//! (the engine), [`stages`] (the kinds of stages), [`golden`] (computations whose bits are known), [`cli`]. `tests/layers.rs` holds them to it.

#![deny(unsafe_code)]

pub mod artifact;
pub mod cli;
pub mod golden;
pub mod icl;
pub mod math;
pub mod pipeline;
pub mod report;
pub mod stages;
