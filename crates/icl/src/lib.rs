//! The science: prompts, linear attention, losses, training, and the closed forms that they meet. Knows no pipeline and no
//! file format.
//!
//! In the order of dependence: [`math`], [`prompts`], [`model`], [`theory`], [`train`], [`evaluate`].

pub mod evaluate;
#[doc(hidden)]
pub mod instances;
pub mod math;
pub mod model;
pub mod prompts;
pub mod theory;
pub mod train;
