//! A regression task: the vector theta that turns covariates into labels.
//!
//! Does not know the covariates' distribution.

use crate::math::linalg::{self, MatrixError};
use crate::math::stream::Stream;
use ndarray::Array1;
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::StandardNormal;

/// theta, of dimension d and any norm.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    theta: Vec<f64>,
}

impl Task {
    /// A task from its vector.
    ///
    /// # Errors
    /// An entry that is not finite, or an empty vector.
    pub fn new(theta: Vec<f64>) -> Result<Task, MatrixError> {
        linalg::check_vector("theta", &theta, theta.len().max(1))?;
        Ok(Task { theta })
    }

    /// Uniform on the unit sphere of R^d: the target task theta0 of a seed.
    ///
    /// # Panics
    /// If d = 0.
    pub fn random_unit(d: usize, seed: u64) -> Task {
        assert!(d > 0, "a task needs a dimension");
        let mut stream = Stream::new(seed, "target task", &[]);
        loop {
            let normals = Array1::<f64>::random_using(d, StandardNormal, &mut stream).to_vec();
            let norm = linalg::inner(&normals, &normals).sqrt();
            if norm > 0.0 {
                let theta = normals.iter().map(|x| x / norm).collect();
                return Task { theta };
            }
        }
    }

    /// -theta.
    pub fn negated(&self) -> Task {
        Task {
            theta: self.theta.iter().map(|x| -x).collect(),
        }
    }

    pub fn theta(&self) -> &[f64] {
        &self.theta
    }

    pub fn d(&self) -> usize {
        self.theta.len()
    }

    /// |theta|^2.
    pub fn squared_norm(&self) -> f64 {
        linalg::inner(&self.theta, &self.theta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_and_reproducible() {
        for d in [1, 2, 5, 21] {
            let task = Task::random_unit(d, 3);
            assert!((task.squared_norm() - 1.0).abs() < 1e-14);
            assert_eq!(task, Task::random_unit(d, 3));
            assert_ne!(task, Task::random_unit(d, 4).negated());
            assert_eq!(task.negated().negated(), task);
        }
        assert!(Task::new(vec![1.0, f64::INFINITY]).is_err());
        assert!(Task::new(vec![]).is_err());
    }
}
