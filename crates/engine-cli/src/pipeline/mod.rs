//! What a verb works on: a pipeline that is opened, its repository, the threads.

pub mod git;
pub mod scope;
pub mod session;
pub mod shared;
pub mod workers;
