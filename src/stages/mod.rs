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
pub mod data_set_exchange;
pub mod digits;
pub mod error_table;
pub mod evaluate;
pub mod examples;
pub mod exchange;
pub mod figure;
pub mod figure_data;
pub mod figure_look;
pub mod figure_rows;
pub mod finetune;
pub mod foreign;
pub mod loss_table;
pub mod matrices;
pub mod measure;
pub mod model_exchange;
pub mod optimum;
pub mod parameter_table;
pub mod params;
pub mod pool_evaluate;
pub mod pool_pretrain;
pub mod population;
pub mod pretrain;
pub mod prompt_figure;
pub mod publisher;
pub mod quantity;
pub mod registry;
pub mod report;
pub mod report_claims;
pub mod report_figures;
pub mod report_graph;
pub mod roles;
pub mod sampling;
pub mod shot_table;
pub mod tables;
pub mod tabular;
pub mod tabular_tasks;
pub mod target_summary;
pub mod task_exchange;
pub mod task_roles;
pub mod tasks;
pub mod theory;
pub mod trace;
pub mod training;
pub mod training_params;
