//! The matrices a forward pass reads: Q and V of every layer and head, however they are stored.
//!
//! Also the container of a gradient with respect to them. In the last layer only V's last row
//! matters. Does not know how they were made.

/// Q and V, each dim x dim row-major, by layer and head.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective {
    dim: usize,
    n_layers: usize,
    n_heads: usize,
    q: Vec<f64>,
    v: Vec<f64>,
}

impl Effective {
    /// All zero.
    pub fn zeros(dim: usize, n_layers: usize, n_heads: usize) -> Effective {
        let len = n_layers * n_heads * dim * dim;
        Effective {
            dim,
            n_layers,
            n_heads,
            q: vec![0.0; len],
            v: vec![0.0; len],
        }
    }

    /// Token width d + 2.
    pub fn dim(&self) -> usize {
        self.dim
    }

    pub fn n_layers(&self) -> usize {
        self.n_layers
    }

    pub fn n_heads(&self) -> usize {
        self.n_heads
    }

    pub fn q(&self, layer: usize, head: usize) -> &[f64] {
        let range = self.range(layer, head);
        &self.q[range]
    }

    pub fn v(&self, layer: usize, head: usize) -> &[f64] {
        let range = self.range(layer, head);
        &self.v[range]
    }

    pub fn q_mut(&mut self, layer: usize, head: usize) -> &mut [f64] {
        let range = self.range(layer, head);
        &mut self.q[range]
    }

    pub fn v_mut(&mut self, layer: usize, head: usize) -> &mut [f64] {
        let range = self.range(layer, head);
        &mut self.v[range]
    }

    /// The last row of V: what a last layer uses of it.
    pub fn value_row(&self, layer: usize, head: usize) -> &[f64] {
        &self.v(layer, head)[self.dim * (self.dim - 1)..]
    }

    /// self += other, entry by entry.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn add(&mut self, other: &Effective) {
        assert_eq!(
            (self.dim, self.n_layers, self.n_heads),
            (other.dim, other.n_layers, other.n_heads),
            "effective matrices: shapes"
        );
        self.q
            .iter_mut()
            .zip(&other.q)
            .for_each(|(sum, x)| *sum += x);
        self.v
            .iter_mut()
            .zip(&other.v)
            .for_each(|(sum, x)| *sum += x);
    }

    /// Every entry set to zero.
    pub fn clear(&mut self) {
        self.q.fill(0.0);
        self.v.fill(0.0);
    }

    fn range(&self, layer: usize, head: usize) -> std::ops::Range<usize> {
        assert!(
            layer < self.n_layers && head < self.n_heads,
            "no layer {layer}, head {head}"
        );
        let size = self.dim * self.dim;
        let start = (layer * self.n_heads + head) * size;
        start..start + size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_do_not_overlap() {
        let mut effective = Effective::zeros(3, 2, 2);
        for layer in 0..2 {
            for head in 0..2 {
                effective.q_mut(layer, head).fill((layer * 2 + head) as f64);
            }
        }
        effective.v_mut(1, 0)[6..].copy_from_slice(&[7.0, 8.0, 9.0]);
        assert_eq!(effective.q(1, 0), [2.0; 9]);
        assert_eq!(effective.q(0, 1), [1.0; 9]);
        assert_eq!(effective.value_row(1, 0), [7.0, 8.0, 9.0]);
        assert_eq!(effective.value_row(1, 1), [0.0; 3]);
        let mut sum = effective.clone();
        sum.add(&effective);
        assert_eq!(sum.q(1, 1), [6.0; 9]);
        sum.clear();
        assert_eq!(sum, Effective::zeros(3, 2, 2));
    }
}
