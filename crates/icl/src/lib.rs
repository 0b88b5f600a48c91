//! The science: prompts, linear attention, losses, training, and the closed forms that they meet; a transformer, and
//! worlds of tasks to fine-tune it in. Knows no pipeline and no file format.
//!
//! In the order of dependence: [`math`], [`prompts`], [`model`], [`theory`], [`train`], [`evaluate`]; and, standing on
//! [`math`], [`transformer`], [`forgetting`], the worlds [`bridge`] and [`words`], [`language`] and the experiment [`mmlu`].

pub mod bridge;
pub mod evaluate;
pub mod forgetting;
#[doc(hidden)]
pub mod instances;
pub mod language;
pub mod math;
pub mod mmlu;
pub mod model;
pub mod prompts;
pub mod theory;
pub mod train;
pub mod transformer;
pub mod words;
