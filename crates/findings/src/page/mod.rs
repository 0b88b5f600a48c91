//! The HTML page on all results.

pub mod cells;
pub mod claims;
pub mod figures;
pub mod glossary;
pub mod graph;
pub mod kind;
pub mod layers;
pub mod links;
pub mod of_paper;
pub mod params;
pub mod pictured;
pub mod placed;
pub mod recorded;
pub mod tabled;
pub mod template;
pub mod within;
