//! Looking after what is there: verifying, rebuilding, removing.

pub mod confirm;
pub mod gc;
pub mod orphans;
pub mod rebuild;
pub mod removal;
pub mod repeat;
pub mod sample;
pub(crate) mod scratch;
pub mod transfer;
pub mod verify;
