//! Stages that run side by side and share what is the same in their work.
//!
//! Each of them is run, keyed and recorded as if it were alone, and makes the same bytes: what they share is a
//! matter of speed. Where one that was expected makes nothing (its result was in the cache, or it failed), the
//! others go on without it. Does not know what they share.

use std::any::Any;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Those that run side by side.
#[derive(Default)]
struct Company {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Members that have neither gathered nor left.
    expected: usize,
    gathered: Vec<Box<dyn Any + Send>>,
}

/// One stage's place among those that run beside it.
pub(crate) struct Member {
    company: Arc<Company>,
    has_come: bool,
}

impl Member {
    /// A company of so many.
    pub(crate) fn company(size: usize) -> Vec<Member> {
        let company = Arc::new(Company::default());
        company.lock().expected = size;
        let member = |_| Member {
            company: Arc::clone(&company),
            has_come: false,
        };
        (0..size).map(member).collect()
    }

    /// Waits until every other member has come here or has left. One of those who came has all parts, in no
    /// order that anybody may rely on, and its own among them; the others have none.
    pub(crate) fn gather<T: Send + 'static>(mut self, part: T) -> Vec<T> {
        let company = Arc::clone(&self.company);
        let mut state = company.lock();
        state.gathered.push(Box::new(part));
        state.expected -= 1;
        self.has_come = true;
        company.changed.notify_all();
        while state.expected > 0 {
            let woken = company.changed.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
        let parts = std::mem::take(&mut state.gathered).into_iter();
        parts
            .filter_map(|part| part.downcast().ok().map(|part| *part))
            .collect()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if !self.has_come {
            self.company.lock().expected -= 1;
            self.company.changed.notify_all();
        }
    }
}

impl Company {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each of these members is given: those that leave come with `None`.
    fn gathered(parts: &[Option<u32>]) -> Vec<Vec<u32>> {
        let members = Member::company(parts.len());
        std::thread::scope(|scope| {
            let threads: Vec<_> = members
                .into_iter()
                .zip(parts)
                .filter_map(|(member, part)| match part {
                    Some(part) => Some(scope.spawn(move || member.gather(*part))),
                    None => {
                        scope.spawn(move || drop(member));
                        None
                    }
                })
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        })
    }

    #[test]
    fn one_has_the_parts_of_all_who_came() {
        for parts in [
            vec![Some(1)],
            vec![Some(1), Some(2), Some(3)],
            vec![None, Some(2), None],
            vec![None, Some(1), Some(2), Some(3), Some(4), None],
        ] {
            for _ in 0..50 {
                let mut given = gathered(&parts);
                given.sort();
                let mut all = given.pop().unwrap();
                all.sort_unstable();
                let came: Vec<u32> = parts.iter().copied().flatten().collect();
                assert_eq!(all, came);
                assert!(given.iter().all(Vec::is_empty), "{given:?}");
            }
        }
    }

    #[test]
    fn who_panics_is_not_waited_for() {
        let mut members = Member::company(2);
        let (one, other) = (members.remove(0), members.remove(0));
        let panicked = std::thread::spawn(move || {
            let _member = other;
            panic!("on purpose");
        });
        assert!(panicked.join().is_err());
        assert_eq!(one.gather("a"), ["a"]);
    }
}
