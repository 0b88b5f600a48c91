//! What a model can do: test errors, sampled and exact, and what theory says of them.

pub mod balance_law;
pub mod closed_forms;
pub mod draw_means;
pub mod evaluate;
pub mod kind;
pub mod optimum;
pub mod pareto_front;
pub mod pareto_gap;
pub mod pool_evaluate;
pub mod sampling;
pub mod target_summary;
pub mod theory;
pub mod tradeoff_paths;
pub mod tradeoff_points;
pub mod word_baselines;
