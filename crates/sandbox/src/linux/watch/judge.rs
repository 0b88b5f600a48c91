//! What is answered to each watched call, and what is written down of it.
//!
//! Decides by [`Places`]; never does what the command asked for. What is noted is kept when the answer has
//! reached the thread that asked: only then was it that thread's memory which was read.

use super::look::{Found, Look, Target};
use super::notes::{Note, Notes};
use super::places::{Place, Places};
use crate::linux::kernel::calls::{Call, Flags, Follow, Where, find};
use crate::linux::kernel::descriptors::{self, Meant};
use crate::linux::kernel::family;
use crate::linux::kernel::seccomp::{Answer, Notification};
use crate::types::ended::{Refused, Seen};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub struct Watch {
    places: Places,
    look: Look,
    network: bool,
    /// Processes that may live at a time.
    most: Option<u64>,
    /// At most so many live: those counted last, and one for each that was made since.
    alive: u64,
    /// The command has ended: nothing more is begun.
    closing: bool,
    pub(super) notes: Notes,
}

impl Watch {
    pub fn new(places: Places, network: bool, most: Option<u64>) -> Watch {
        Watch {
            places,
            look: Look::default(),
            network,
            most,
            alive: 1,
            closing: false,
            notes: Notes::default(),
        }
    }

    /// From now on no process is made.
    pub fn close(&mut self) {
        self.closing = true;
    }

    pub fn end(&mut self) -> Seen {
        self.notes.end()
    }

    /// What is to be answered; [`Watch::keep`] or [`Watch::forget`] what it noted then.
    pub fn decide(&mut self, call: &Notification) -> Answer {
        match find(call.call) {
            None => Answer::Continue,
            Some(Call::Open(at, flags)) => self.open(call, at, flags),
            Some(Call::Look(at, follow)) => {
                self.with_target(call, at, follow, |watch, target| watch.look_at(&target))
            }
            Some(Call::Execute(at, follow)) => {
                self.with_target(call, at, follow, |watch, target| watch.execute(&target))
            }
            Some(Call::Make(at)) => self.with_target(call, at, Follow::Never, Watch::make),
            Some(Call::Remove(at)) => self.with_target(call, at, Follow::Never, Watch::remove),
            Some(Call::Rename(from, to)) => self.rename(call, from, to),
            Some(Call::Link(from, to)) => self.link(call, from, to),
            Some(Call::Change(at, follow)) => self.with_target(call, at, follow, Watch::change),
            Some(Call::ChangeOpen(argument)) => {
                self.with_meant(descriptors::open_file(call, argument), true, Watch::change)
            }
            Some(Call::Fork) => self.fork(),
            Some(Call::Signal) => self.signal(call.arguments[0] as u32 as i32),
            Some(Call::Socket) => self.socket(call.arguments[0]),
            Some(Call::Connect(argument)) => self.with_meant(
                descriptors::socket_path(call, argument),
                true,
                Watch::connect,
            ),
            Some(Call::Bind(argument)) => {
                self.with_meant(descriptors::socket_path(call, argument), false, Watch::make)
            }
            Some(Call::Forbidden(what)) => {
                self.refuse(Refused::Other(format!("to {what}")), libc::EPERM)
            }
        }
    }

    pub fn keep(&mut self) {
        self.notes.keep();
    }

    pub fn forget(&mut self) {
        self.notes.forget();
    }

    fn with_target(
        &mut self,
        call: &Notification,
        at: Where,
        follow: Follow,
        then: impl FnOnce(&mut Watch, Target) -> Answer,
    ) -> Answer {
        let follow = match follow {
            Follow::Always => true,
            Follow::Never => false,
            Follow::Unless(argument, bit) => call.arguments[argument] & bit == 0,
        };
        self.with_meant(descriptors::meant(call, at), follow, then)
    }

    fn with_meant(
        &mut self,
        meant: Meant,
        follow: bool,
        then: impl FnOnce(&mut Watch, Target) -> Answer,
    ) -> Answer {
        match self.target(meant, follow) {
            Ok(target) => then(self, target),
            Err(answer) => answer,
        }
    }

    /// Where it leads, or what is to be answered where it leads nowhere: to a pipe, to memory.
    pub(super) fn target(&mut self, meant: Meant, follow: bool) -> Result<Target, Answer> {
        match meant {
            Meant::Path(path) => Ok(self.look.at(&self.places, &path, follow)),
            Meant::Open(path) if path.starts_with(b"/") => {
                let target = self.look.at(&self.places, &path, false);
                match target.found {
                    // One that has been removed is nobody's any more.
                    Found::Absent => Err(Answer::Continue),
                    _ => Ok(target),
                }
            }
            Meant::Open(_) | Meant::Nothing => Err(Answer::Continue),
            // What cannot be watched is not done.
            Meant::Unreadable => {
                let what = "to look at files while nobody may read its memory".into();
                Err(self.refuse(Refused::Other(what), libc::EPERM))
            }
        }
    }

    fn open(&mut self, call: &Notification, at: Where, flags: Flags) -> Answer {
        let flags = match flags {
            Flags::Argument(argument) => call.arguments[argument],
            Flags::Fixed(flags) => flags,
            Flags::Behind(argument) => {
                match descriptors::open_how(call.thread, call.arguments[argument]) {
                    Err(meant) => return self.with_meant(meant, true, |_, _| Answer::Continue),
                    // Paths that mean something else. Programs that ask for it can do without.
                    Ok((_, resolve)) if resolve & libc::RESOLVE_IN_ROOT != 0 => {
                        return Answer::Fail(libc::ENOSYS);
                    }
                    Ok((flags, _)) => flags,
                }
            }
        };
        let flags = flags as i32;
        let has = |bits: i32| flags & bits == bits;
        let follow = !(has(libc::O_NOFOLLOW) || has(libc::O_CREAT | libc::O_EXCL));
        let target = match self.target(descriptors::meant(call, at), follow) {
            Ok(target) => target,
            Err(answer) => return answer,
        };
        if has(libc::O_PATH) {
            return self.look_at(&target);
        }
        let makes = has(libc::O_CREAT) && target.found == Found::Absent || has(libc::O_TMPFILE);
        let writes = flags & libc::O_ACCMODE != libc::O_RDONLY || has(libc::O_TRUNC);
        match makes || writes {
            true => self.open_to_write(&target, makes),
            false => self.open_to_read(&target),
        }
    }

    fn open_to_write(&mut self, target: &Target, makes: bool) -> Answer {
        match (target.place, target.found) {
            (Place::Writable | Place::Device, _) => Answer::Continue,
            // The kernel says so itself.
            (_, Found::Absent) if !makes => self.look_at(target),
            (_, Found::Folder) if !makes => self.look_at(target),
            (Place::Shared, _) => self.open_shared(target, makes),
            _ if is_nameless(target) => Answer::Continue,
            _ => self.refuse_write(target),
        }
    }

    fn open_to_read(&mut self, target: &Target) -> Answer {
        if let Some(answer) = self.hide(target) {
            return answer;
        }
        match (target.place, target.found) {
            (Place::Shared, _) => self.open_shared(target, false),
            (Place::Passage, Found::Folder) => {
                self.note(Note::Hidden(target.named.clone()));
                Answer::Fail(libc::EACCES)
            }
            (Place::Outside, found) if found != Found::Absent => {
                self.refuse(Refused::Read(target.named.clone()), libc::EACCES)
            }
            (_, Found::Folder) => {
                if let Some(path) = self.told(target) {
                    self.note(Note::Listed(path));
                }
                Answer::Continue
            }
            _ => self.look_at(target),
        }
    }

    /// Memory that the command made itself, not another's.
    fn open_shared(&mut self, target: &Target, makes: bool) -> Answer {
        match self.notes.is_shared(&target.real) {
            true => Answer::Continue,
            false if makes && target.found == Found::Absent => {
                self.note(Note::Shared(target.real.clone()));
                Answer::Continue
            }
            false if target.found == Found::Absent => Answer::Continue,
            false => self.refuse(Refused::Read(target.named.clone()), libc::EACCES),
        }
    }

    pub(super) fn look_at(&mut self, target: &Target) -> Answer {
        if let Some(answer) = self.hide(target) {
            return answer;
        }
        if let Some(path) = self.told(target) {
            match target.found {
                Found::Absent => self.note(Note::Absent(path)),
                Found::File => self.note(Note::Read(path)),
                Found::Folder => self.note(Note::Folder(path)),
                Found::Link => self.note(Note::Link(path)),
                Found::Other => {}
            }
        }
        Answer::Continue
    }

    fn execute(&mut self, target: &Target) -> Answer {
        let answer = self.look_at(target);
        if answer != Answer::Continue || target.found != Found::File {
            return answer;
        }
        if target.place == Place::Outside {
            return self.refuse(Refused::Read(target.named.clone()), libc::EACCES);
        }
        let is_program = std::fs::metadata(&target.real)
            .is_ok_and(|data| data.permissions().mode() & 0o111 != 0);
        if is_program {
            if target.place != Place::Writable {
                self.note(Note::Executed(target.real.clone()));
            }
            self.interpreters(target.real.clone());
        }
        answer
    }

    /// The kernel opens what a script names unasked.
    fn interpreters(&mut self, mut script: PathBuf) {
        /// As many as the kernel follows.
        const MOST: usize = 5;
        for _ in 0..MOST {
            let first = first_bytes(&script);
            let named =
                descriptors::interpreter(&first).filter(|path| Path::new(path).is_absolute());
            let Some(named) = named else {
                return;
            };
            let target = self.look.at(&self.places, named.as_bytes(), true);
            // What is refused the kernel refuses too; here it gets its name.
            match target.place {
                Place::Outside if target.found == Found::File => {
                    self.note(Note::Refused(Refused::Read(target.named)));
                    return;
                }
                _ => self.look_at(&target),
            };
            if target.found != Found::File {
                return;
            }
            self.note(Note::Executed(target.real.clone()));
            script = target.real;
        }
    }

    fn fork(&mut self) -> Answer {
        if self.closing {
            return Answer::Fail(libc::EAGAIN);
        }
        self.alive += self.notes.take_forks();
        if let Some(most) = self.most
            && self.alive >= most
        {
            self.alive = family::count();
            if self.alive >= most {
                let what = format!("more than {most} processes at a time");
                return self.refuse(Refused::Other(what), libc::EAGAIN);
            }
        }
        self.note(Note::Forked);
        Answer::Continue
    }

    /// Newer kernels refuse it themselves (Landlock 6), older ones do not.
    fn signal(&mut self, to: i32) -> Answer {
        /// Every process that may be signalled.
        const ALL: i32 = -1;
        let whom = match to {
            // Its own group.
            0 => return Answer::Continue,
            ALL => "every process".into(),
            // A group has the number of its first process.
            to if family::includes_or_is_not_there(to.saturating_abs()) => return Answer::Continue,
            to => format!("process {to}"),
        };
        self.refuse(Refused::Other(format!("to signal {whom}")), libc::EPERM)
    }

    fn socket(&mut self, family: u64) -> Answer {
        match self.network {
            true => Answer::Continue,
            false => {
                let family = descriptors::family(family);
                self.refuse(Refused::Network(family), libc::EACCES)
            }
        }
    }

    /// Who listens on a socket that the command did not make could fetch anything for it.
    fn connect(&mut self, target: Target) -> Answer {
        match (target.place, target.found) {
            (Place::Writable | Place::Hidden, _) | (_, Found::Absent) => self.look_at(&target),
            _ => {
                let what = format!("to connect to the socket {}", target.named.display());
                self.refuse(Refused::Other(what), libc::EACCES)
            }
        }
    }

    /// What is hidden is not there.
    fn hide(&mut self, target: &Target) -> Option<Answer> {
        let is_hidden = |place| matches!(place, Place::Hidden | Place::HiddenName);
        if !is_hidden(target.place) && !is_hidden(target.place_of_name) {
            return None;
        }
        self.note(Note::Hidden(target.named.clone()));
        Some(Answer::Fail(libc::ENOENT))
    }

    fn refuse(&mut self, what: Refused, error: i32) -> Answer {
        self.note(Note::Refused(what));
        Answer::Fail(error)
    }

    /// The path by which it is told, if it is: as the command calls it, or, when that is no watched place,
    /// where it leads.
    fn told(&self, target: &Target) -> Option<PathBuf> {
        match (target.place_of_name, target.place) {
            _ if self.places.is_both(&target.named) => Some(target.named.clone()),
            (_, Place::Writable) => None,
            (Place::Watched, _) => Some(target.named.clone()),
            (_, Place::Watched) => Some(target.real.clone()),
            _ => None,
        }
    }

    pub(super) fn note(&mut self, note: Note) {
        self.notes.add(note);
    }
}

/// A descriptor's name in `/proc` when it is no file of a folder: of a pipe, of memory.
pub(super) fn is_nameless(target: &Target) -> bool {
    target.found == Found::Other && target.real.starts_with("/proc")
}

fn first_bytes(path: &Path) -> Vec<u8> {
    /// As many as the kernel looks at.
    const LINE: u64 = 256;
    let mut bytes = Vec::new();
    // Somebody may have put a pipe there meanwhile: that must not keep this process waiting.
    let file = File::options()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path);
    if let Ok(file) = file {
        // What cannot be read names no interpreter.
        let _ = file.take(LINE).read_to_end(&mut bytes);
    }
    bytes
}
