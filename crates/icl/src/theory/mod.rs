//! Closed forms: exact test errors, optimal parameters, what follows from them.

pub mod covariance_optima;
pub mod isotropic;
pub mod measures;
pub mod one_layer;
pub mod optima;
pub mod pareto;
pub mod points;
pub mod readout;
pub mod risk;
pub mod unit_sphere;
pub mod whitened;
