//! How a command ended and what it was not let do, in words.

use crate::running::confined::{Confined, Place};
use crate::running::log;
use retrace::{Error, ErrorKind, Result};
use sandbox::{End, Ended, Refused};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Whether it ended well; if so, what may still be not as it was meant.
///
/// # Errors
/// It did not: how it ended, what it was not let do, and the last that it printed.
pub fn judge(command: &Confined, ended: &Ended, printed: &str) -> Result<Vec<String>> {
    let name = command.arguments.first().map_or("", String::as_str);
    let message = match ended.end {
        End::Exited(0) => None,
        End::Cancelled => return Err(Error::of(ErrorKind::Interrupted, "interrupted")),
        End::Exited(code) => Some(format!(
            "`{name}` ended with exit code {code}{}",
            of_code(code)
        )),
        End::Killed(signal) => Some(format!(
            "`{name}` was ended by signal {signal}{}",
            of_signal(signal)
        )),
        End::Unseen(signal) => Some(format!(
            "the process that watches `{name}` was ended by signal {signal}{}, and what that started may still run",
            of_signal(signal)
        )),
        End::TimedOut => Some(format!(
            "`{name}` ran longer than its timeout of {} s",
            command.params.timeout.unwrap_or_default()
        )),
    };
    let refused = refused(ended, command.place);
    if let Some(message) = message {
        let refused = match refused.is_empty() {
            true => String::new(),
            false => format!("; {}", few(&refused)),
        };
        let kind = match is_from_outside(&ended.end) {
            true => ErrorKind::Killed,
            false => ErrorKind::Failed,
        };
        let message = format!("{message}{refused}{}", log::last_lines(printed));
        let error = Error::of(kind, message);
        return Err(match looked_for(command, ended) {
            Some(hint) => error.hint(hint),
            None => error,
        });
    }
    let mut warnings = Vec::new();
    if !refused.is_empty() {
        warnings.push(format!("the command went on although {}", few(&refused)));
    }
    if !ended.left_behind.is_empty() {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for name in &ended.left_behind {
            *counts.entry(name).or_default() += 1;
        }
        let words = counts.iter().map(|(name, count)| match count {
            1 => (*name).to_owned(),
            count => format!("{count} of {name}"),
        });
        warnings.push(format!(
            "the command left processes behind, which were ended: {}",
            words.collect::<Vec<_>>().join(", ")
        ));
    }
    Ok(warnings)
}

/// Whether it was ended by a signal that somebody sends, or the kernel where memory lacks; a shell tells so of what
/// it had started.
fn is_from_outside(end: &End) -> bool {
    const SENT: [i32; 3] = [1, 9, 15];
    match end {
        End::Killed(signal) | End::Unseen(signal) => SENT.contains(signal),
        End::Exited(code) => SENT.contains(&(code - 128)),
        End::Cancelled | End::TimedOut => false,
    }
}

/// A shell tells so by what signal a program was ended that it had started.
fn of_code(code: i32) -> String {
    match code {
        129..=159 => {
            let signal = code - 128;
            format!("; that may say signal {signal}{}", of_signal(signal))
        }
        _ => String::new(),
    }
}

fn of_signal(signal: i32) -> &'static str {
    match signal {
        9 => " (killed: by somebody, or for lack of memory)",
        11 => " (a fault of the program)",
        15 => " (somebody ended it)",
        25 => " (a file larger than `file_size`)",
        31 => " (a program for another architecture, or a call that cannot be watched)",
        _ => "",
    }
}

/// What it was not let do, in words.
pub fn refused(ended: &Ended, place: &Place) -> Vec<String> {
    let path = |path: &Path| match path.strip_prefix(&place.view) {
        Ok(below) => below.display().to_string(),
        Err(_) => path.display().to_string(),
    };
    let words = ended.seen.refused.iter().map(|refused| match refused {
        Refused::Read(file) => format!("it may not read {}", path(file)),
        Refused::Write(file) => format!("it may not write {}", path(file)),
        Refused::Network(family) => format!("it may not use the network ({family})"),
        Refused::Other(what) => format!("it may not {what}"),
    });
    words.collect()
}

/// The first of them; the others are counted.
fn few(words: &[String]) -> String {
    const SHOWN: usize = 4;
    let more = match words.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(", and {more} more of the kind"),
    };
    format!("{}{more}", words[..words.len().min(SHOWN)].join(", "))
}

/// What it looked for among what stages make, if it did: in the repository, or at the same place of its view.
fn looked_for(command: &Confined, ended: &Ended) -> Option<String> {
    let (root, view) = (&command.repository.root, &command.place.view);
    let made = &command.repository.made;
    let seen = &ended.seen;
    let missed = seen.hidden.iter().chain(&seen.absent);
    let mut missed = missed.filter_map(|path| match path.strip_prefix(view) {
        Ok(below) if command.outputs.contains(&below) => None,
        Ok(below) => Some(root.join(below)),
        Err(_) => Some(path.clone()),
    });
    let is_made = |path: &PathBuf| {
        made.iter()
            .any(|made| path.starts_with(made) && path != made)
    };
    let path = missed.find(is_made)?;
    let shown = path.strip_prefix(root).unwrap_or(&path).display();
    Some(format!(
        "it looked for {shown}, among what runs make; if a stage makes that, name it under `inputs`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_ended_is_told_from_what_ended_by_itself() {
        for end in [
            End::Killed(9),
            End::Killed(15),
            End::Exited(137),
            End::Unseen(15),
        ] {
            assert!(is_from_outside(&end), "{end:?}");
        }
        for end in [
            End::Killed(11),
            End::Killed(25),
            End::Exited(1),
            End::Exited(9),
            End::Exited(139),
            End::TimedOut,
        ] {
            assert!(!is_from_outside(&end), "{end:?}");
        }
    }
}
