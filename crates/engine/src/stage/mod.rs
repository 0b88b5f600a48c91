//! What a stage is: its kind, its parameters, its key, and how its files are published.

pub mod boundary;
mod by_id;
pub mod columns;
pub(crate) mod company;
pub mod io;
pub mod key;
pub mod kind;
pub mod look;
pub mod publication;
pub mod sources;
#[expect(
    clippy::module_inception,
    reason = "one noun a file, and this is that of the folder"
)]
pub mod stage;
pub mod supplied;
pub mod tolerance;
