//! Two writers of one key, a reader and a collector, around one object and the entry of each writer.
//!
//! Time goes in ticks. What is as old as [`AGE`] the collector may remove; a writer puts anew what is as old as
//! half of that, instead of relying on it. A step is one request, or a tick. In a world of [`Rules::timed`] a
//! writer ends within half the age from its first look, and the collector's last look at what it removes and the
//! removal are one step; in one of [`Rules::untimed`] anything may happen at any time, writers die, and the bytes
//! of the object are replaced by others of the same size.

use std::fmt;

/// What is as old may be removed.
const AGE: u8 = 4;
/// What is as old is put anew. A writer ends in less than the rest of the age.
const HALF: u8 = AGE / 2;
/// How the processes behave; the store's own is `timed` or `untimed`, others leave one rule out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rules {
    /// A writer puts anew an object that is as old as half the age.
    pub writers_renew: bool,
    /// A writer ends within half the age.
    pub writers_end_in_time: bool,
    /// The object is put before the entry.
    pub objects_put_first: bool,
    /// The collector looks at the age of what it removes once more, in the same step.
    pub collector_looks_again: bool,
    /// It removes only what was old when it listed objects: what has grown old since may be named by an entry
    /// that is newer than its look at entries.
    pub collector_counts_its_time: bool,
    /// The collector lists objects before it reads which of them entries name.
    pub objects_listed_first: bool,
    /// A reader takes no bytes but those of the digest that it asked for.
    pub readers_hash: bool,
    /// Who has found wrong bytes puts the right ones there, whatever their size.
    pub wrong_is_replaced: bool,
    /// How long the world is: enough for something new to become old and, where times are kept, for a writer and a
    /// collector after that.
    pub ticks: u8,
    /// Writers die, bytes are replaced, and between a look and a removal anything happens.
    pub anything_goes: bool,
}

impl Rules {
    /// Processes that keep their times.
    pub fn timed() -> Self {
        Rules {
            writers_renew: true,
            writers_end_in_time: true,
            objects_put_first: true,
            collector_looks_again: true,
            collector_counts_its_time: true,
            objects_listed_first: true,
            readers_hash: true,
            wrong_is_replaced: true,
            ticks: AGE + HALF,
            anything_goes: false,
        }
    }

    /// Processes that keep none.
    pub fn untimed() -> Self {
        Rules {
            writers_end_in_time: false,
            ticks: AGE,
            anything_goes: true,
            ..Rules::timed()
        }
    }
}

/// The object as the store has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Object {
    age: u8,
    is_right: bool,
}

/// How far a writer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Writer {
    Before,
    /// It has looked at the object, and will put it or not.
    Looked {
        puts: bool,
        since: u8,
    },
    /// What it had to put before the entry is there; the entry is not.
    HasPut {
        since: u8,
    },
    /// The entry is there, and the object is put after it: only where the rule is broken.
    Promised {
        puts: bool,
        since: u8,
    },
    Ended,
    Died,
}

/// How far the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reader {
    Before,
    Asked,
    Took { is_right: bool },
    Missed,
}

/// How far the collector is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Collector {
    Before,
    /// It will look at this entry, and remove it if it is old.
    Entry(usize),
    /// It has looked, found it old, and will remove it: only where anything goes.
    OldEntry(usize),
    /// It lists objects, knowing which one entries name if those were read first.
    Lists {
        is_named: Option<bool>,
    },
    /// It has listed an old object, and reads which ones entries name.
    Reads {
        since: u8,
    },
    /// It removes an old object that no entry named, if it is still the one that it listed.
    Removes {
        since: u8,
    },
    /// It has looked again, and will remove it: only where anything goes.
    Old,
    Ended,
}

/// What is done, and where it leads.
type Step = (&'static str, World);

/// A state of everything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct World {
    rules: Rules,
    now: u8,
    object: Option<Object>,
    /// The ages of the entries, one for each writer.
    entries: [Option<u8>; 2],
    /// Whether an entry was put in this world: those that were there before may be left by somebody who died.
    is_new: [bool; 2],
    writers: [Writer; 2],
    reader: Reader,
    collector: Collector,
}

impl World {
    /// Stores that are empty, that hold an object of any age, and one with the entry of the first writer.
    pub fn starts(rules: Rules) -> Vec<World> {
        let empty = World {
            rules,
            now: 0,
            object: None,
            entries: [None; 2],
            is_new: [false; 2],
            writers: [Writer::Before; 2],
            reader: Reader::Before,
            collector: Collector::Before,
        };
        let mut starts = vec![empty.clone()];
        for age in 0..=AGE {
            let is_right = true;
            let object = Some(Object { age, is_right });
            starts.push(World {
                object,
                ..empty.clone()
            });
            starts.push(World {
                object,
                entries: [Some(age), None],
                ..empty.clone()
            });
        }
        starts
    }

    /// What is wrong.
    pub fn wrong(&self) -> Option<String> {
        if self.reader == (Reader::Took { is_right: false }) {
            return Some("the reader took other bytes".into());
        }
        let is_promised = (0..2).any(|w| self.entries[w].is_some() && self.is_new[w]);
        if !self.rules.anything_goes && is_promised && self.object.is_none() {
            return Some("an entry names an object that is not there".into());
        }
        let has_ended = |w: &Writer| matches!(w, Writer::Ended | Writer::Died);
        if self.writers.iter().all(has_ended) && self.collector == Collector::Ended {
            let after = self.rerun();
            let is_right = after.object.is_some_and(|object| object.is_right);
            if !is_right || after.entries[0].is_none() {
                return Some("a rerun restores nothing".into());
            }
        }
        None
    }

    /// The first writer alone, once more: it asks for the entry and fetches the object; where that fails it
    /// runs, puts the object and the entry.
    fn rerun(&self) -> World {
        let mut world = self.clone();
        let found = world.object.filter(|_| world.entries[0].is_some());
        if found.is_some_and(|object| object.is_right) {
            return world;
        }
        let finds_wrong = found.is_some();
        let leaves = match world.object {
            // It only learns of wrong bytes where it fetched them.
            Some(object) if !object.is_right => !(finds_wrong && world.rules.wrong_is_replaced),
            Some(object) => object.age < HALF,
            None => false,
        };
        if !leaves {
            world.put_object();
        }
        world.entries[0] = Some(0);
        // The entry is there now: who comes after it fetches the object, and finds it wrong.
        let is_wrong = world.object.is_some_and(|object| !object.is_right);
        if is_wrong && !finds_wrong && world.rules.wrong_is_replaced {
            world.put_object();
        }
        world
    }

    fn put_object(&mut self) {
        let (age, is_right) = (0, true);
        self.object = Some(Object { age, is_right });
    }

    fn put_entry(&mut self, writer: usize) {
        self.entries[writer] = Some(0);
        self.is_new[writer] = true;
    }

    /// Every state that one step leads to.
    pub fn next(&self) -> Vec<Step> {
        let mut next = Vec::new();
        self.tick(&mut next);
        (0..2).for_each(|w| self.write(w, &mut next));
        self.read(&mut next);
        self.collect(&mut next);
        if self.rules.anything_goes {
            self.damage(&mut next);
        }
        next
    }

    fn step(&self, step: &'static str, act: impl FnOnce(&mut World)) -> Step {
        let mut world = self.clone();
        act(&mut world);
        (step, world)
    }

    /// A tick, unless a writer must end before.
    fn tick(&self, next: &mut Vec<Step>) {
        let must_end = |writer: &Writer| match writer {
            Writer::Looked { since, .. }
            | Writer::HasPut { since }
            | Writer::Promised { since, .. } => self.now - since + 1 >= AGE - HALF,
            Writer::Before | Writer::Ended | Writer::Died => false,
        };
        let waits = self.rules.writers_end_in_time && self.writers.iter().any(must_end);
        if self.now < self.rules.ticks && !waits {
            next.push(self.step("time goes on", |world| {
                world.now += 1;
                let older = |age: &mut u8| *age += 1;
                world.object.iter_mut().for_each(|o| older(&mut o.age));
                world.entries.iter_mut().flatten().for_each(older);
            }));
        }
    }

    fn write(&self, w: usize, next: &mut Vec<Step>) {
        let becomes = |step, writer: Writer, act: fn(&mut World, usize)| {
            self.step(step, |world| {
                world.writers[w] = writer;
                act(world, w);
            })
        };
        let nothing = |_: &mut World, _: usize| {};
        let is_running = !matches!(
            self.writers[w],
            Writer::Before | Writer::Ended | Writer::Died
        );
        if self.rules.anything_goes && is_running {
            next.push(becomes("a writer dies", Writer::Died, nothing));
        }
        match self.writers[w] {
            Writer::Before => {
                // One that is there and young, of the right size, is left alone.
                let puts = match self.object {
                    Some(object) => self.rules.writers_renew && object.age >= HALF,
                    None => true,
                };
                let since = self.now;
                let looked = Writer::Looked { puts, since };
                next.push(becomes("a writer looks at the object", looked, nothing));
            }
            Writer::Looked { puts, since } if !self.rules.objects_put_first => {
                let promised = Writer::Promised { puts, since };
                next.push(becomes("a writer puts the entry", promised, |world, w| {
                    world.put_entry(w);
                }));
            }
            Writer::Looked { puts: true, since } => {
                let has_put = Writer::HasPut { since };
                next.push(becomes("a writer puts the object", has_put, |world, _| {
                    world.put_object();
                }));
            }
            Writer::Looked { puts: false, .. } | Writer::HasPut { .. } => {
                next.push(becomes(
                    "a writer puts the entry",
                    Writer::Ended,
                    |world, w| world.put_entry(w),
                ));
            }
            Writer::Promised { puts, .. } => {
                next.push(becomes("a writer puts the object", Writer::Ended, {
                    match puts {
                        true => |world, _| world.put_object(),
                        false => nothing,
                    }
                }));
            }
            Writer::Ended | Writer::Died => {}
        }
    }

    fn read(&self, next: &mut Vec<Step>) {
        let becomes = |step, reader| self.step(step, |world| world.reader = reader);
        match self.reader {
            Reader::Before => {
                let found = self.entries.iter().any(Option::is_some);
                let reader = if found { Reader::Asked } else { Reader::Missed };
                next.push(becomes("the reader asks for an entry", reader));
            }
            Reader::Asked => {
                let taken = self.object.map(|object| object.is_right);
                let reader = match taken.filter(|is_right| *is_right || !self.rules.readers_hash) {
                    Some(is_right) => Reader::Took { is_right },
                    None => Reader::Missed,
                };
                next.push(becomes("the reader gets the object", reader));
            }
            Reader::Took { .. } | Reader::Missed => {}
        }
    }

    fn collect(&self, next: &mut Vec<Step>) {
        let becomes = |step, collector| self.step(step, |world| world.collector = collector);
        let after_entry = |e: usize| match e {
            0 => Collector::Entry(1),
            _ => Collector::Lists { is_named: None },
        };
        let is_old = self.object.is_some_and(|object| object.age >= AGE);
        let is_named = self.entries.iter().any(Option::is_some);
        match self.collector {
            Collector::Before => {
                next.push(becomes("the collector begins", Collector::Entry(0)));
            }
            Collector::Entry(e) => {
                let is_old = self.entries[e].is_some_and(|age| age >= AGE);
                if is_old && self.rules.anything_goes {
                    next.push(becomes(
                        "the collector finds an old entry",
                        Collector::OldEntry(e),
                    ));
                    return;
                }
                let mut step = becomes("the collector looks at an entry", after_entry(e));
                if is_old {
                    step.1.entries[e] = None;
                }
                next.push(step);
            }
            Collector::OldEntry(e) => {
                let mut step = becomes("the collector removes an entry", after_entry(e));
                step.1.entries[e] = None;
                next.push(step);
            }
            Collector::Lists { is_named: None } if !self.rules.objects_listed_first => {
                let known = Collector::Lists {
                    is_named: Some(is_named),
                };
                next.push(becomes("the collector reads the entries", known));
            }
            Collector::Lists { is_named } => {
                let collector = match (is_old, is_named) {
                    (false, _) | (true, Some(true)) => Collector::Ended,
                    (true, None) => Collector::Reads { since: self.now },
                    (true, Some(false)) => Collector::Removes { since: self.now },
                };
                next.push(becomes("the collector lists objects", collector));
            }
            Collector::Reads { since } => {
                let collector = match is_named {
                    true => Collector::Ended,
                    false => Collector::Removes { since },
                };
                next.push(becomes("the collector reads the entries", collector));
            }
            Collector::Removes { since } => {
                let looks = self.rules.collector_looks_again;
                let own_time = match self.rules.collector_counts_its_time {
                    true => self.now - since,
                    false => 0,
                };
                let is_old = self.object.is_some_and(|o| o.age >= AGE + own_time);
                if looks && is_old && self.rules.anything_goes {
                    next.push(becomes("the collector looks again", Collector::Old));
                    return;
                }
                let mut step = becomes("the collector removes the object", Collector::Ended);
                if is_old || !looks {
                    step.1.object = None;
                }
                next.push(step);
            }
            Collector::Old => {
                let mut step = becomes("the collector removes the object", Collector::Ended);
                step.1.object = None;
                next.push(step);
            }
            Collector::Ended => {}
        }
    }

    /// Somebody puts other bytes of the same size in the place of the object.
    fn damage(&self, next: &mut Vec<Step>) {
        if self.object.is_some_and(|object| object.is_right) {
            next.push(self.step("the object is replaced by other bytes", |world| {
                let age = 0;
                let is_right = false;
                world.object = Some(Object { age, is_right });
            }));
        }
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let World {
            now,
            object,
            entries,
            ..
        } = self;
        write!(f, "at {now}, object {object:?}, entries {entries:?}")
    }
}
