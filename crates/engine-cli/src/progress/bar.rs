//! Progress of something that is counted, on stderr: a bar on a terminal, nothing elsewhere.

use crate::console::terminal;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;

/// A bar over things of one sort.
pub struct Bar(Option<ProgressBar>);

impl Bar {
    /// A bar that is shown when the first thing is done.
    pub fn new() -> Self {
        let shown = std::io::stderr().is_terminal() && !terminal::is_quiet();
        let style =
            ProgressStyle::with_template("{pos}/{len} {bar:24} {percent:>3}%  {eta:>4} left");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        Bar(shown.then(|| ProgressBar::no_length().with_style(style)))
    }

    /// So many of so many are done.
    pub fn show(&self, done: usize, of: usize) {
        if let Some(bar) = &self.0 {
            bar.set_length(of as u64);
            bar.set_position(done as u64);
        }
    }

    /// Takes it away.
    pub fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

impl Default for Bar {
    fn default() -> Self {
        Bar::new()
    }
}
