//! The three processes: who asks, who watches, and who becomes the command.

pub mod caller;
pub mod confine;
mod log;
pub mod roles;
pub mod starter;
pub mod supervisor;
