//! The processes that descend from this one: who they are, and their end.
//!
//! Knows them by the kernel's tables in `/proc` only. Who is a subreaper has all that ever descended from it
//! below itself, whatever they did to leave.

use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    parent: i32,
    name: String,
    /// It has ended, and its parent has not asked how.
    ended: bool,
}

/// Reads `PID (NAME) STATE PARENT ...`; a name may hold anything, so its end is the last bracket.
fn parse(line: &[u8]) -> Option<Process> {
    let start = line.iter().position(|byte| *byte == b'(')?;
    let end = line.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(line.get(end + 1..)?).ok()?;
    let mut words = rest.split_ascii_whitespace();
    Some(Process {
        name: String::from_utf8_lossy(line.get(start + 1..end)?).into(),
        ended: matches!(words.next()?, "Z" | "X" | "x"),
        parent: words.next()?.parse().ok()?,
    })
}

fn process(pid: i32) -> Option<Process> {
    parse(&std::fs::read(format!("/proc/{pid}/stat")).ok()?)
}

fn all() -> BTreeMap<i32, Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| {
        let name = entry.file_name();
        std::str::from_utf8(name.as_bytes()).ok()?.parse().ok()
    });
    pids.filter_map(|pid| Some((pid, process(pid)?))).collect()
}

fn descendants() -> BTreeMap<i32, Process> {
    let all = all();
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for (pid, process) in &all {
        children.entry(process.parent).or_default().push(*pid);
    }
    let mut found: BTreeSet<i32> = BTreeSet::new();
    let mut ahead = vec![getpid().as_raw_nonzero().get()];
    while let Some(pid) = ahead.pop() {
        let new = children.remove(&pid).unwrap_or_default();
        found.extend(&new);
        ahead.extend(new);
    }
    let mut all = all;
    all.retain(|pid, _| found.contains(pid));
    all
}

/// Whether a process is one of them; one that is not there is nobody's, so that the kernel may say so.
pub fn includes_or_is_not_there(pid: i32) -> bool {
    let own = getpid().as_raw_nonzero().get();
    let mut at = pid;
    // Parents are read one by one, and may change meanwhile: no chain is longer than there are numbers.
    for _ in 0..1 << 22 {
        match process(at) {
            _ if at == own => return at != pid,
            None => return at == pid,
            Some(process) => at = process.parent,
        }
    }
    false
}

/// How many there are, ended ones that hold a place included.
pub fn count() -> u64 {
    descendants().len() as u64
}

/// What those that live are called, sorted.
pub fn names() -> Vec<String> {
    let living = descendants().into_values().filter(|process| !process.ended);
    let mut names: Vec<String> = living.map(|process| process.name).collect();
    names.sort();
    names
}

/// Kills all that live now. One that is just being made may come after; so ask until there are none.
pub fn kill() {
    for (pid, before) in descendants() {
        let Some(pid) = Pid::from_raw(pid) else {
            continue;
        };
        let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else {
            continue;
        };
        // The handle is of whoever has the number now; it is ours if its parent is still the same, or it has
        // come to this process as an orphan.
        let now = process(pid.as_raw_nonzero().get());
        let own = getpid().as_raw_nonzero().get();
        if now.is_some_and(|now| now.parent == before.parent || now.parent == own) {
            // It may have ended meanwhile.
            let _ = pidfd_send_signal(&handle, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_brackets_and_blanks() {
        let process = parse(b"77 (a) Z 1 (b) S 42 77 0").expect("it is well formed");
        assert_eq!((process.name.as_str(), process.parent), ("a) Z 1 (b", 42));
        assert!(!process.ended);
        assert!(parse(b"77 (a) Z 1").is_some_and(|process| process.ended));
        assert_eq!(parse(b"77"), None);
    }
}
