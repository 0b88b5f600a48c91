//! The half-life that makes counts most likely.
//!
//! With Poisson counts n(t) of mean a·exp(-λt), the likelihood is largest where the mean time of the
//! counted decays, Σ t·n(t) / Σ n(t), is that of the model, Σ t·exp(-λt) / Σ exp(-λt); a follows from the
//! sum. The model's mean time falls with λ, so bisection finds it. The standard error of λ is that of
//! Fisher's information, 1 / sqrt(N·Var(t)), with the model's variance of t and N decays.

use crate::kinds::counts::Counts;
use std::f64::consts::LN_2;

/// What the counts say, with standard errors.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    /// Mean number of decays in the first minute.
    pub activity: f64,
    /// In minutes.
    pub half_life: f64,
    pub std_error: f64,
}

/// No decay is faster: half of what is there in a hundredth of a minute.
const FASTEST: f64 = LN_2 / 0.01;

impl Fit {
    /// Fits counts.
    ///
    /// # Errors
    /// The counts do not fall with time, or all are of the first minute: no half-life makes them most likely.
    pub fn of(counts: &Counts) -> Result<Fit, String> {
        let decays: f64 = counts.iter().map(|(_, count)| count).sum();
        let seen = counts.iter().map(|(t, count)| t * count).sum::<f64>() / decays;
        let model = |lambda: f64| {
            let weights = counts.iter().map(move |(t, _)| (t, libm::exp(-lambda * t)));
            let sum: f64 = weights.clone().map(|(_, weight)| weight).sum();
            let mean = weights.clone().map(|(t, weight)| t * weight).sum::<f64>() / sum;
            let squares = weights.map(|(t, weight)| (t - mean) * (t - mean) * weight);
            (sum, mean, squares.sum::<f64>() / sum)
        };
        let (mut low, mut high) = (0.0, FASTEST);
        // Of no decays at all there is no mean time.
        if seen.is_nan() || seen >= model(low).1 {
            return Err("the counts do not fall with time".into());
        }
        if seen <= model(high).1 {
            return Err("all decays are of the first minute".into());
        }
        // Halved until no double lies between them.
        let mut lambda = 0.5 * (low + high);
        while low < lambda && lambda < high {
            match model(lambda).1 > seen {
                true => low = lambda,
                false => high = lambda,
            }
            lambda = 0.5 * (low + high);
        }
        let (sum, _, variance) = model(lambda);
        let half_life = LN_2 / lambda;
        Ok(Fit {
            activity: decays / sum,
            half_life,
            std_error: half_life / lambda / (decays * variance).sqrt(),
        })
    }

    /// The mean number of decays in a minute.
    pub fn mean(&self, minute: f64) -> f64 {
        self.activity * libm::exp2(-minute / self.half_life)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::random::Random;

    fn counts(seed: u64, activity: f64, half_life: f64) -> Counts {
        let mut random = Random::new(seed);
        let mean = |minute: u32| activity * libm::exp2(-f64::from(minute) / half_life);
        Counts::new((0..60).map(|minute| random.poisson(mean(minute))).collect()).unwrap()
    }

    /// The estimate is off by as much as it says: over many seeds the squared errors in standard errors
    /// have mean one.
    #[test]
    fn estimates_scatter_as_their_standard_errors_say() {
        const SEEDS: u32 = 400;
        let square = |seed: u32| {
            let fit = Fit::of(&counts(seed.into(), 200.0, 20.0)).unwrap();
            let error = (fit.half_life - 20.0) / fit.std_error;
            error * error
        };
        let mean = (0..SEEDS).map(square).sum::<f64>() / f64::from(SEEDS);
        // A squared normal number has variance 2; five standard errors of the mean.
        let tolerance = 5.0 * (2.0 / f64::from(SEEDS)).sqrt();
        assert!((mean - 1.0).abs() < tolerance, "{mean}");
    }

    #[test]
    fn counts_that_say_nothing_are_refused() {
        for (counts, words) in [
            (vec![1, 1, 1], "do not fall"),
            (vec![0, 0], "do not fall"),
            (vec![9], "do not fall"),
            (vec![9, 0, 0], "first minute"),
        ] {
            let error = Fit::of(&Counts::new(counts).unwrap()).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
