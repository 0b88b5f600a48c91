//! Reads the target task: a JSON list of numbers.

use crate::kinds::exchange::table::failed;
use icl::prompts::task::Task;
use retrace::base::error::Result;
use retrace::stage::kind::Io;

/// The task in the role `task`.
pub fn read_task(io: &Io) -> Result<Task> {
    let theta = serde_json::from_slice(&io.read("task")?).map_err(failed)?;
    Task::new(theta).map_err(failed)
}
