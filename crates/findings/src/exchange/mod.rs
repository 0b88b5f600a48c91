//! Files that stages hand to each other: tables that anybody wrote, pictures, the trace.

pub mod drawing;
pub mod failed;
pub mod given;
pub mod json;
pub mod trace;
