//! The options that say which pipeline is meant.

use clap::Args;
use std::path::PathBuf;

/// Which pipeline, in which variant, and where its files are.
#[derive(Clone, Debug, Default, Args)]
pub struct Scope {
    /// Act as if started in DIR
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,
    /// Use a profile of pipeline.yaml; its outputs go below the cache folder
    #[arg(long, value_name = "NAME", global = true)]
    pub profile: Option<String>,
    /// Change a parameter (stage.param=value) or a variable (vars.name=value); may be repeated
    #[arg(long = "set", value_name = "STAGE.PARAM=VALUE", global = true)]
    pub sets: Vec<String>,
    /// Add the stages of a group to the targets; may be repeated
    #[arg(long = "group", value_name = "GROUP", global = true)]
    pub groups: Vec<String>,
    /// Keep the cache in DIR instead of where the program does
    #[arg(long, value_name = "DIR", global = true)]
    pub cache_dir: Option<PathBuf>,
    /// Read every file instead of trusting its size and times
    #[arg(long, global = true)]
    pub paranoid: bool,
    /// Write outputs and lock below DIR
    #[arg(long, value_name = "DIR", global = true)]
    pub out: Option<PathBuf>,
}
