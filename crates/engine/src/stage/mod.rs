//! What a stage is: its kind, its parameters, its key, and how its files are published.

pub mod boundary;
pub mod columns;
pub mod key;
pub mod kind;
pub mod publication;
pub mod sources;
pub mod stage;
