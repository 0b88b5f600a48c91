//! What a model is shown: tasks, prompts of examples, data sets, pools of real tasks.

pub mod context;
pub mod data_set;
pub mod fresh;
pub mod gram;
pub mod hold_out;
pub mod resample;
pub mod sampler;
pub mod setting;
pub mod task;
pub mod task_pool;
pub mod token_reader;
