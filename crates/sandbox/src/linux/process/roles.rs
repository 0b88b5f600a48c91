//! How this program is started again, and as what.

/// This program, also when its file was renamed, replaced or deleted.
pub const IMAGE: &str = "/proc/self/exe";
/// The only argument of the supervisor.
pub const SUPERVISOR: &str = "--watch-a-command";
/// And of what becomes the command.
pub const STARTER: &str = "--become-a-command";
