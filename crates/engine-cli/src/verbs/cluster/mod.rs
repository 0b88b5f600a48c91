//! Verbs `plan` and `work`, and `run --executor`: stages on a cluster that somebody else runs.
//!
//! In the order of dependence: what a scheduler reads ([`slurm`], [`snakemake`]), the plan's folder ([`folder`]),
//! the verbs ([`plan`], [`work`]), and who submits and waits ([`queue`], [`executor`]).

pub mod executor;
pub mod folder;
pub mod plan;
pub mod queue;
pub mod slurm;
pub mod snakemake;
pub mod work;
