//! What programs of this kind know of the contents of files, its own and those of others.

pub mod foreign;
pub mod formats;
pub mod probe;
