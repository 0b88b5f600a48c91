//! Rotary positions: each head's coordinates i and i + size/2 turn by position * base^(-2 i / size).
//!
//! The pairing is that of Llama's files on the model hub. A turn is orthogonal, so its backward is the turn back.
//! Source: Su et al. 2021, doi:10.48550/arXiv.2104.09864.

use icl::math::tensor::float::Float;

/// Cosines and sines of all positions below a bound: position x (size / 2).
#[derive(Debug, Clone, Default)]
pub(crate) struct Turns<T> {
    cos: Vec<T>,
    sin: Vec<T>,
    positions: usize,
}

impl<T: Float> Turns<T> {
    /// Makes sure that positions below `positions` are there.
    pub fn reach(&mut self, positions: usize, size: usize, base: f64) {
        let half = size / 2;
        for position in self.positions..positions {
            for i in 0..half {
                let exponent = -2.0 * i as f64 / size as f64;
                let angle = position as f64 * libm::pow(base, exponent);
                self.cos.push(T::from_f64(libm::cos(angle)));
                self.sin.push(T::from_f64(libm::sin(angle)));
            }
        }
        self.positions = self.positions.max(positions);
    }

    /// Turns a row of heads in place, forward or back.
    pub fn turn(&self, row: &mut [T], size: usize, position: usize, back: bool) {
        let half = size / 2;
        let places = position * half..(position + 1) * half;
        let (cos, sin) = (&self.cos[places.clone()], &self.sin[places]);
        for head in row.chunks_exact_mut(size) {
            let (first, second) = head.split_at_mut(half);
            for (((a, b), &c), &s) in first.iter_mut().zip(second).zip(cos).zip(sin) {
                let s = if back { T::ZERO - s } else { s };
                (*a, *b) = (*a * c - *b * s, *b * c + *a * s);
            }
        }
    }
}
