//! The claims of this paper, with the closed forms that they may name.

pub mod forms;
pub mod kind;
