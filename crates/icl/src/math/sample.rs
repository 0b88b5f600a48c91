//! The values of one block of prompts: their sums, and where they are asked for the values themselves.
//!
//! Does not know what the values are.

use crate::math::lanes::Lanes;
use crate::math::moments::{LaneSums, Moments};

/// Values of one block as they come, one group of lanes after the other.
#[derive(Debug, Clone)]
pub struct Sample {
    sums: LaneSums,
    n: u64,
    values: Option<Vec<f64>>,
}

impl Sample {
    /// Of a block of so many values; whether they are kept.
    pub fn new(n: usize, keeps: bool) -> Sample {
        Sample {
            sums: LaneSums::ZERO,
            n: n as u64,
            values: keeps.then(|| Vec::with_capacity(n)),
        }
    }

    /// Adds the values of the first `active` lanes.
    #[inline(always)]
    pub fn push(&mut self, values: Lanes, active: usize) {
        self.sums.push(values, Lanes::first(active));
        if let Some(kept) = &mut self.values {
            kept.extend_from_slice(&values.0[..active.min(values.0.len())]);
        }
    }

    pub fn moments(&self) -> Moments {
        self.sums.moments(self.n)
    }

    /// The values, none where they are not kept.
    pub fn values(&self) -> &[f64] {
        self.values.as_deref().unwrap_or_default()
    }
}
