//! Shared stores among many who use them: a model of the protocol, a simulation of a cluster, and what is done
//! for a store as a whole.

mod forbidden;
mod protocol;
mod read_only;
mod simulation;
mod upkeep;
