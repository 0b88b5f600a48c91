//! Stages with content hashes, an action cache, a content store and a committed lock.
//!
//! Constructive traces in the sense of *Build Systems à la Carte* (Mokhov, Mitchell, Peyton Jones
//! 2018): a stage's key is a digest of everything that can affect its outputs, and the cache maps
//! keys to output contents. Knows no science: kinds of stages are registered from outside.
//!
//! In the order of dependence: [`base`], [`yaml`], [`spec`] (what pipeline.yaml says), [`stage`] (what a
//! stage is and what its key covers), [`store`] (what is kept), [`resolve`] (from pipeline.yaml to
//! stages), [`lock`], [`run`], [`upkeep`].

pub mod base;
pub mod lock;
pub mod resolve;
pub mod run;
pub mod spec;
pub mod stage;
pub mod store;
pub mod upkeep;
pub mod yaml;
