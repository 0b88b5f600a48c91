//! A reproducible pipeline for the figures and tables of *Fine-Tuning Without Forgetting In-Context
//! Learning: A Theoretical Analysis of Linear Attention Models* (Lee, Sohn, Lee; ICML 2026; arXiv
//! 2602.23197).
//!
//! The engine is the crate `retrace`, its command line `retrace-cli`, the science `icl`, what is made of findings
//! (figures, claims, tables, the page) `findings`. Here is the paper: its [`kinds`] of stages and their
//! [`registry`], the [`code`] digests that enter their keys, [`golden`] computations whose bits are known, and
//! the [`verbs`] that only it has. [`app`] puts them together.

pub mod app;
pub mod code;
pub mod golden;
pub mod kinds;
pub mod registry;
pub mod verbs;
