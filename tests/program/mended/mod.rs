//! Kinds of fault that people met, each with its neighbours: what destroyed, published or accused what it
//! must not, what was silently wrong, and what was refused without a reason.

mod answers;
mod checkouts;
mod children;
mod columns;
mod compiler;
mod defaults;
mod facets;
mod figures;
mod fresh_clones;
mod git;
mod guard;
mod inputs;
mod items;
mod language;
mod looks;
mod merges;
mod moves;
mod named;
mod options;
mod ownership;
mod publishing;
mod scopes;
mod selectors;
mod sharing;
mod sight;
pub mod sketch;
mod tables;
mod targets;
mod threads;
mod told;
mod tree;
mod words;
