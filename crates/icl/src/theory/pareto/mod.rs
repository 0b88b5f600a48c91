//! The exact trade-off between the zero-shot error on theta0 and the mean few-shot error over random unit tasks.
//!
//! For models of one layer, Sigma = I and a unit theta0: `docs/theory.md`, section 10.
//!
//! * [`quadratic`]: least value of one error under a bound on another, both quadratic.
//! * [`invariants`]: both errors in the nine numbers that an optimum can have.
//! * [`front`]: the least few-shot error under a bound on the zero-shot error, by family.
//! * [`label_column`]: the closed form of its first part.
//! * [`entries`]: both errors in all entries of any number of heads.
//! * [`every_value`]: for one head and any value vector, the exact optimum over all of Q.
//! * [`search`]: descent over all entries under the bound, from many starts.

pub mod entries;
pub mod every_value;
pub mod front;
pub mod invariants;
pub mod label_column;
pub mod quadratic;
pub mod search;
