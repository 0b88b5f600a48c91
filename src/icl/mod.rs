//! The science: prompts, linear attention, losses, training, and the closed forms that they meet.
//! Knows no pipeline and no file format; leans on `math` alone.

pub mod attention;
pub mod baseline;
pub mod batch;
pub mod context;
pub mod covariance_optima;
pub mod data_set;
pub mod effective;
pub mod evaluate;
pub mod fresh;
pub mod gram;
pub mod head;
pub mod head_gradient;
pub mod hold_out;
pub mod measures;
pub mod model;
pub mod objective;
pub mod one_layer;
pub mod optima;
pub mod optimizer;
pub mod pool_evaluate;
pub mod population;
pub mod readout;
pub mod resample;
pub mod risk;
pub mod setting;
pub mod single_token;
pub mod source;
pub mod task;
pub mod task_pool;
pub mod theory_points;
pub mod token_reader;
pub mod train;
pub mod trainable;
pub mod unit_sphere;
pub mod whitened;
