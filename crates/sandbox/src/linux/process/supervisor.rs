//! The process between a caller and a command: watches the command, and lets nothing outlive it.
//!
//! Everything that the command starts descends from this process and, being orphaned, comes back to it. It
//! ends with the last of them. The caller speaks through its stdin: the order in one line, then a byte to
//! cancel; the end of it means that the caller has gone. Its stdout is for the [`Report`].

use super::starter::{Order, WITH_LISTENER};
use super::{log, roles};
use crate::linux::kernel::family;
use crate::linux::kernel::seccomp::{self, Answer};
use crate::linux::watch::judge::Watch;
use crate::linux::watch::places::Places;
use crate::types::ended::{End, Ended};
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::process::{WaitOptions, WaitStatus, set_child_subreaper, wait};
use std::io::{BufRead, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What the caller is told.
#[derive(serde::Serialize, serde::Deserialize)]
pub enum Report {
    Ended(Box<Ended>),
    Failed(String),
}

/// The byte that cancels.
pub const CANCEL: u8 = b'c';

/// How long processes may take to follow the command's first one to its end before they count as left
/// behind: helpers of Python's `multiprocessing` notice that end and go.
const GRACE: Duration = Duration::from_millis(250);
/// How often what is to die is looked for again.
const AGAIN: Duration = Duration::from_millis(20);
/// How long the kernel may take to end them: one that waits for a device ends no sooner.
const PATIENCE: Duration = Duration::from_secs(30);

enum Event {
    /// A child has ended, which may be the command or an orphan.
    Child(i32, WaitStatus),
    /// There is no child left, and so nothing that descends from the command.
    AllGone,
    Cancel,
    CallerGone,
}

/// Watches one command.
pub fn act() -> ExitCode {
    let report = match supervise() {
        Ok(ended) => Report::Ended(Box::new(ended)),
        Err(why) => Report::Failed(why),
    };
    let mut text = serde_json::to_vec(&report).unwrap_or_default();
    text.push(b'\n');
    match std::io::stdout().lock().write_all(&text) {
        Ok(()) => ExitCode::SUCCESS,
        // The caller has gone.
        Err(_) => ExitCode::FAILURE,
    }
}

fn supervise() -> Result<Ended, String> {
    let mut order = Vec::new();
    let read = std::io::stdin().lock().read_until(b'\n', &mut order);
    read.map_err(|error| format!("its orders: {error}"))?;
    let order: Order =
        serde_json::from_slice(&order).map_err(|error| format!("its orders: {error}"))?;
    let places = Places::new(&order.command, &order.bounds)?;
    set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|error| format!("it cannot adopt orphans: {error}"))?;
    let (log, writer) = log::start(&order.command.log, order.bounds.file_size)?;
    let (events, happened) = channel();
    // It waits for as long as the caller lives.
    let caller = events.clone();
    thread::spawn(move || listen_to_caller(&caller));
    let deadline = order.bounds.timeout.map(|timeout| Instant::now() + timeout);
    let (first, mut socket) = start(&order, writer)?;
    let listener = match take_listener(&mut socket) {
        Ok(listener) => listener,
        Err(why) => {
            family::kill();
            return Err(why);
        }
    };
    let bounds = &order.bounds;
    let watch = Watch::new(places, bounds.network, bounds.processes);
    let watch = Arc::new(Mutex::new(watch));
    let watching = Arc::clone(&watch);
    thread::spawn(move || answer_calls(&listener, &watching));
    thread::spawn(move || reap(&events));
    let words = thread::spawn(move || last_words(socket));
    let close = || watch.lock().unwrap_or_else(PoisonError::into_inner).close();
    let (end, left_behind) = until_all_gone(&happened, first, deadline, close)?;
    match words.join() {
        Ok(words) if words.is_empty() => {}
        Ok(words) => return Err(words),
        Err(_) => return Err("whether the command was started is not known".into()),
    }
    log.end()?;
    let seen = watch.lock().unwrap_or_else(PoisonError::into_inner).end();
    let memory = seccomp::largest_child().map_err(|error| format!("its memory: {error}"))?;
    Ok(Ended {
        end,
        seen,
        left_behind,
        memory,
    })
}

/// Starts the process that becomes the command; the other end of its stdin.
fn start(order: &Order, output: std::io::PipeWriter) -> Result<(i32, UnixStream), String> {
    let words = |error: std::io::Error| format!("no process can be started: {error}");
    let (mut ours, theirs) = UnixStream::pair().map_err(words)?;
    let output_again = output.try_clone().map_err(words)?;
    let child = std::process::Command::new(roles::IMAGE)
        .arg(roles::STARTER)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(output)
        .stderr(output_again)
        .spawn()
        .map_err(words)?;
    let text = serde_json::to_vec(order).map_err(|error| error.to_string())?;
    let told = ours
        .write_all(&text)
        .and_then(|()| ours.shutdown(Shutdown::Write));
    told.map_err(|error| format!("the process that becomes the command: {error}"))?;
    let first = i32::try_from(child.id()).map_err(|error| error.to_string())?;
    Ok((first, ours))
}

fn take_listener(socket: &mut UnixStream) -> Result<OwnedFd, String> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut first = [0];
    let received = loop {
        let mut parts = [IoSliceMut::new(&mut first)];
        match recvmsg(&*socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => {}
            result => break result.map_err(|error| format!("the listener: {error}"))?,
        }
    };
    let handed: Vec<OwnedFd> = control
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        })
        .flatten()
        .collect();
    if received.bytes == 1
        && first == [WITH_LISTENER]
        && let Some(listener) = handed.into_iter().next()
    {
        return Ok(listener);
    }
    // No listener: then words.
    let mut words = Vec::from(&first[..received.bytes]);
    // Without more words there is still what was said so far.
    let _ = socket.read_to_end(&mut words);
    match words.is_empty() {
        true => Err("the process that becomes the command ended before it was watched".into()),
        false => Err(String::from_utf8_lossy(&words).into()),
    }
}

/// Until no thread is left under the filter.
fn answer_calls(listener: &OwnedFd, watch: &Mutex<Watch>) {
    seccomp::wake_at_once(listener);
    loop {
        let call = match seccomp::receive(listener) {
            Ok(call) => call,
            // One has gone before it was heard, or all have: then no more comes, and this process ends.
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {
                if hung_up(listener) {
                    return;
                }
                continue;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        let mut watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
        let answer: Answer = watch.decide(&call);
        match seccomp::answer(listener, call.id, answer) {
            Ok(()) => watch.keep(),
            Err(_) => watch.forget(),
        }
    }
}

/// Whether nobody is left who could call.
fn hung_up(listener: &OwnedFd) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut asked = [PollFd::new(listener, PollFlags::IN)];
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    poll(&mut asked, Some(&now)).is_ok() && asked[0].revents().contains(PollFlags::HUP)
}

fn reap(events: &Sender<Event>) {
    loop {
        let event = match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) => Event::Child(pid.as_raw_nonzero().get(), status),
            Ok(None) | Err(Errno::INTR) => continue,
            Err(_) => Event::AllGone,
        };
        let last = matches!(event, Event::AllGone);
        // Without a receiver this process is ending.
        if events.send(event).is_err() || last {
            return;
        }
    }
}

fn listen_to_caller(events: &Sender<Event>) {
    let mut byte = [0];
    loop {
        let event = match std::io::stdin().lock().read(&mut byte) {
            Ok(1) if byte == [CANCEL] => Event::Cancel,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            _ => Event::CallerGone,
        };
        let last = matches!(event, Event::CallerGone);
        // Without a receiver this process is ending.
        if events.send(event).is_err() || last {
            return;
        }
    }
}

/// What the starter says when it cannot become the command. When it does, its end of the socket is closed
/// and nothing was said.
fn last_words(mut socket: UnixStream) -> String {
    let mut words = Vec::new();
    // What came before the socket broke was said.
    let _ = socket.read_to_end(&mut words);
    String::from_utf8_lossy(&words).into()
}

/// Waits for the command, then for all that it started, which is not asked to go but killed.
fn until_all_gone(
    happened: &Receiver<Event>,
    first: i32,
    deadline: Option<Instant>,
    close: impl Fn(),
) -> Result<(End, Vec<String>), String> {
    let mut end = None;
    let mut left_behind = Vec::new();
    // When those that are left are killed, and when that was tried for long enough.
    let mut kill_at = deadline;
    let mut give_up: Option<Instant> = None;
    loop {
        let now = Instant::now();
        if kill_at.is_some_and(|at| at <= now) {
            if give_up.is_none() {
                give_up = Some(now + PATIENCE);
                close();
                match end {
                    None => end = Some(End::TimedOut),
                    Some(End::Exited(_) | End::Killed(_)) => left_behind = family::names(),
                    Some(End::TimedOut | End::Cancelled | End::Unseen(_)) => {}
                }
            }
            if give_up.is_some_and(|at| at <= now) {
                let names = family::names().join(", ");
                return Err(format!("processes that cannot be killed: {names}"));
            }
            family::kill();
            kill_at = Some(now + AGAIN);
        }
        let event = match kill_at {
            Some(at) => happened.recv_timeout(at.saturating_duration_since(now)),
            None => happened.recv().map_err(RecvTimeoutError::from),
        };
        match event {
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) | Ok(Event::AllGone) => break,
            Ok(Event::Child(pid, status)) if pid == first && end.is_none() => {
                end = Some(ended(status));
                kill_at = Some(Instant::now() + GRACE);
            }
            Ok(Event::Child(..)) => {}
            Ok(Event::Cancel | Event::CallerGone) => {
                end.get_or_insert(End::Cancelled);
                kill_at = Some(Instant::now());
            }
        }
    }
    match end {
        Some(end) => Ok((end, left_behind)),
        None => Err("the command has gone, and nobody knows how".into()),
    }
}

fn ended(status: WaitStatus) -> End {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => End::Exited(code),
        (None, Some(signal)) => End::Killed(signal),
        (None, None) => End::Killed(0),
    }
}
