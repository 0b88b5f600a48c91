//! How much in-context learning fine-tuning leaves: of one draw along its paths, of models without paths, and
//! over draws.

pub mod kind;
pub mod of_models;
pub mod paths;
pub mod rows;
pub mod summary;
pub mod table;
