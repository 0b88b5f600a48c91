//! What goes to the terminal, and how: words, colours, columns, and what is said of a bug.

pub mod digits;
pub mod grid;
pub mod items;
pub mod panics;
pub mod terminal;
pub mod typed;
pub mod voice;
