//! Where the engine and the science meet: one file for each kind of stage, and their registry.
//!
//! A kind's file names what it reads, writes and needs to know; that also is what enters its code
//! digest ([`code`]). Kinds know the science and the artifacts, never the cache or the lock.

pub mod balance_law;
pub mod claim;
pub mod claims;
pub mod code;
pub mod configuration;
pub mod configuration_table;
pub mod error_table;
pub mod evaluate;
pub mod exchange;
pub mod figure;
pub mod figure_look;
pub mod figure_rows;
pub mod finetune;
pub mod loss_table;
pub mod measure;
pub mod model_exchange;
pub mod optimum;
pub mod parameter_table;
pub mod params;
pub mod population;
pub mod pretrain;
pub mod quantity;
pub mod registry;
pub mod sampling;
pub mod tables;
pub mod task_exchange;
pub mod tasks;
pub mod theory;
pub mod training;
pub mod training_params;
