//! What is done for a shared store as a whole: looked through, pinned, cleared.
//!
//! In the order of dependence: [`names`] (what is in a store), [`pin`] (what stays), [`audit`] (what is wrong),
//! [`collect`] (what goes). Each works on any [`crate::shared::backend::Backend`], with its listings and no
//! others' help.

pub mod audit;
pub mod collect;
pub mod names;
pub mod pin;
