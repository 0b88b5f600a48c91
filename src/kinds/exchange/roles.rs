//! Which task has which role, as stages exchange it.

use crate::kinds::exchange::table::failed;
use retrace::base::error::Result;
use retrace::stage::kind::Io;
use serde::{Deserialize, Serialize};

/// The roles of tasks, by their names.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roles {
    /// Fine-tuned on.
    pub target: String,
    /// Pretrained on.
    pub pretraining: Vec<String>,
    /// Seen by no training.
    pub unseen: Vec<String>,
    /// Kept from every training because they share examples with the target: tasks with a class that
    /// pretraining never saw. Empty where pretraining may see the target's classes.
    pub new_class: Vec<String>,
}

/// The file in the role `roles`.
pub fn read_roles(io: &Io) -> Result<Roles> {
    serde_json::from_slice(&io.read("roles")?).map_err(failed)
}
