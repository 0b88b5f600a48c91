//! What a stage says of its command, and what of that enters the key: params, places, variables, programs and
//! packages. Runs nothing but an interpreter that is asked where it is.

pub mod arguments;
pub mod packages;
pub mod params;
pub mod prepared;
pub mod program;
pub mod surroundings;
