//! `report --against`: the page with the curves of another version of the results in its charts, and a section
//! that says what differs.
//!
//! In the order of dependence: the curves ([`overlay`]), the section and its place in the page ([`section`]),
//! what is asked of the pipeline ([`page`]).

pub mod overlay;
pub mod page;
pub mod section;
