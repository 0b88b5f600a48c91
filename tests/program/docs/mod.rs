//! The documentation and the shell's side of the program: every command in it is run, every link
//! leads somewhere, what is generated is current.
//!
//! `make docs` rewrites what is generated.

mod commands;
mod copy;
mod links;
mod numbers;
mod reference;
mod shell;
mod text;
