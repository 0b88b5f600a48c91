//! A queue of tasks and the workers that take them: dead ones are replaced, failed tasks put back, and some tasks
//! given to two.
//!
//! A worker does what a run with a store does, by the same calls: it asks what is known of the key, fetches what
//! the stage reads, makes the rest, puts objects and then the entry. It begins with an empty cache.

use crate::simulation::clock::{Clock, MILLISECOND, Turn, draw, happens};
use crate::simulation::network::{Died, Line, Remote, Requests, Weather};
use crate::simulation::stages::Stages;
use retrace::base::digest::Digest;
use retrace::base::error::{Error, Result};
use retrace::shared::store::{MAX_BYTES, SharedStore, Word};
use retrace::shared::trust::{Signer, SignerId, Trust};
use retrace::store::actions::Outputs;
use retrace::store::content::Store;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Who looks for work and finds none comes back after so long.
const PAUSE: u64 = 100 * MILLISECOND;

/// What became of the attempts at one stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    pub begun: usize,
    /// How often it was given to two.
    pub duplicates: usize,
    pub deaths: usize,
    /// Those that a failing request ended.
    pub failures: usize,
    /// How often the stage was run.
    pub runs: usize,
}

/// A cluster that works on stages.
pub struct Cluster<'a> {
    pub stages: &'a Stages,
    pub remote: Arc<Remote>,
    folder: &'a Path,
    queue: Mutex<Queue>,
    /// The most objects that one worker held.
    pub most_held: Mutex<usize>,
    signers: [SignerId; 2],
}

struct Queue {
    attempts: Vec<Attempts>,
    ready: BTreeSet<usize>,
    done: BTreeSet<usize>,
    begun: u64,
}

/// Two signers, the same each time.
pub fn signer(number: usize, folder: &Path) -> Signer {
    let file = folder.join(format!("key {number}"));
    let seed = Digest::of(&[number as u8]);
    std::fs::write(&file, format!("ed25519-secret {seed}\n")).expect("a file");
    Signer::read(&file).expect("a key")
}

/// Who signs here is trusted.
pub fn trust(signers: &[SignerId]) -> Trust {
    let mut trust = Trust::default();
    for (number, &signer) in signers.iter().enumerate() {
        trust.add(signer, &format!("signer {number}"));
    }
    trust
}

impl<'a> Cluster<'a> {
    /// Works until all stages are done, with so many workers at a time.
    pub fn run(
        stages: &'a Stages,
        seed: u64,
        workers: usize,
        weather: Weather,
        folder: &'a Path,
    ) -> Self {
        let (clock, turns) = Clock::new(seed, workers);
        let ready = (0..stages.count()).filter(|&stage| stages.reads[stage].is_empty());
        let cluster = Cluster {
            stages,
            remote: Arc::new(Remote::new(clock, seed, weather)),
            folder,
            queue: Mutex::new(Queue {
                attempts: vec![Attempts::default(); stages.count()],
                ready: ready.collect(),
                done: BTreeSet::new(),
                begun: 0,
            }),
            most_held: Mutex::default(),
            signers: [0, 1].map(|number| signer(number, folder).id()),
        };
        (0..workers).for_each(|worker| cluster.remote.clock.enter(worker));
        std::thread::scope(|scope| {
            for turn in turns {
                scope.spawn(|| cluster.work(turn));
            }
            cluster.remote.clock.start();
        });
        cluster
    }

    pub fn attempts(&self) -> Vec<Attempts> {
        self.queue().attempts.clone()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place in the cluster: one worker after the other.
    fn work(&self, turn: Turn) {
        let clock = &self.remote.clock;
        clock.begin(&turn);
        let turn = Arc::new(Mutex::new(turn));
        while let Some(task) = self.take() {
            let Some((stage, attempt)) = task else {
                let turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
                clock.sleep(&turn, PAUSE);
                continue;
            };
            let result = catch_unwind(AssertUnwindSafe(|| self.attempt(stage, attempt, &turn)));
            let mut queue = self.queue();
            match result {
                Ok(Ok(())) => {
                    queue.done.insert(stage);
                    for (reader, reads) in self.stages.reads.iter().enumerate() {
                        let is_next = reads.contains(&stage)
                            && reads.iter().all(|read| queue.done.contains(read))
                            && queue.attempts[reader].begun == 0;
                        if is_next {
                            queue.ready.insert(reader);
                        }
                    }
                }
                Ok(Err(_)) => {
                    queue.attempts[stage].failures += 1;
                    queue.put_back(stage);
                }
                Err(panic) if panic.is::<Died>() => {
                    queue.attempts[stage].deaths += 1;
                    queue.put_back(stage);
                }
                Err(panic) => {
                    drop(queue);
                    // Others go on, so that the test ends.
                    clock.leave();
                    resume_unwind(panic);
                }
            }
        }
        clock.leave();
    }

    /// A stage with the number of the attempt; nothing inside where none is ready now, and nothing at all where
    /// all are done.
    fn take(&self) -> Option<Option<(usize, u64)>> {
        let mut queue = self.queue();
        if queue.done.len() == self.stages.count() {
            return None;
        }
        let Some(stage) = queue.ready.pop_first() else {
            return Some(None);
        };
        queue.begun += 1;
        let attempt = queue.begun;
        let is_first = queue.attempts[stage].begun == 0;
        queue.attempts[stage].begun += 1;
        if is_first && happens(self.remote.seed, "duplicate", attempt, 100) {
            queue.attempts[stage].duplicates += 1;
            queue.ready.insert(stage);
        }
        Some(Some((stage, attempt)))
    }

    /// A worker, from its start to its end.
    fn attempt(&self, stage: usize, attempt: u64, turn: &Arc<Mutex<Turn>>) -> Result<()> {
        let asked = Arc::new(Mutex::new(Requests::new()));
        let line = Line::new(&self.remote, attempt, turn, &asked);
        let signs = signer((attempt % 2) as usize, self.folder);
        let shared = SharedStore::new(Box::new(line))
            .trusting(trust(&self.signers))
            .signing(signs, Digest::of(b"program"));
        let cache = tempfile::tempdir_in(self.folder).expect("a folder");
        let cache = Store::open(cache.path(), false)?;
        let mut worker = Worker {
            cluster: self,
            shared,
            cache,
            known: BTreeMap::new(),
            moved: BTreeSet::new(),
        };
        let result = worker.bring_up_to_date(stage, |time| {
            let turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            self.remote.clock.sleep(&turn, time);
        });
        let held = worker.cache.objects()?.len();
        let mut most = self
            .most_held
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *most = held.max(*most);
        worker.check(&asked.lock().unwrap_or_else(PoisonError::into_inner));
        result
    }
}

impl Queue {
    fn put_back(&mut self, stage: usize) {
        // Its duplicate may have ended well.
        if !self.done.contains(&stage) {
            self.ready.insert(stage);
        }
    }
}

struct Worker<'a> {
    cluster: &'a Cluster<'a>,
    shared: SharedStore,
    cache: Store,
    /// What is known of stages: the digest of what each makes.
    known: BTreeMap<usize, Digest>,
    /// Objects that it fetched or put.
    moved: BTreeSet<Digest>,
}

impl Worker<'_> {
    fn bring_up_to_date(&mut self, stage: usize, sleep: impl Fn(u64)) -> Result<()> {
        let reads = self.cluster.stages.reads[stage].clone();
        let inputs: Result<Vec<Digest>> = reads.iter().map(|&read| self.digest_of(read)).collect();
        let inputs = inputs?;
        let key = self.cluster.stages.key(stage, &inputs);
        match self.shared.ask(key.digest(), &self.cache)? {
            Word::One(_) => return Ok(()),
            Word::None => {}
            Word::Disagree(_) => panic!("toys make the same each time"),
        }
        let never = AtomicBool::new(false);
        let mut contents = Vec::new();
        for &input in &inputs {
            if self.moved.insert(input) {
                let fetched = self.shared.fetch(input, MAX_BYTES, &self.cache, &never)?;
                fetched.ok_or_else(|| Error::failed("an input is not to be had"))?;
            }
            contents.push(std::fs::read(self.cache.object(input)).expect("it was fetched"));
        }
        let seed = self.cluster.remote.seed;
        sleep(50 * MILLISECOND + draw(seed, "run", stage as u64) % (450 * MILLISECOND));
        self.cluster.queue().attempts[stage].runs += 1;
        let made = self.cluster.stages.make(stage, &contents);
        let file = self.cluster.folder.join(format!("made {stage}"));
        std::fs::write(&file, made).expect("a file");
        let digest = self.cache.insert(&file)?;
        let is_new = self.moved.insert(digest);
        if is_new {
            self.shared.put(digest, &self.cache, false)?;
        }
        let outputs = Outputs::from([("out".to_owned(), digest)]);
        self.shared
            .publish(&format!("s{stage}"), &key, &outputs, &self.cache)?;
        Ok(())
    }

    /// The digest of what a stage made that is done: by the word of a signer, under the key that its own inputs
    /// give.
    fn digest_of(&mut self, stage: usize) -> Result<Digest> {
        if let Some(&digest) = self.known.get(&stage) {
            return Ok(digest);
        }
        let reads = self.cluster.stages.reads[stage].clone();
        let inputs: Result<Vec<Digest>> = reads.iter().map(|&read| self.digest_of(read)).collect();
        let key = self.cluster.stages.key(stage, &inputs?);
        match self.shared.ask(key.digest(), &self.cache)? {
            Word::One(entry) => {
                let digest = entry.digests()["out"];
                self.known.insert(stage, digest);
                Ok(digest)
            }
            _ => Err(Error::failed("what it reads is not known")),
        }
    }

    /// Holds what was asked for to what may be asked: each key once of each signer, two requests for each object
    /// that was moved, one to say what came of it.
    fn check(&self, asked: &Requests) {
        let of = |verb: &str, prefix: &str| {
            let found = asked
                .iter()
                .filter(move |((v, name), _)| *v == verb && name.starts_with(prefix));
            found.map(|(_, &times)| times).collect::<Vec<usize>>()
        };
        assert!(
            of("get", "entries/").iter().all(|&times| times == 1),
            "{asked:?}"
        );
        let objects: usize = ["look", "get", "put"]
            .iter()
            .flat_map(|verb| of(verb, "objects/"))
            .sum();
        assert!(objects <= 2 * self.moved.len(), "{asked:?}");
        let said: usize = of("put", "entries/").iter().sum();
        assert!(said <= 1 && of("look", "entries/").is_empty(), "{asked:?}");
        assert!(of("list", "").is_empty() && of("remove", "").is_empty());
    }
}
