//! What goes in and what comes out: plain data, which any system can hold.

pub mod ended;
pub mod plan;
pub mod wire;
