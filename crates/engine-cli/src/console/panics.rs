//! What a user sees of a bug in this program or in a library: one message in place of the runtime's
//! own words, which come once for each thread and say nothing of the file that was read.

use retrace::base::error::panic_words;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

/// Where the last panic was.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// Leaves it to [`caught`] to tell of panics, unless somebody looks for a bug.
pub(crate) fn keep_quiet() {
    if std::env::var_os("RUST_BACKTRACE").is_some() {
        return;
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|at| {
            // Of a library's file, the part below the folder that holds libraries.
            let file = at.file().split("/registry/src/").last().unwrap_or_default();
            format!("{file}:{}", at.line())
        });
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }));
}

/// What `act` returns, or what it said when it panicked, and where.
pub fn caught<T>(act: impl FnOnce() -> T) -> Result<T, String> {
    // What `act` worked on is dropped with it.
    catch_unwind(AssertUnwindSafe(act)).map_err(|panic| {
        let place = LAST.lock().unwrap_or_else(PoisonError::into_inner).take();
        match place {
            Some(place) => format!("{} ({place})", panic_words(panic.as_ref())),
            None => panic_words(panic.as_ref()).to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_words() {
        assert_eq!(caught(|| 1), Ok(1));
        let error = caught(|| -> u8 { panic!("no {}", "luck") }).unwrap_err();
        assert!(error.starts_with("no luck"), "{error}");
    }
}
