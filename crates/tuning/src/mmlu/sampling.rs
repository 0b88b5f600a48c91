//! One token drawn from a model's logits: temperature, the most likely ones, and of these enough for a share of
//! the probability.
//!
//! In this order, as the common libraries have it. Equal logits are in the order of their tokens, and exp is our own, so
//! that a draw is the same on every machine. Does not know models.

use icl::math::stream::Stream;
use icl::math::tensor::float::Float;
use std::cmp::Reverse;

/// How tokens are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// The most likely tokens that may be drawn; at least 1.
    pub top_k: usize,
    /// Of these the fewest whose probabilities sum to at least this share; above 0, at most 1.
    pub top_p: f64,
    /// Logits are divided by it; above 0.
    pub temperature: f64,
}

impl Sampling {
    /// Tokens that may be drawn with their weights (exp of logit / temperature, the largest 1), the most likely first.
    ///
    /// # Errors
    /// No logits, or one that is not a number.
    fn nucleus(&self, logits: &[f32]) -> Result<Vec<(u32, f64)>, String> {
        if let Some(at) = logits.iter().position(|logit| logit.is_nan()) {
            return Err(format!("the logit of token {at} is not a number"));
        }
        let mut order: Vec<(Reverse<Ordered>, u32)> = { logits.iter().zip(0_u32..) }
            .map(|(&logit, token)| (Reverse(Ordered(logit)), token))
            .collect();
        let k = self.top_k.clamp(1, order.len().max(1));
        if k < order.len() {
            order.select_nth_unstable(k - 1);
            order.truncate(k);
        }
        order.sort_unstable();
        let Some(&(Reverse(Ordered(largest)), _)) = order.first() else {
            return Err("the model has no outputs".into());
        };
        if !largest.is_finite() {
            return Err(format!("the largest logit is {largest}"));
        }
        let weight = |logit: f32| {
            let gap = (f64::from(logit) - f64::from(largest)) / self.temperature;
            Float::exp(gap)
        };
        let mut kept: Vec<(u32, f64)> = { order.iter() }
            .map(|&(Reverse(Ordered(logit)), token)| (token, weight(logit)))
            .collect();
        let all: f64 = kept.iter().map(|(_, weight)| weight).sum();
        let mut sum = 0.0;
        let enough = kept.iter().position(|(_, weight)| {
            sum += weight;
            sum >= self.top_p * all
        });
        kept.truncate(enough.map_or(kept.len(), |at| at + 1));
        Ok(kept)
    }

    /// Draws a token.
    ///
    /// # Errors
    /// No logits, or one that is not a number.
    pub fn draw(&self, logits: &[f32], stream: &mut Stream) -> Result<u32, String> {
        let kept = self.nucleus(logits)?;
        let mut left = stream.uniform() * kept.iter().map(|(_, weight)| weight).sum::<f64>();
        let drawn = kept.iter().find(|(_, weight)| {
            left -= weight;
            left < 0.0
        });
        // Rounding may leave the last.
        let drawn = drawn.or(kept.last()).map(|(token, _)| *token);
        drawn.ok_or_else(|| "the model has no outputs".into())
    }
}

/// A logit that is a number, by size; the two zeros are equal.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ordered(f32);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0 + 0.0).total_cmp(&(other.0 + 0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use icl::math::tolerance;

    fn sampling(top_k: usize, top_p: f64, temperature: f64) -> Sampling {
        Sampling {
            top_k,
            top_p,
            temperature,
        }
    }

    fn kept(sampling: Sampling, logits: &[f32]) -> Vec<u32> {
        let kept = sampling.nucleus(logits).unwrap();
        kept.into_iter().map(|(token, _)| token).collect()
    }

    #[test]
    fn the_most_likely_are_kept_and_equal_ones_in_their_order() {
        let logits = [0.0, 2.0, -1.0, 2.0, -0.0];
        assert_eq!(kept(sampling(3, 1.0, 1.0), &logits), [1, 3, 0]);
        assert_eq!(kept(sampling(9, 1.0, 1.0), &logits), [1, 3, 0, 4, 2]);
        // ln of .5, .3, .15, .05.
        let logits: Vec<f32> = [0.5_f64, 0.3, 0.15, 0.05]
            .map(|p| libm::log(p) as f32)
            .to_vec();
        assert_eq!(kept(sampling(4, 0.49, 1.0), &logits), [0]);
        assert_eq!(kept(sampling(4, 0.6, 1.0), &logits), [0, 1]);
        assert_eq!(kept(sampling(4, 0.9, 1.0), &logits), [0, 1, 2]);
        // The share is of those that are among the most likely: .5 of .8.
        assert_eq!(kept(sampling(2, 0.6, 1.0), &logits), [0]);
    }

    #[test]
    fn draws_have_the_probabilities() {
        let logits = [1.0, 0.0, 2.0];
        let sampling = sampling(3, 1.0, 2.0);
        let n = 200_000;
        let mut counts = [0_u32; 3];
        let mut stream = Stream::new(3, "test", &[]);
        for _ in 0..n {
            counts[sampling.draw(&logits, &mut stream).unwrap() as usize] += 1;
        }
        let weights = [0.5, 0.0, 1.0].map(libm::exp);
        let sum: f64 = weights.iter().sum();
        for (count, weight) in counts.into_iter().zip(weights) {
            let (p, n) = (weight / sum, f64::from(n));
            let gap = f64::from(count) / n - p;
            assert!(gap.abs() < tolerance::STANDARD_ERRORS * (p * (1.0 - p) / n).sqrt());
        }
    }

    #[test]
    fn a_low_temperature_takes_the_largest() {
        let mut stream = Stream::new(3, "test", &[]);
        let sampling = sampling(20, 0.95, 0.05);
        for _ in 0..1000 {
            assert_eq!(sampling.draw(&[0.0, 1.0, 0.5], &mut stream), Ok(1));
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let draw = |logits: &[f32]| {
            let mut stream = Stream::new(0, "test", &[]);
            sampling(2, 0.9, 1.0).draw(logits, &mut stream)
        };
        let told = draw(&[0.0, f32::NAN]).unwrap_err();
        assert_eq!(told, "the logit of token 1 is not a number");
        assert!(draw(&[f32::NEG_INFINITY; 2]).is_err());
        assert!(draw(&[f32::INFINITY, 0.0]).is_err());
        assert!(draw(&[]).is_err());
        assert_eq!(draw(&[f32::NEG_INFINITY, 0.0]), Ok(1));
    }
}
