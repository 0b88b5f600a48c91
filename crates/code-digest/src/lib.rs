//! What code can affect what: for build scripts of programs whose results are kept under keys.
//!
//! A key that covers the code of a whole program changes with every edit; one that covers a version that
//! somebody must raise is soon wrong. This crate gives each source file a digest of all that it can
//! reach, found from the sources themselves:
//!
//! - A file counts as its tokens, without comments, documentation, layout and `#[cfg(test)]` items, and without the
//!   `#[inline(never)]` of a generic function, which says in which crate its code is made and not what it does.
//! - In the tokens each path that leads to a file of the workspace, in the same crate or in another, is
//!   replaced by the digest of that file. So no name of a file enters: one that moves keeps its digest,
//!   and two that swap their contents do not. Imports count as a set, for formatters sort them.
//! - Files that name each other have digests by their role among themselves.
//! - A dependency that Cargo.lock names counts as its version and the versions of all below it.
//! - Packages that cannot affect a result, such as the engine that files it, are left out by name.
//!
//! Names are followed, not types. That is complete under rules that are checked in every file that is
//! reached: an `impl` stands in the file of its type or its trait, no file pulls in another by
//! `include!` and its like, and no macro is exported from a crate's root.
//!
//! A build script asks for the digests of all files that contain `file!()`:
//!
//! ```no_run
//! // build.rs
//! code_digest::build_script(&["my-engine"]);
//! ```
//!
//! and the program includes what it wrote:
//!
//! ```ignore
//! include!(concat!(env!("OUT_DIR"), "/code.rs"));
//! // ROOTS: (file, digest, [(what it reaches, digest)]); RAW: (file, digest of its bytes); PROGRAM
//! ```

mod code;
mod modules;
mod script;
mod syntax;
mod tokens;
mod workspace;

pub use code::Code;
pub use script::build_script;
pub use workspace::Workspace;
