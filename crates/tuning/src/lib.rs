//! A transformer, and worlds of tasks to fine-tune it in: the paper's question, asked of more than linear attention. Knows
//! no pipeline and no file format.
//!
//! In the order of dependence: [`transformer`], [`forgetting`], the worlds [`bridge`] and [`words`], [`language`] and the
//! experiment [`mmlu`]. All stand on the sums of [`icl::math`].

pub mod bridge;
pub mod forgetting;
#[doc(hidden)]
pub mod instances;
pub mod language;
pub mod mmlu;
pub mod transformer;
pub mod words;
