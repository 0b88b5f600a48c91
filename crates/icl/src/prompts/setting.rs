//! The data distribution: dimension, label noise, covariate covariance.
//!
//! x ~ N(0, Sigma), y = theta . x + eps, eps ~ N(0, noise_var). Does not know tasks or prompts.

use crate::math::linalg::{self, MatrixError};
use ndarray::Array2;
use std::fmt;

/// A validated data distribution. `Sigma = I` unless [`Setting::with_covariance`] is called.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    d: usize,
    noise_var: f64,
    covariance: Option<Covariance>,
}

#[derive(Debug, Clone, PartialEq)]
struct Covariance {
    matrix: Array2<f64>,
    root: Array2<f64>,
}

/// Why a setting is refused.
#[derive(Debug, Clone, PartialEq)]
pub enum SettingError {
    NoDimension,
    NoiseVariance(f64),
    Covariance(MatrixError),
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SettingError::NoDimension => write!(f, "d: the covariate dimension must be at least 1"),
            SettingError::NoiseVariance(value) => {
                write!(f, "noise variance: {value} is not a finite number >= 0")
            }
            SettingError::Covariance(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SettingError {}

impl Setting {
    /// Dimension d >= 1 and label-noise variance sigma^2 >= 0, with Sigma = I.
    ///
    /// # Errors
    /// d = 0, or a noise variance that is negative or not finite.
    pub fn new(d: usize, noise_var: f64) -> Result<Setting, SettingError> {
        if d == 0 {
            return Err(SettingError::NoDimension);
        }
        if !(noise_var.is_finite() && noise_var >= 0.0) {
            return Err(SettingError::NoiseVariance(noise_var));
        }
        Ok(Setting {
            d,
            noise_var,
            covariance: None,
        })
    }

    /// The same setting with covariate covariance Sigma (d x d).
    ///
    /// # Errors
    /// A wrong shape, an entry that is not finite, asymmetry, or a Sigma that is not positive definite.
    pub fn with_covariance(self, matrix: &Array2<f64>) -> Result<Setting, SettingError> {
        const NAME: &str = "covariance";
        linalg::check_square(NAME, matrix.view(), self.d).map_err(SettingError::Covariance)?;
        let root = linalg::symmetric_sqrt(NAME, matrix).map_err(SettingError::Covariance)?;
        let covariance = Some(Covariance {
            matrix: matrix.clone(),
            root,
        });
        Ok(Setting { covariance, ..self })
    }

    /// Covariate dimension.
    pub fn d(&self) -> usize {
        self.d
    }

    /// Token width d + 2: constant, covariates, label.
    pub fn token_dim(&self) -> usize {
        self.d + 2
    }

    /// sigma^2.
    pub fn noise_var(&self) -> f64 {
        self.noise_var
    }

    /// sigma.
    pub fn noise_std(&self) -> f64 {
        self.noise_var.sqrt()
    }

    /// Independent normals behind one pair (x, y): d covariates, and the noise if there is any.
    pub fn normals_per_pair(&self) -> usize {
        self.d + usize::from(self.noise_var > 0.0)
    }

    /// Sigma, unless it is the identity.
    pub fn covariance(&self) -> Option<&Array2<f64>> {
        self.covariance
            .as_ref()
            .map(|covariance| &covariance.matrix)
    }

    /// The symmetric root Sigma^{1/2}, unless Sigma is the identity.
    pub fn covariance_root(&self) -> Option<&Array2<f64>> {
        self.covariance.as_ref().map(|covariance| &covariance.root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_name_the_cause() {
        let message = |result: Result<Setting, SettingError>| result.unwrap_err().to_string();
        assert!(message(Setting::new(0, 0.1)).contains("at least 1"));
        assert!(message(Setting::new(5, -0.1)).contains("-0.1"));
        assert!(message(Setting::new(5, f64::NAN)).contains("NaN"));
        let setting = Setting::new(2, 0.0).unwrap();
        assert_eq!(setting.normals_per_pair(), 2);
        let wrong = setting.clone().with_covariance(&Array2::eye(3));
        assert_eq!(message(wrong), "covariance: it has 3 rows, expected 2");
        let negative = setting.with_covariance(&(Array2::<f64>::eye(2) * -1.0));
        assert!(message(negative).contains("not positive definite"));
    }
}
