//! The world of words: which language is a name in? Prompts, features and baselines.
//!
//! A prompt has four languages, to each of which a letter is dealt; its shots are names with their letters,
//! and its query is a name whose letter is asked for. In the order of dependence: [`corpus`],
//! [`features`], [`prompts`], [`evaluations`], [`tokens`], [`baselines`], [`world`]. Knows no file format and no model.

pub mod baselines;
pub mod corpus;
pub mod evaluations;
pub mod features;
pub mod prompts;
pub mod tokens;
pub mod world;
