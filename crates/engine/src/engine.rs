//! A pipeline as a program or a test uses it: opened from a folder, asked, run.
//!
//! Puts the parts together and decides nothing: what is fresh says [`crate::run::plan`], what is done
//! [`crate::run::schedule`].

use crate::base::digest::Digest;
use crate::base::error::{Error, ErrorKind, Place, Result};
use crate::base::files;
use crate::lock::file::LockFile;
use crate::resolve::select::Selection;
use crate::resolve::stages::Pipeline;
use crate::run::inspection::Inspector;
use crate::run::plan::{Context, State};
use crate::run::schedule::{Options, Run, check_writable};
use crate::run::settle::Summary;
use crate::spec::file::Spec;
use crate::spec::settings::Settings;
use crate::stage::kind::Kind;
use crate::stage::publication::Publisher;
use crate::store::content::Store;
use crate::store::workspace::{LOCK_FILE, SPEC_FILE, Workspace};
use crate::yaml::node::MAX_BYTES;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

/// Default folder of the cache, below the root of the repository.
const CACHE: &str = ".retrace";

/// How a pipeline is opened; by default as it stands in its repository.
#[derive(Clone, Default)]
pub struct OpenOptions<'a> {
    settings: Settings,
    cache: Option<PathBuf>,
    out: Option<PathBuf>,
    paranoid: bool,
    publisher: Option<&'a dyn Publisher>,
    inspector: Option<&'a dyn Inspector>,
    hear: Option<fn(&str)>,
}

impl<'a> OpenOptions<'a> {
    /// The pipeline as it stands.
    pub fn new() -> Self {
        OpenOptions::default()
    }

    /// Another profile, or changed parameters; its outputs then go below the cache.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The folder of the cache; `.retrace` below the root if it is not said.
    pub fn cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Some(folder.into());
        self
    }

    /// The folder that outputs and lock go to, in place of the repository.
    pub fn out(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out = Some(folder.into());
        self
    }

    /// Reads every file instead of trusting its size and times.
    pub fn paranoid(mut self, paranoid: bool) -> Self {
        self.paranoid = paranoid;
        self
    }

    /// Who gives published files their provenance.
    pub fn publisher(mut self, publisher: &'a dyn Publisher) -> Self {
        self.publisher = Some(publisher);
        self
    }

    /// Who looks at files that no stage made, before a stage reads them.
    pub fn inspector(mut self, inspector: &'a dyn Inspector) -> Self {
        self.inspector = Some(inspector);
        self
    }

    /// Who hears what of the lock cannot be read.
    pub fn hear(mut self, hear: fn(&str)) -> Self {
        self.hear = Some(hear);
        self
    }

    /// The folders that are meant; reads nothing.
    ///
    /// # Errors
    /// A folder that must not hold a cache, or must not receive these outputs.
    pub fn workspace(&self, root: PathBuf) -> Result<Workspace> {
        let absolute = |path: &PathBuf| {
            let error = |e| Error {
                kind: ErrorKind::Config,
                ..Error::io("use", path, &e)
            };
            std::path::absolute(path).map_err(error)
        };
        let cache = self.cache.as_ref().map(absolute).transpose()?;
        let out = self.out.as_ref().map(absolute).transpose()?;
        let cache = cache.unwrap_or_else(|| root.join(CACHE));
        Workspace::new(root, cache, out, &self.settings)
    }

    /// Reads and resolves the pipeline.yaml in `start`, or in the nearest folder above it that has one.
    ///
    /// # Errors
    /// There is none, or it is wrong: the error says where, and what helps.
    pub fn open(self, start: &Path, kinds: Vec<Box<dyn Kind>>) -> Result<Engine<'a>> {
        let workspace = self.workspace(Workspace::find_root(start)?)?;
        self.open_in(workspace, kinds)
    }

    /// As [`OpenOptions::open`], where the folders are known.
    ///
    /// # Errors
    /// pipeline.yaml is wrong, or the cache folder is none.
    pub fn open_in(self, workspace: Workspace, kinds: Vec<Box<dyn Kind>>) -> Result<Engine<'a>> {
        let path = workspace.root.join(SPEC_FILE);
        let text = files::read_at_most(&path, MAX_BYTES as u64).map_err(|e| Error {
            kind: ErrorKind::Config,
            ..Error::io("read", &path, &e)
        })?;
        let spec = (path, Digest::of(&text));
        let text = String::from_utf8(text).map_err(|e| not_utf8(&e))?;
        let pipeline = Pipeline::resolve(Spec::parse(SPEC_FILE, &text)?, &kinds, &self.settings)?;
        pipeline.check_groups()?;
        workspace.check_cache()?;
        let lock_at = |path| {
            let lock = LockFile::at(path);
            match self.hear {
                Some(hear) => lock.telling(hear),
                None => lock,
            }
        };
        let lock = lock_at(workspace.lock_path());
        let baseline = workspace.root.join(LOCK_FILE);
        let baseline = (!workspace.publishes()).then(|| lock_at(baseline));
        Ok(Engine {
            workspace,
            kinds,
            pipeline,
            spec,
            lock,
            baseline,
            store: OnceLock::new(),
            options: self,
        })
    }
}

fn not_utf8(error: &std::string::FromUtf8Error) -> Error {
    let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
    let line = 1 + good.iter().filter(|&&byte| byte == b'\n').count();
    let column = 1 + good.iter().rev().take_while(|&&byte| byte != b'\n').count();
    let place = Place::file(&SPEC_FILE.into(), line as u64, column as u64);
    let error = Error::config("the file is not UTF-8 from here on").at(&place);
    error.hint("save it as UTF-8")
}

/// An opened pipeline.
///
/// pipeline.yaml is read and resolved; lock and cache are opened by the first that asks.
pub struct Engine<'a> {
    pub workspace: Workspace,
    pub kinds: Vec<Box<dyn Kind>>,
    pub pipeline: Pipeline,
    /// pipeline.yaml and the digest of what was in it.
    pub spec: (PathBuf, Digest),
    lock: LockFile,
    /// The repository's lock, where that is another one.
    baseline: Option<LockFile>,
    store: OnceLock<Store>,
    options: OpenOptions<'a>,
}

impl Engine<'static> {
    /// Opens the pipeline.yaml in `start`, or in the nearest folder above it that has one, as it stands.
    ///
    /// # Errors
    /// There is none, or it is wrong: the error says where, and what helps.
    pub fn open(start: &Path, kinds: Vec<Box<dyn Kind>>) -> Result<Self> {
        OpenOptions::new().open(start, kinds)
    }
}

impl Engine<'_> {
    /// Brings targets (ids, globs, groups, output paths; none means everything but opt-in groups) and what
    /// they need up to date, as many stages at a time as there are cores. Waits for another run to end.
    ///
    /// Stages that fail are in the summary.
    ///
    /// # Errors
    /// There is no such target, or a file that belongs to no single stage cannot be read or written.
    pub fn run(&self, targets: &[&str]) -> Result<Summary> {
        let selection = self.select(targets)?;
        let _held = self.workspace.lock_for_run(true, |_| {})?;
        let context = self.context()?;
        Run {
            context: &context,
            options: &Options {
                workers: std::thread::available_parallelism().map_or(1, usize::from),
                force: false,
                keep_going: false,
                as_recorded: false,
                accept: false,
                variation: None,
            },
            selection: &selection,
            given: &BTreeMap::new(),
            prepare: &|| check_writable(&context),
            observer: &|_| {},
            cancelled: &AtomicBool::new(false),
        }
        .execute()
    }

    /// What is the case with targets and what they need, by stage id; runs nothing.
    ///
    /// # Errors
    /// There is no such target, or an input, the lock or the cache cannot be read.
    pub fn states(&self, targets: &[&str]) -> Result<BTreeMap<&str, State>> {
        let plan = self.context()?.plan(&self.select(targets)?)?;
        let states = plan.states.into_iter();
        Ok(states
            .map(|(stage, state)| (self.id(stage), state))
            .collect())
    }

    /// Where a stage's output is, or will be.
    ///
    /// # Errors
    /// There is no such stage or output: the hint has the nearest name.
    pub fn output(&self, stage: &str, output: &str) -> Result<PathBuf> {
        let stages = self.pipeline.stages.iter();
        let found = stages.clone().find(|known| known.id == stage);
        let found = found.ok_or_else(|| {
            let error = Error::config(format!("there is no stage `{stage}`"));
            error.suggest(stage, stages.map(|known| known.id.as_str()))
        })?;
        let outputs = found.outputs.iter();
        let path = outputs.clone().find(|(name, _)| name == output);
        let (_, path) = path.ok_or_else(|| {
            let error = Error::config(format!("stage `{stage}` has no output `{output}`"));
            error.suggest(output, outputs.map(|(name, _)| name.as_str()))
        })?;
        Ok(self.workspace.out.join(path))
    }

    /// The stages that targets mean; when there are none, everything but opt-in groups.
    ///
    /// # Errors
    /// There is no such target: the hint has the nearest name.
    pub fn select(&self, targets: &[&str]) -> Result<Selection> {
        let targets: Vec<String> = targets.iter().map(|target| (*target).to_owned()).collect();
        self.pipeline.select(&targets, &[])
    }

    /// The view that runs and verifications work on. Who holds the run lock calls it only then: what
    /// another run has just written must be seen.
    ///
    /// # Errors
    /// The cache cannot be opened.
    pub fn context(&self) -> Result<Context<'_>> {
        Ok(self.context_with(self.store()?))
    }

    /// The same view with another cache in place of the one of the workspace, which is not opened.
    pub fn context_with<'b>(&'b self, store: &'b Store) -> Context<'b> {
        Context {
            workspace: &self.workspace,
            kinds: &self.kinds,
            pipeline: &self.pipeline,
            lock: &self.lock,
            baseline: self.baseline.as_ref().unwrap_or(&self.lock),
            store,
            shared: None,
            publisher: self.options.publisher,
            inspector: self.options.inspector,
            standing: None,
        }
    }

    fn store(&self) -> Result<&Store> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let store = Store::open(&self.workspace.cache, self.options.paranoid)?;
        Ok(self.store.get_or_init(|| store))
    }

    /// A stage's id.
    pub fn id(&self, stage: usize) -> &str {
        &self.pipeline.stages[stage].id
    }

    /// The first stage of a kind.
    pub fn of_kind(&self, kind: &str) -> Option<usize> {
        self.all_of_kind(kind).next()
    }

    /// All stages of a kind.
    pub fn all_of_kind<'e>(&'e self, kind: &'e str) -> impl Iterator<Item = usize> + 'e {
        let stages = self.pipeline.stages.iter().enumerate();
        let stages = stages.filter(move |(_, stage)| self.kinds[stage.kind].name() == kind);
        stages.map(|(index, _)| index)
    }
}
