//! Kinds of fault that people met, each with its neighbours: what was silently wrong, lost or refused
//! without a reason, and stays mended.

mod guard;
mod tables;
