//! Verb `doctor`: the machine, its folders, and the bits that it computes.

pub mod findings;
pub mod folder;
pub mod instructions;
pub mod machine;
pub mod quick;
