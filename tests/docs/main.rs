//! The documentation and the shell's side of the program: every command in it is run, every link
//! leads somewhere, what is generated is current.
//!
//! `UPDATE_DOCS=1 cargo test --release --locked --test docs` rewrites what is generated.

mod commands;
mod copy;
mod links;
mod reference;
mod shell;
mod text;
