//! A shared store, as colleagues use it: pushed from one clone, and taken into others, true or not.

mod digests;
mod place;
mod signed;
mod upkeep;
