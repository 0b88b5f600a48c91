//! The engine against a reference model, on random graphs and random histories.
//!
//! The model is the meaning of the cache and nothing else: a memo from all that a stage reads (as
//! text, no digests) to what it writes, and which contents the store holds whole. It says which
//! stages must run, which are restored and which are fresh; the engine must do exactly that, and
//! what it leaves behind must equal a clean build.
//!
//! `PROPTEST_CASES` and `PROPTEST_RNG_SEED` explore further than the fixed seed does.

use crate::toy::{Ask, Repo};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use retrace::base::digest::Digest;
use retrace::run::event::{Event, Outcome};
use retrace::run::plan::State;
use retrace::stage::key::Code;
use retrace::store::actions::{Action, Actions, Outputs};
use retrace::upkeep::verify::{Finding, verify};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const DATA_FILES: usize = 2;
const MAX_STAGES: usize = 8;

/// A stage of the toy kind `join`, as pipeline.yaml states it.
#[derive(Clone, Debug)]
struct Def {
    /// Stages whose outputs it reads, all of smaller index.
    parts: BTreeSet<usize>,
    file: Option<usize>,
    /// Stages of one name and version write the same text: with equal inputs their keys are equal.
    name: usize,
    version: u8,
    /// Enters the key, never the output.
    note: u8,
}

/// All that a stage's output may depend on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    code: u8,
    text: String,
    note: String,
    /// Role (with label) and content, in the order in which `join` reads them.
    inputs: Vec<(String, String)>,
}

/// The reference: what the world holds and what a run must do to it.
struct Model {
    defs: Vec<Def>,
    data: [u8; DATA_FILES],
    code: u8,
    /// What each key gave, for keys that the action cache still knows.
    memo: BTreeMap<Key, String>,
    /// Contents in the store, and whether their bytes are whole.
    objects: BTreeMap<String, bool>,
    /// The output file of each stage.
    files: Vec<Option<String>>,
}

fn data_text(version: u8) -> String {
    format!("data{version}")
}

impl Def {
    fn text(&self) -> String {
        format!("t{}v{}", self.name, self.version)
    }
}

impl Model {
    fn key(&self, stage: usize, made: &BTreeMap<usize, String>) -> Key {
        let def = &self.defs[stage];
        let parts = def
            .parts
            .iter()
            .map(|p| (format!("parts[p{p}]"), made[p].clone()));
        let file = def
            .file
            .map(|f| ("file".to_owned(), data_text(self.data[f])));
        Key {
            code: self.code,
            text: def.text(),
            note: def.note.to_string(),
            inputs: parts.chain(file).collect(),
        }
    }

    fn output(key: &Key) -> String {
        let inputs: String = key
            .inputs
            .iter()
            .map(|(_, content)| content.as_str())
            .collect();
        format!("{}({inputs})", key.text)
    }

    /// What every stage writes when all is made from nothing.
    fn clean_build(&self) -> BTreeMap<usize, String> {
        let mut made = BTreeMap::new();
        for stage in 0..self.defs.len() {
            let output = Model::output(&self.key(stage, &made));
            made.insert(stage, output);
        }
        made
    }

    fn closure(&self, target: Option<usize>) -> BTreeSet<usize> {
        let Some(target) = target else {
            return (0..self.defs.len()).collect();
        };
        let mut closure = BTreeSet::from([target]);
        for stage in (0..=target).rev() {
            if closure.contains(&stage) {
                closure.extend(&self.defs[stage].parts);
            }
        }
        closure
    }

    /// Runs a target (or everything), forced or not; says what must happen to each stage.
    fn run(&mut self, target: Option<usize>, force: bool) -> BTreeMap<usize, Outcome> {
        let mut made = BTreeMap::new();
        let mut outcomes = BTreeMap::new();
        for stage in self.closure(target) {
            let key = self.key(stage, &made);
            let cached = self
                .memo
                .get(&key)
                .filter(|o| self.objects.get(*o) == Some(&true));
            let forced = force && target.is_none_or(|target| target == stage);
            let output = match cached {
                Some(output) if !forced => {
                    let in_place = self.files[stage].as_ref() == Some(output);
                    let outcome = if in_place {
                        Outcome::Fresh
                    } else {
                        Outcome::Restored
                    };
                    outcomes.insert(stage, outcome);
                    output.clone()
                }
                _ => {
                    outcomes.insert(stage, Outcome::Ran);
                    let output = Model::output(&key);
                    self.memo.insert(key, output.clone());
                    self.objects.insert(output.clone(), true);
                    output
                }
            };
            self.files[stage] = Some(output.clone());
            made.insert(stage, output);
        }
        outcomes
    }

    /// Stages of one text may share a key: which of two runs first is then the scheduler's choice.
    fn has_twins(&self) -> bool {
        let names: BTreeSet<usize> = self.defs.iter().map(|def| def.name).collect();
        names.len() < self.defs.len()
    }
}

/// What can happen between runs, and runs. Indices wrap around what there is.
#[derive(Clone, Debug)]
enum Op {
    Version {
        stage: usize,
        version: u8,
    },
    Note {
        stage: usize,
        note: u8,
    },
    Code(u8),
    Data {
        file: usize,
        version: u8,
    },
    Output {
        stage: usize,
        damage: Damage,
    },
    Object {
        which: usize,
        damage: Damage,
    },
    Action {
        which: usize,
        damage: ActionDamage,
    },
    Memory {
        file: Memory,
        damage: Damage,
    },
    /// Deletes the lock, or puts an earlier one back, as `git checkout` does.
    Lock {
        earlier: bool,
    },
    /// As a fresh clone: outputs and lock are there, the cache is not.
    WipeCache,
    Run {
        target: Option<usize>,
        force: bool,
        workers: usize,
    },
}

/// What befalls a file.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Delete,
    /// Other bytes of the same length through the same inode: only the content tells.
    EditInPlace,
    /// A new file of the same length under the name.
    Replace,
    Truncate,
}

#[derive(Clone, Copy, Debug)]
enum ActionDamage {
    Delete,
    Truncate,
    Garbage,
    /// As if it had been recorded so: for an output that the stage does not have, or for none.
    OtherOutput,
    NoOutputs,
    /// The keys of two results are swapped.
    Swap,
}

/// The files that the cache keeps beside objects.
#[derive(Clone, Copy, Debug)]
enum Memory {
    Actions,
    Stat,
    Confirmed,
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        Just(Damage::Delete),
        Just(Damage::EditInPlace),
        Just(Damage::Replace),
        Just(Damage::Truncate),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let any_stage = 0..MAX_STAGES;
    let action_damage = prop_oneof![
        Just(ActionDamage::Delete),
        Just(ActionDamage::Truncate),
        Just(ActionDamage::Garbage),
        Just(ActionDamage::OtherOutput),
        Just(ActionDamage::NoOutputs),
        Just(ActionDamage::Swap),
    ];
    let memory = prop_oneof![
        Just(Memory::Actions),
        Just(Memory::Stat),
        Just(Memory::Confirmed),
    ];
    let run = (
        proptest::option::weighted(0.4, any_stage.clone()),
        0..6usize,
        1..4usize,
    );
    prop_oneof![
        4 => (any_stage.clone(), 0..3u8).prop_map(|(stage, version)| Op::Version { stage, version }),
        2 => (any_stage.clone(), 0..3u8).prop_map(|(stage, note)| Op::Note { stage, note }),
        1 => (0..3u8).prop_map(Op::Code),
        2 => (0..DATA_FILES, 0..3u8).prop_map(|(file, version)| Op::Data { file, version }),
        3 => (any_stage, damage()).prop_map(|(stage, damage)| Op::Output { stage, damage }),
        2 => (any::<usize>(), damage()).prop_map(|(which, damage)| Op::Object { which, damage }),
        2 => (any::<usize>(), action_damage).prop_map(|(which, damage)| Op::Action { which, damage }),
        1 => (memory, damage()).prop_map(|(file, damage)| Op::Memory { file, damage }),
        1 => any::<bool>().prop_map(|earlier| Op::Lock { earlier }),
        1 => Just(Op::WipeCache),
        7 => run.prop_map(|(target, force, workers)| Op::Run { target, force: force == 0, workers }),
    ]
}

fn defs() -> impl Strategy<Value = Vec<Def>> {
    let stage = (
        any::<u8>(),
        proptest::option::weighted(0.3, 0..DATA_FILES),
        0..8usize,
    );
    proptest::collection::vec(stage, 1..=MAX_STAGES).prop_map(|stages| {
        let def = |(index, (parts, file, twin)): (usize, (u8, Option<usize>, usize))| Def {
            parts: (0..index).filter(|p| parts >> p & 1 == 1).collect(),
            file,
            // One stage in eight takes the name of the first.
            name: if twin == 0 { 0 } else { index },
            version: 0,
            note: 0,
        };
        stages.into_iter().enumerate().map(def).collect()
    })
}

/// The engine's side of a history.
struct World {
    repo: Repo,
    model: Model,
    /// Stages stand in the file last to first: their order must not matter.
    reversed: bool,
    locks: Vec<Vec<u8>>,
    /// Runs that were answered by what an earlier one had concluded.
    shortcuts: usize,
}

impl World {
    fn new(defs: Vec<Def>, reversed: bool, shortcut: bool) -> Self {
        let files = vec![None; defs.len()];
        let model = Model {
            defs,
            data: [0; DATA_FILES],
            code: 0,
            memo: BTreeMap::new(),
            objects: BTreeMap::new(),
            files,
        };
        let reversed = reversed && !model.has_twins();
        let mut repo = Repo::new("");
        if shortcut {
            repo.shortcut = true;
            repo.settled = Duration::ZERO;
        }
        (0..DATA_FILES).for_each(|f| repo.write(&format!("data/f{f}"), &data_text(0)));
        World {
            repo,
            model,
            reversed,
            locks: Vec::new(),
            shortcuts: 0,
        }
    }

    fn yaml(&self) -> String {
        let mut stages: Vec<String> = Vec::new();
        for (index, def) in self.model.defs.iter().enumerate() {
            let parts: Vec<String> = def
                .parts
                .iter()
                .map(|p| format!("p{p}: s{p}.out"))
                .collect();
            let mut inputs = Vec::new();
            if !parts.is_empty() {
                inputs.push(format!("parts: {{{}}}", parts.join(", ")));
            }
            inputs.extend(def.file.map(|f| format!("file: data/f{f}")));
            stages.push(format!(
                "  s{index}: {{kind: join, params: {{text: {}, note: \"{}\"}}, inputs: {{{}}}, outputs: {{out: {}}}}}\n",
                def.text(),
                def.note,
                inputs.join(", "),
                output_path(index),
            ));
        }
        if self.reversed {
            stages.reverse();
        }
        format!("version: 2\nstages:\n{}", stages.concat())
    }

    fn apply(&mut self, op: &Op) {
        self.repo.wait_for_the_clock();
        let stages = self.model.defs.len();
        match op {
            Op::Version { stage, version } => self.model.defs[stage % stages].version = *version,
            Op::Note { stage, note } => self.model.defs[stage % stages].note = *note,
            Op::Code(version) => self.model.code = *version,
            Op::Data { file, version } => {
                self.model.data[*file] = *version;
                self.repo
                    .write(&format!("data/f{file}"), &data_text(*version));
            }
            Op::Output { stage, damage } => {
                let stage = stage % stages;
                if self.model.files[stage].is_some() {
                    self.model.files[stage] = act(&self.repo.path(&output_path(stage)), *damage);
                }
            }
            Op::Object { which, damage } => {
                let known = self.model.objects.len();
                let Some(content) = (known > 0).then(|| which % known) else {
                    return;
                };
                let content = self
                    .model
                    .objects
                    .keys()
                    .nth(content)
                    .expect("below")
                    .clone();
                let digest = Digest::of(content.as_bytes()).to_string();
                let path = self
                    .repo
                    .path(".icl-repro/objects")
                    .join(&digest[..2])
                    .join(&digest[2..]);
                if path.exists() {
                    act(&path, *damage);
                }
                match damage {
                    Damage::Delete => self.model.objects.remove(&content),
                    _ => self.model.objects.insert(content, false),
                };
            }
            Op::Action { which, damage } => {
                let known = self.model.memo.len();
                let Some(key) = (known > 0).then(|| which % known) else {
                    return;
                };
                let keys: Vec<Key> = self.model.memo.keys().cloned().collect();
                let (key, next) = (&keys[key], &keys[(key + 1) % known]);
                self.damage_action(key, next, *damage);
                self.model.memo.remove(key);
                if matches!(damage, ActionDamage::Swap) {
                    self.model.memo.remove(next);
                }
            }
            Op::Memory { file, damage } => self.damage_memory(*file, *damage),
            Op::Lock { earlier } => {
                let path = self.repo.path("pipeline.lock");
                match self.locks.first() {
                    Some(lock) if *earlier => fs::write(path, lock).expect("a lock"),
                    _ => drop(fs::remove_file(path)),
                }
            }
            Op::WipeCache => {
                // There is none before the first run.
                let _ = fs::remove_dir_all(self.repo.path(".icl-repro"));
                self.model.memo.clear();
                self.model.objects.clear();
            }
            Op::Run {
                target,
                force,
                workers,
            } => {
                self.run(target.map(|t| t % stages), *force, *workers);
            }
        }
    }

    /// The digest under which the engine files a key.
    fn digest(key: &Key) -> Digest {
        let inputs = key
            .inputs
            .iter()
            .map(|(role, content)| (role.clone(), Digest::of(content.as_bytes())));
        let params = serde_json::json!({"text": key.text, "note": key.note});
        let code = Code::new(key.code.to_string(), []);
        retrace::stage::key::Key::new("join", Arc::new(params), inputs.collect(), &Arc::new(code))
            .digest()
    }

    /// Damages every line that the action cache has for a key.
    fn damage_action(&self, key: &Key, next: &Key, damage: ActionDamage) {
        let path = self.repo.path(".icl-repro/actions.log");
        let (name, next) = (
            World::digest(key).to_string(),
            World::digest(next).to_string(),
        );
        let text = fs::read_to_string(&path).expect("an action cache");
        assert!(text.contains(&name), "no action for {key:?}");
        let record = |outputs: Outputs| {
            let stage = "s".to_owned();
            let seconds = 0.0;
            let action = Action {
                stage,
                seconds,
                outputs,
            };
            let actions = Actions::open(path.clone()).expect("readable");
            actions
                .record(World::digest(key), &action)
                .expect("written");
        };
        let made = Digest::of(self.model.memo[key].as_bytes());
        let line = |line: &str| match damage {
            ActionDamage::Delete if line.starts_with(&name) => String::new(),
            ActionDamage::Truncate if line.starts_with(&name) => line[..line.len() / 2].to_owned(),
            ActionDamage::Garbage if line.starts_with(&name) => "\u{7}garbage".to_owned(),
            ActionDamage::Swap if line.starts_with(&name) => line.replacen(&name, &next, 1),
            ActionDamage::Swap if line.starts_with(&next) => line.replacen(&next, &name, 1),
            _ => line.to_owned(),
        };
        match damage {
            ActionDamage::OtherOutput => record(Outputs::from([("oot".into(), made)])),
            ActionDamage::NoOutputs => record(Outputs::new()),
            // One result alone swaps with nobody.
            ActionDamage::Swap if name == next => {
                fs::write(&path, text.replace(&name, "")).expect("a file");
            }
            _ => {
                let lines: Vec<String> = text.lines().map(line).collect();
                fs::write(&path, lines.join("\n")).expect("a file");
            }
        }
    }

    /// Damages a file of the cache as a whole; only the action cache is worth anything.
    fn damage_memory(&mut self, file: Memory, damage: Damage) {
        let cache = self.repo.path(".icl-repro");
        match file {
            Memory::Stat => drop(act(&cache.join("stat"), damage)),
            Memory::Confirmed => {
                for path in files_below(&cache.join("confirmed")) {
                    act(&path, damage);
                }
            }
            Memory::Actions => {
                let path = cache.join("actions.log");
                act(&path, damage);
                // What a damaged file still says is the file's to know, and the tests' of the file.
                let left = Actions::open(path).expect("readable");
                self.model.memo.retain(|key, output| {
                    let found = left.get(World::digest(key));
                    let digest = Digest::of(output.as_bytes());
                    found.is_some_and(|action| action.outputs.get("out") == Some(&digest))
                });
            }
        }
    }

    fn run(&mut self, target: Option<usize>, force: bool, workers: usize) {
        self.repo.wait_for_the_clock();
        let yaml = self.yaml();
        if self.repo.read("pipeline.yaml") != yaml {
            self.repo.write("pipeline.yaml", &yaml);
        }
        self.repo.code = self.model.code.to_string();
        let twins = self.model.has_twins();
        let planned = (!force && !twins).then(|| self.repo.states());
        let expected = self.model.run(target, force);

        let ids = self.repo.with(&Ask::default(), |context| {
            let stages = context.pipeline.stages.iter();
            Ok(stages
                .map(|s| s.id[1..].parse::<usize>().expect("s0, s1, ..."))
                .collect::<Vec<_>>())
        });
        let ids = ids.expect("the pipeline is readable");
        let outcomes = Mutex::new(BTreeMap::new());
        let observer = |event| {
            if let Event::Done { stage, outcome, .. } = event {
                outcomes
                    .lock()
                    .expect("no panic")
                    .insert(ids[stage], outcome);
            }
        };
        let target_name = target.map(|target| format!("s{target}"));
        let targets: Vec<&str> = target_name.iter().map(String::as_str).collect();
        let ask = Ask {
            targets: &targets,
            force,
            workers: Some(if twins { 1 } else { workers }),
            ..Ask::default()
        };
        let summary = self.repo.run_observed(&ask, &observer).expect("it runs");
        let mut outcomes = outcomes.into_inner().expect("no panic");
        if outcomes.is_empty() && self.repo.shortcut {
            // It says that all is as it was, and of how many stages.
            assert_eq!(summary.fresh, expected.len());
            outcomes.extend(expected.keys().map(|&stage| (stage, Outcome::Fresh)));
            self.shortcuts += 1;
        }
        assert_eq!(outcomes, expected, "what ran");
        assert!(
            summary.failed.is_empty() && summary.differing.is_empty(),
            "{summary:?}"
        );
        let mut texts: Vec<String> = expected
            .iter()
            .filter(|(_, outcome)| **outcome == Outcome::Ran)
            .map(|(&stage, _)| self.model.defs[stage].text())
            .collect();
        texts.sort();
        assert_eq!(
            self.repo.take_runs(),
            texts,
            "what says that it ran really did, once"
        );
        self.check_plan(planned.unwrap_or_default(), &expected);
        self.check_files(&expected);
        if target.is_none() {
            self.check_everything();
        }
    }

    /// `status` foretells what `run` does, where that can be known before.
    fn check_plan(&self, planned: Vec<(String, State)>, expected: &BTreeMap<usize, Outcome>) {
        for (id, state) in planned {
            let stage: usize = id[1..].parse().expect("s0, s1, ...");
            let foretold = match state {
                State::Fresh => Outcome::Fresh,
                State::Restore(_) => Outcome::Restored,
                State::Stale(_) => Outcome::Ran,
                _ => continue,
            };
            if let Some(outcome) = expected.get(&stage) {
                assert_eq!(*outcome, foretold, "the plan for {id}");
            }
        }
    }

    /// The outputs of these stages are those of a clean build; all others are as they were.
    fn check_files(&self, made: &BTreeMap<usize, Outcome>) {
        let clean = self.model.clean_build();
        for (stage, expected) in self.model.files.iter().enumerate() {
            let found = fs::read_to_string(self.repo.path(&output_path(stage))).ok();
            assert_eq!(found, *expected, "the output of s{stage}");
            if made.contains_key(&stage) {
                assert_eq!(
                    found.as_ref(),
                    Some(&clean[&stage]),
                    "a clean build of s{stage}"
                );
            }
        }
    }

    /// After everything ran: nothing more runs, and only objects that nobody needs are damaged.
    fn check_everything(&mut self) {
        // Twice: the second time, what the first has concluded may be enough.
        for _ in 0..2 {
            self.repo.wait_for_the_clock();
            let again = self.repo.run(&Ask::default()).expect("it runs");
            let stages = self.model.defs.len();
            assert_eq!(again.fresh, stages, "a second run does nothing: {again:?}");
        }
        assert!(self.repo.take_runs().is_empty());
        let found = self.repo.with(&Ask::default(), |context| {
            verify(context, &context.pipeline.select(&[], &[])?)
        });
        let findings = found.expect("it verifies").findings;
        let damaged = self.model.objects.values().filter(|whole| !**whole).count();
        assert_eq!(findings.len(), damaged, "{findings:?}");
        assert!(
            findings
                .iter()
                .all(|finding| matches!(finding, Finding::Object { .. }))
        );
        self.locks
            .push(fs::read(self.repo.path("pipeline.lock")).expect("a lock"));
    }
}

fn output_path(stage: usize) -> String {
    let folder = if stage.is_multiple_of(2) {
        "figures"
    } else {
        "artifacts/deep"
    };
    format!("{folder}/s{stage}.txt")
}

/// Damages a file; what it then holds.
fn act(path: &Path, damage: Damage) -> Option<String> {
    let Ok(text) = fs::read_to_string(path) else {
        return None;
    };
    // Objects of the store are read-only, which does not stop a disk.
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("own file");
    let mut edited = text.clone();
    if !edited.is_empty() {
        let last = if edited.ends_with('!') { "?" } else { "!" };
        edited.replace_range(edited.len() - 1.., last);
    }
    match damage {
        Damage::Delete => {
            fs::remove_file(path).expect("a file");
            return None;
        }
        Damage::EditInPlace => fs::write(path, &edited).expect("a file"),
        Damage::Replace => {
            fs::remove_file(path).expect("a file");
            fs::write(path, &edited).expect("a file");
        }
        Damage::Truncate => {
            edited.clear();
            fs::write(path, "").expect("a file");
        }
    }
    Some(edited)
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.expect("readable").path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files_below(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn a_history_of_edits_and_accidents_runs_exactly_what_the_model_says() {
    histories(400, false);
}

/// The same histories where runs may answer from what earlier ones concluded.
#[test]
fn what_an_earlier_run_concluded_is_never_believed_too_long() {
    let shortcuts = histories(400, true);
    assert!(shortcuts > 100, "{shortcuts} runs took the shortcut");
}

/// Runs random histories; returns how many runs took the shortcut.
fn histories(cases: u32, shortcut: bool) -> usize {
    // In memory: the engine's files are small and many.
    if Path::new("/dev/shm").is_dir() {
        let _ = tempfile::env::override_temp_dir(Path::new("/dev/shm"));
    }
    let defaults = ProptestConfig::default();
    let cases = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => defaults.cases,
        None => cases,
    };
    let rng_seed = match defaults.rng_seed {
        RngSeed::Random => RngSeed::Fixed(20260223),
        given => given,
    };
    let config = ProptestConfig {
        cases,
        rng_seed,
        failure_persistence: None,
        ..defaults
    };
    let histories = (
        defs(),
        any::<bool>(),
        proptest::collection::vec(op(), 1..25),
    );
    let shortcuts = AtomicUsize::new(0);
    let result = TestRunner::new(config).run(&histories, |(defs, reversed, ops)| {
        let mut world = World::new(defs, reversed, shortcut);
        ops.iter().for_each(|op| world.apply(op));
        world.run(None, false, 2);
        shortcuts.fetch_add(world.shortcuts, Ordering::Relaxed);
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    shortcuts.into_inner()
}
