//! Tasks to train on, and training.

pub mod finetune;
pub mod label_column;
pub mod pool_pretrain;
pub mod population;
pub mod pretrain;
pub mod task_roles;
pub mod tasks;
pub mod training;
