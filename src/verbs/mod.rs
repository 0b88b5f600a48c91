//! The verbs that only this paper has.

pub mod claims;
pub mod committed;
pub mod doctor;
pub mod examples;
pub mod export;
pub mod front;
pub mod report;
pub mod risk;
