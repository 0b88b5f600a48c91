//! A gradient with respect to a head's (v, Q).
//!
//! Entries may overflow, unlike a head's. Does not know what was differentiated.

use ndarray::Array2;

/// Derivatives by the d + 2 entries of v and the (d + 2) x (d + 2) entries of Q.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadGradient {
    pub v: Vec<f64>,
    pub q: Array2<f64>,
}

impl HeadGradient {
    /// Zero, for token width `dim` = d + 2.
    pub fn zeros(dim: usize) -> HeadGradient {
        HeadGradient {
            v: vec![0.0; dim],
            q: Array2::zeros((dim, dim)),
        }
    }

    /// self += factor * other.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn add_scaled(&mut self, factor: f64, other: &HeadGradient) {
        assert_eq!(self.v.len(), other.v.len(), "head gradient: shapes");
        self.v
            .iter_mut()
            .zip(&other.v)
            .for_each(|(sum, x)| *sum += factor * x);
        self.q
            .iter_mut()
            .zip(&other.q)
            .for_each(|(sum, x)| *sum += factor * x);
    }

    /// The sum of products with a direction's entries.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn along(&self, direction: &HeadGradient) -> f64 {
        assert_eq!(self.v.len(), direction.v.len(), "head gradient: shapes");
        let pairs = self.v.iter().chain(&self.q);
        pairs
            .zip(direction.v.iter().chain(&direction.q))
            .fold(0.0, |sum, (x, y)| sum + x * y)
    }

    /// The Euclidean norm over all entries.
    pub fn norm(&self) -> f64 {
        self.along(self).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_products_cover_every_entry() {
        let gradient = HeadGradient {
            v: vec![1.0, 2.0],
            q: ndarray::arr2(&[[3.0, 4.0], [5.0, 6.0]]),
        };
        let mut sum = HeadGradient::zeros(2);
        sum.add_scaled(2.0, &gradient);
        sum.add_scaled(-1.0, &gradient);
        assert_eq!(sum, gradient);
        assert_eq!(gradient.along(&sum), 91.0);
        assert_eq!(gradient.norm(), 91.0_f64.sqrt());
    }
}
