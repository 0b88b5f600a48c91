//! Verb `doctor`: the machine, its folders, and the bits that it computes.

pub mod doctor;
pub mod folder;
pub mod instructions;
pub mod machine;
