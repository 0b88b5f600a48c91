//! What the kernel lets one process know and decide of others; no rule of ours.

pub mod calls;
pub mod descriptors;
pub mod family;
pub mod filter;
pub mod seccomp;
