//! What every verb on a pipeline opens: workspace, pipeline, lock, store.

use crate::console::terminal;
use crate::program::program::Program;
use crate::session::scope::Scope;
use retrace::base::digest::Digest;
use retrace::base::error::{Error, ErrorKind, Place, Result};
use retrace::base::files;
use retrace::lock::file::LockFile;
use retrace::resolve::outputs::followed;
use retrace::resolve::select::Selection;
use retrace::resolve::stages::Pipeline;
use retrace::run::plan::Context;
use retrace::spec::file::Spec;
use retrace::spec::settings::Settings;
use retrace::stage::kind::Kind;
use retrace::store::content::Store;
use retrace::store::workspace::{LOCK_FILE, SPEC_FILE, Workspace};
use retrace::yaml::node::MAX_BYTES;
use std::cell::OnceCell;
use std::path::{Path, PathBuf};

/// An opened pipeline.
pub struct Session<'a> {
    pub program: &'a Program,
    pub workspace: Workspace,
    pub kinds: Vec<Box<dyn Kind>>,
    pub pipeline: Pipeline,
    /// pipeline.yaml and the digest of what was in it.
    pub spec: (PathBuf, Digest),
    lock: LockFile,
    /// The repository's lock, where that is another one.
    baseline: Option<LockFile>,
    opened: OnceCell<Opened>,
    paranoid: bool,
    groups: Vec<String>,
}

/// The cache.
struct Opened {
    store: Store,
    /// Whether the sources are those of this program.
    is_current: bool,
}

/// The folders and settings that the command line means; finds pipeline.yaml from the working
/// directory upward.
pub fn locate(program: &Program, scope: &Scope) -> Result<(Workspace, Settings)> {
    let root = Workspace::find_root(Path::new("."))?;
    let settings = Settings {
        profile: scope.profile.clone(),
        sets: scope.sets.clone(),
    };
    let absolute = |path: &PathBuf| {
        let error = |e| Error {
            kind: ErrorKind::Config,
            ..Error::io("use", path, &e)
        };
        std::path::absolute(path).map_err(error)
    };
    let cache = scope.cache_dir.as_ref().map(absolute).transpose()?;
    let out = scope.out.as_ref().map(absolute).transpose()?;
    let cache = cache.unwrap_or_else(|| root.join(program.cache()));
    Ok((Workspace::new(root, cache, out, &settings)?, settings))
}

/// Which files an answer rests on.
fn tell(workspace: &Workspace, settings: &Settings) {
    let spec = workspace.root.join(SPEC_FILE);
    let profile = settings.profile.as_ref();
    let profile = profile.map_or(String::new(), |name| format!(", profile {name}"));
    let sets = settings.sets.iter().map(|set| format!(", with {set}"));
    let sets: String = sets.collect();
    terminal::detail(&format!("pipeline: {}{profile}{sets}", spec.display()));
    terminal::detail(&format!("lock:     {}", workspace.lock_path().display()));
    terminal::detail(&format!("outputs:  {}", workspace.out.display()));
    terminal::detail(&format!("cache:    {}", workspace.cache.display()));
}

fn not_utf8(error: &std::string::FromUtf8Error) -> Error {
    let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
    let line = 1 + good.iter().filter(|&&byte| byte == b'\n').count();
    let column = 1 + good.iter().rev().take_while(|&&byte| byte != b'\n').count();
    let place = Place::file(&SPEC_FILE.into(), line as u64, column as u64);
    let error = Error::config("the file is not UTF-8 from here on").at(&place);
    error.hint("save it as UTF-8")
}

impl<'a> Session<'a> {
    /// Reads and resolves pipeline.yaml. The lock and the cache are opened by the first that asks.
    pub fn open(program: &'a Program, scope: &Scope) -> Result<Self> {
        let (workspace, settings) = locate(program, scope)?;
        let path = workspace.root.join(SPEC_FILE);
        let text = files::read_at_most(&path, MAX_BYTES as u64).map_err(|e| Error {
            kind: ErrorKind::Config,
            ..Error::io("read", &path, &e)
        })?;
        let spec = (path, Digest::of(&text));
        let text = String::from_utf8(text).map_err(|e| not_utf8(&e))?;
        let kinds = (program.kinds)();
        let pipeline = Pipeline::resolve(Spec::parse(SPEC_FILE, &text)?, &kinds, &settings)?;
        pipeline.check_groups()?;
        workspace.check_cache()?;
        for (variable, place) in &pipeline.unused {
            terminal::warn(&format!("{place}: nothing uses the variable `{variable}`"));
        }
        tell(&workspace, &settings);
        let lock_at = |path| LockFile::at(path).telling(terminal::warn);
        let lock = lock_at(workspace.lock_path());
        let baseline = workspace.root.join(LOCK_FILE);
        let baseline = (!workspace.publishes()).then(|| lock_at(baseline));
        Ok(Session {
            program,
            workspace,
            kinds,
            pipeline,
            spec,
            lock,
            baseline,
            opened: OnceCell::new(),
            paranoid: scope.paranoid,
            groups: scope.groups.clone(),
        })
    }

    /// The view that the engine works on. Who holds the run lock calls it only then: what another run
    /// has just written must be seen.
    pub fn context(&self) -> Result<Context<'_>> {
        Ok(Context {
            workspace: &self.workspace,
            kinds: &self.kinds,
            pipeline: &self.pipeline,
            lock: &self.lock,
            baseline: self.baseline.as_ref().unwrap_or(&self.lock),
            store: &self.opened()?.store,
            publisher: self.program.publisher.as_deref(),
            inspector: Some(&*self.program.formats),
        })
    }

    /// Whether the sources beside pipeline.yaml are those of this program, as far as there are any.
    pub fn is_current(&self) -> Result<bool> {
        Ok(self.opened()?.is_current)
    }

    fn opened(&self) -> Result<&Opened> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let store = Store::open(&self.workspace.cache, self.paranoid)?;
        let differs = self
            .program
            .sources
            .first_difference(&self.workspace.root, |path| store.digest_of(path));
        if let Some(file) = &differs {
            terminal::warn(&format!(
                "{file} is not what this program was built from; `{}` builds it anew",
                self.program.build.program
            ));
        }
        let is_current = differs.is_none();
        Ok(self.opened.get_or_init(|| Opened { store, is_current }))
    }

    /// The stages meant by targets and `--group`.
    pub fn select(&self, targets: &[String]) -> Result<Selection> {
        let targets: Vec<String> = targets.iter().map(|t| self.target(t)).collect();
        self.pipeline.select(&targets, &self.groups)
    }

    /// A path from the working directory, or an absolute one, as the path of an output; any other
    /// target as it is.
    fn target(&self, target: &str) -> String {
        let as_it_is = || target.to_owned();
        if self.pipeline.knows(target) {
            return as_it_is();
        }
        let Ok(path) = std::path::absolute(target).map(|path| followed(&path)) else {
            return as_it_is();
        };
        let below = |base: &PathBuf| {
            let path = path.strip_prefix(followed(base)).ok()?.to_str()?;
            self.pipeline.knows(path).then(|| path.to_owned())
        };
        let bases = [&self.workspace.out, &self.workspace.root];
        bases.into_iter().find_map(below).unwrap_or_else(as_it_is)
    }

    /// The first stage of a kind.
    pub fn of_kind(&self, kind: &str) -> Option<usize> {
        let stages = &mut self.pipeline.stages.iter();
        stages.position(|stage| self.kinds[stage.kind].name() == kind)
    }

    /// A stage's id.
    pub fn id(&self, stage: usize) -> &str {
        &self.pipeline.stages[stage].id
    }

    /// Ids with commas between them.
    pub fn ids(&self, stages: impl IntoIterator<Item = usize>) -> String {
        let ids: Vec<&str> = stages.into_iter().map(|stage| self.id(stage)).collect();
        ids.join(", ")
    }
}
