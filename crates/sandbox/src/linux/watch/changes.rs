//! What is answered to calls that change something: within the writable folders everything, elsewhere nothing.
//!
//! What the kernel would refuse anyway, since something is there or is not, it refuses itself.

use super::judge::{Watch, is_nameless};
use super::look::{Found, Target};
use super::notes::Note;
use super::places::Place;
use crate::linux::kernel::calls::Where;
use crate::linux::kernel::descriptors;
use crate::linux::kernel::seccomp::{Answer, Notification};
use crate::types::ended::Refused;
use std::path::Path;

impl Watch {
    pub(super) fn make(&mut self, target: Target) -> Answer {
        match (target.place, target.found) {
            (Place::Writable, _) => Answer::Continue,
            // The kernel says that it is there already; and a folder that is not there it misses itself.
            (_, found) if found != Found::Absent => self.look_at(&target),
            _ if !has_folder(&target) => self.look_at(&target),
            _ => self.refuse_write(&target),
        }
    }

    pub(super) fn remove(&mut self, target: Target) -> Answer {
        match (target.place, target.found) {
            (Place::Writable, _) => Answer::Continue,
            (_, Found::Absent) => self.look_at(&target),
            (Place::Shared, _) if self.notes.is_shared(&target.real) => Answer::Continue,
            _ => self.refuse_write(&target),
        }
    }

    pub(super) fn rename(&mut self, call: &Notification, from: Where, to: Where) -> Answer {
        let (from, to) = match self.two(call, from, to) {
            Ok(both) => both,
            Err(answer) => return answer,
        };
        let answers = [from, to].map(|target| match target.place {
            Place::Writable => Answer::Continue,
            _ => self.refuse_write(&target),
        });
        let refused = answers
            .into_iter()
            .find(|answer| *answer != Answer::Continue);
        refused.unwrap_or(Answer::Continue)
    }

    pub(super) fn link(&mut self, call: &Notification, from: Where, to: Where) -> Answer {
        let (from, to) = match self.two(call, from, to) {
            Ok(both) => both,
            Err(answer) => return answer,
        };
        match (from.place, to.place) {
            (Place::Writable, Place::Writable) => Answer::Continue,
            // A descriptor, of a file that has no name yet; the kernel knows which.
            (_, Place::Writable) if from.named.starts_with("/proc") => Answer::Continue,
            // A second name would make the first one's file writable. Programs copy when they hear this.
            (_, Place::Writable) => match self.look_at(&from) {
                Answer::Continue => Answer::Fail(libc::EXDEV),
                answer => answer,
            },
            _ => self.make(to),
        }
    }

    fn are_shared(&self, from: &Target, to: &Target) -> bool {
        let own = self.notes.is_shared(&from.real) && to.place == Place::Shared;
        own && (to.found == Found::Absent || self.notes.is_shared(&to.real))
    }

    /// Both paths of a call; the answer where that is known already.
    fn two(
        &mut self,
        call: &Notification,
        from: Where,
        to: Where,
    ) -> Result<(Target, Target), Answer> {
        let from = self.target(descriptors::meant(call, from), false)?;
        let to = self.target(descriptors::meant(call, to), false)?;
        if from.found == Found::Absent {
            return Err(self.look_at(&from));
        }
        if self.are_shared(&from, &to) {
            self.note(Note::Shared(to.real));
            return Err(Answer::Continue);
        }
        Ok((from, to))
    }

    pub(super) fn change(&mut self, target: Target) -> Answer {
        match (target.place, target.found) {
            (Place::Writable, _) => Answer::Continue,
            (Place::Shared, _) if self.notes.is_shared(&target.real) => Answer::Continue,
            (_, Found::Absent) => self.look_at(&target),
            _ if is_nameless(&target) => Answer::Continue,
            _ => match self.refuse_write(&target) {
                Answer::Fail(libc::EACCES) => Answer::Fail(libc::EPERM),
                answer => answer,
            },
        }
    }

    /// A name that is hidden everywhere, as that of a cache, is no fault of the command: it is told as hidden.
    pub(super) fn refuse_write(&mut self, target: &Target) -> Answer {
        let by_name = [target.place, target.place_of_name].contains(&Place::HiddenName);
        match by_name {
            true => self.note(Note::Hidden(target.named.clone())),
            false => self.note(Note::Refused(Refused::Write(target.named.clone()))),
        }
        Answer::Fail(libc::EACCES)
    }
}

/// Whether the folder that something would be made in is there.
fn has_folder(target: &Target) -> bool {
    target.real.parent().is_some_and(Path::is_dir)
}
