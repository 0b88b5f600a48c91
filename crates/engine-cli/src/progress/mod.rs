//! How a run is shown while it goes on.

pub mod bar;
pub mod display;
pub mod outlook;
