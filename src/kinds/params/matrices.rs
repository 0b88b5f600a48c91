//! How pipeline.yaml names a head's parametrisation.

use icl::model::weights::Parametrization;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether key and query are one matrix.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Matrices {
    Merged,
    Separate,
}

impl Matrices {
    pub fn parametrization(self) -> Parametrization {
        match self {
            Matrices::Merged => Parametrization::Merged,
            Matrices::Separate => Parametrization::Separate,
        }
    }
}
