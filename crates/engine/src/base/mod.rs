//! What everything else needs: errors, digests, files that are whole or not there, where a path leads.

pub mod digest;
pub mod error;
pub mod files;
pub(crate) mod line_ends;
pub mod location;
