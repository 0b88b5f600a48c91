//! A store that others may write to, and that nobody has to trust.
//!
//! In the order of dependence: [`backend`] (names to bytes, wherever they are kept), [`folder`], [`piped`] (what
//! only a second program can reach), [`trust`] (whose word counts), [`entry`] (what a signer says of a key),
//! [`store`], [`upkeep`] of a store as a whole.

pub mod at_once;
pub mod backend;
pub mod entry;
pub mod folder;
pub mod piped;
pub mod store;
pub mod trust;
pub mod upkeep;
