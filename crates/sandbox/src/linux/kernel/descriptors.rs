//! What a watched thread means by its arguments: paths, read from its memory and made absolute.
//!
//! Knows what the kernel shows of a process, and no rule.

use super::calls::Where;
use super::seccomp::{Notification, read_memory};
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Longest path that the kernel takes, its end included.
const LONGEST: usize = 4096;
/// What is read at first: nearly all paths are shorter.
const MOST: usize = 256;
/// Pages of memory are at least so long, and begin at its multiples.
const PAGE: u64 = 4096;

/// What an argument means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    /// A path: absolute, as the command wrote it behind its folder.
    Path(Vec<u8>),
    /// The file behind a descriptor, by what the kernel calls it: `pipe:[7]` and the like are not absolute.
    Open(Vec<u8>),
    /// No path. The kernel will say so, or the thread has gone.
    Nothing,
    /// The process lets nobody read its memory.
    Unreadable,
}

/// The path that an argument means.
pub fn meant(call: &Notification, at: Where) -> Meant {
    find(call, at).unwrap_or_else(|why| why)
}

fn find(call: &Notification, at: Where) -> Result<Meant, Meant> {
    let address = call.arguments[at.path];
    let folder = at
        .folder
        .map(|argument| call.arguments[argument] as u32 as i32);
    let path = match address {
        // `futimens` and its like: the descriptor is the file.
        0 => Vec::new(),
        _ => text(call.thread, address)?,
    };
    if path.starts_with(b"/") {
        return Ok(Meant::Path(own(path, call.thread)));
    }
    let base = match folder {
        None | Some(libc::AT_FDCWD) => link(call.thread, "cwd")?,
        Some(descriptor) => link(call.thread, &format!("fd/{descriptor}"))?,
    };
    match (path.is_empty(), folder) {
        (true, None | Some(libc::AT_FDCWD)) => Ok(Meant::Nothing),
        (true, Some(_)) => Ok(Meant::Open(base)),
        (false, _) => Ok(behind(base, &path)),
    }
}

fn behind(folder: Vec<u8>, path: &[u8]) -> Meant {
    match folder.starts_with(b"/") {
        true => Meant::Path([&folder, b"/".as_slice(), path].concat()),
        false => Meant::Nothing,
    }
}

/// The file behind a descriptor.
pub fn open_file(call: &Notification, argument: usize) -> Meant {
    let descriptor = call.arguments[argument] as u32;
    link(call.thread, &format!("fd/{descriptor}")).map_or_else(|why| why, Meant::Open)
}

fn link(thread: u32, what: &str) -> Result<Vec<u8>, Meant> {
    let text = std::fs::read_link(format!("/proc/{thread}/{what}")).map_err(why_not)?;
    Ok(text.into_os_string().into_vec())
}

fn memory(thread: u32, address: u64, to: &mut [u8]) -> Result<usize, Meant> {
    read_memory(thread, address, to).map_err(why_not)
}

/// Nothing there, nobody there: the kernel sees that too. Anything else would be a call that nobody watched.
fn why_not(error: std::io::Error) -> Meant {
    match error.raw_os_error() {
        Some(libc::EFAULT | libc::ESRCH | libc::ENOENT | libc::EBADF) => Meant::Nothing,
        _ => Meant::Unreadable,
    }
}

/// What a process calls itself in `/proc`, by its number: here that would be this process.
fn own(path: Vec<u8>, thread: u32) -> Vec<u8> {
    if !path.starts_with(b"/proc/") && !path.starts_with(b"/dev/") {
        return path;
    }
    let process = format!("/proc/{thread}");
    let descriptors = format!("{process}/fd");
    let names = [
        ("/proc/self", process.clone()),
        ("/proc/thread-self", process),
        ("/dev/stdin", format!("{descriptors}/0")),
        ("/dev/stdout", format!("{descriptors}/1")),
        ("/dev/stderr", format!("{descriptors}/2")),
        ("/dev/fd", descriptors),
    ];
    for (name, means) in names {
        match path.strip_prefix(name.as_bytes()) {
            Some(rest) if rest.is_empty() || rest.starts_with(b"/") => {
                return [means.as_bytes(), rest].concat();
            }
            _ => {}
        }
    }
    path
}

/// Text that ends with a zero.
fn text(thread: u32, address: u64) -> Result<Vec<u8>, Meant> {
    let mut text = Vec::with_capacity(MOST);
    let mut buffer = [0; LONGEST];
    let mut size = MOST;
    while text.len() < LONGEST {
        let from = address.checked_add(text.len() as u64);
        let from = from.ok_or(Meant::Nothing)?;
        // A read over the end of a page fails if the next is not there.
        let page = (PAGE - from % PAGE) as usize;
        let part = &mut buffer[..size.min(page)];
        let read = memory(thread, from, part)?;
        match part[..read].iter().position(|byte| *byte == 0) {
            Some(end) => {
                text.extend(&part[..end]);
                return Ok(text);
            }
            None if read == 0 => return Err(Meant::Nothing),
            None => text.extend(&part[..read]),
        }
        size = LONGEST;
    }
    Err(Meant::Nothing)
}

/// The flags of `openat2`, and how it is to resolve the path.
///
/// # Errors
/// What it means instead.
pub fn open_how(thread: u32, address: u64) -> Result<(u64, u64), Meant> {
    // `flags`, `mode`, `resolve`.
    let mut numbers = [[0; 8]; 3];
    let bytes = numbers.as_flattened_mut();
    match memory(thread, address, bytes)? == bytes.len() {
        true => Ok((
            u64::from_ne_bytes(numbers[0]),
            u64::from_ne_bytes(numbers[2]),
        )),
        false => Err(Meant::Nothing),
    }
}

/// The path of an address within the machine; another family's, and one without a path, mean nothing here.
pub fn socket_path(call: &Notification, argument: usize) -> Meant {
    find_socket(call, argument).unwrap_or_else(|why| why)
}

fn find_socket(call: &Notification, argument: usize) -> Result<Meant, Meant> {
    let mut bytes = [0; size_of::<libc::sockaddr_un>()];
    let length = call.arguments[argument + 1] as u32 as usize;
    let length = length.min(bytes.len());
    let read = memory(call.thread, call.arguments[argument], &mut bytes[..length])?;
    let (family, path) = bytes[..read].split_at_checked(2).ok_or(Meant::Nothing)?;
    if family != (libc::AF_UNIX as u16).to_ne_bytes() {
        return Ok(Meant::Nothing);
    }
    let end = path.iter().position(|byte| *byte == 0);
    let path = &path[..end.unwrap_or(path.len())];
    match path.first() {
        None => Ok(Meant::Nothing),
        Some(b'/') => Ok(Meant::Path(path.to_vec())),
        Some(_) => Ok(behind(link(call.thread, "cwd")?, path)),
    }
}

/// The families of sockets that programs ask for, by name.
pub fn family(number: u64) -> String {
    match number as i32 {
        libc::AF_INET => "IPv4 (AF_INET)".into(),
        libc::AF_INET6 => "IPv6 (AF_INET6)".into(),
        libc::AF_NETLINK => "the kernel's netlink (AF_NETLINK)".into(),
        libc::AF_PACKET => "raw packets (AF_PACKET)".into(),
        libc::AF_VSOCK => "the host of this machine (AF_VSOCK)".into(),
        libc::AF_ALG => "the kernel's cryptography (AF_ALG)".into(),
        libc::AF_BLUETOOTH => "Bluetooth (AF_BLUETOOTH)".into(),
        other => format!("family {other}"),
    }
}

/// The interpreter that a script names in its first line.
pub fn interpreter(first: &[u8]) -> Option<&OsStr> {
    let line = first.strip_prefix(b"#!")?;
    let line = line.split(|byte| *byte == b'\n').next()?.trim_ascii();
    let end = line
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\t' | 0));
    let name = &line[..end.unwrap_or(line.len())];
    (!name.is_empty()).then(|| OsStr::from_bytes(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_for_oneself_are_the_others_own() {
        let own = |path: &str| String::from_utf8(own(path.into(), 7)).expect("text");
        assert_eq!(own("/proc/self/exe"), "/proc/7/exe");
        assert_eq!(own("/proc/selfish"), "/proc/selfish");
        assert_eq!(own("/dev/fd/63"), "/proc/7/fd/63");
        assert_eq!(own("/dev/stdin"), "/proc/7/fd/0");
        assert_eq!(own("/dev/null"), "/dev/null");
        assert_eq!(own("/etc/hosts"), "/etc/hosts");
    }

    #[test]
    fn the_first_line_of_a_script() {
        let name = |text: &str| interpreter(text.as_bytes()).map(|name| name.display().to_string());
        assert_eq!(name("#!/bin/sh\nx"), Some("/bin/sh".into()));
        assert_eq!(
            name("#! /usr/bin/env -S python3\n"),
            Some("/usr/bin/env".into())
        );
        assert_eq!(name("#!\n/bin/sh"), None);
        assert_eq!(name("\x7fELF"), None);
    }

    #[test]
    fn text_is_read_over_pages_to_its_end() {
        let own = std::process::id();
        for length in [0, 1, 255, 256, 257, 4000, 4095] {
            let mut bytes = vec![b'x'; length];
            bytes.push(0);
            let read = text(own, bytes.as_ptr() as u64).expect("it ends");
            assert_eq!(read.len(), length);
        }
        let endless = vec![b'x'; 2 * LONGEST];
        assert_eq!(text(own, endless.as_ptr() as u64), Err(Meant::Nothing));
        assert_eq!(text(own, 8), Err(Meant::Nothing));
    }
}
