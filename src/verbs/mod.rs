//! The verbs that only this paper has.

pub mod doctor;
pub mod examples;
pub mod export;
pub mod front;
pub mod risk;
