//! A look at a file that no stage made, before a stage reads it.
//!
//! The libraries that read foreign formats may do worse than fail: damage can end the process, and with
//! it every other stage. What is worth a look, and how it is tried, an [`Inspector`] knows; the engine
//! knows which files are foreign. What stages made is not looked at: it is
//! compared with its digest instead.
//!
//! No part of any key: it decides whether a stage may start, never what comes out. A program that uses
//! the engine without an inspector reads foreign files at its own risk.

use crate::base::error::Result;
use std::path::Path;

/// Looks at foreign files.
pub trait Inspector: Send + Sync {
    /// Refuses a file that must not be read.
    ///
    /// # Errors
    /// A message that names the file, with which the stage fails.
    fn inspect(&self, path: &Path) -> Result<()>;
}
