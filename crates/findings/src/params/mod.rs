//! Parameters that figures share.

pub mod look;
pub mod number;
