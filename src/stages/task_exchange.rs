//! Reads the target task: a JSON list of numbers.

use crate::icl::task::Task;
use crate::pipeline::error::Result;
use crate::pipeline::kind::Io;
use crate::stages::exchange::failed;

/// The task in the role `task`.
pub fn read_task(io: &Io) -> Result<Task> {
    let theta = serde_json::from_slice(&io.read("task")?).map_err(failed)?;
    Task::new(theta).map_err(failed)
}
