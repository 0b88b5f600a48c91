//! Random numbers that are the same on every machine: `libm` has no other bits elsewhere.

/// SplitMix64 (Steele, Lea, Flood 2014).
pub struct Random {
    state: u64,
}

impl Random {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Random { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform on [0, 1): 53 bits.
    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A Poisson number of that mean, at most 500 or so: as many as factors in [0, 1) fit into
    /// exp(-mean) (Knuth).
    pub fn poisson(&mut self, mean: f64) -> u32 {
        let end = libm::exp(-mean);
        let (mut number, mut product) = (0, self.uniform());
        while product > end {
            number += 1;
            product *= self.uniform();
        }
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poisson_number_has_its_mean_as_its_variance() {
        const DRAWS: u32 = 20_000;
        const MEAN: f64 = 7.5;
        let mut random = Random::new(1);
        let numbers: Vec<f64> = (0..DRAWS).map(|_| random.poisson(MEAN).into()).collect();
        let draws = f64::from(DRAWS);
        let mean = numbers.iter().sum::<f64>() / draws;
        let variance = numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / draws;
        // Standard errors of mean and variance of a Poisson number; five of them.
        let of_mean = (MEAN / draws).sqrt();
        let of_variance = ((MEAN + 2.0 * MEAN * MEAN) / draws).sqrt();
        assert!((mean - MEAN).abs() < 5.0 * of_mean, "{mean}");
        assert!((variance - MEAN).abs() < 5.0 * of_variance, "{variance}");
    }
}
