//! What every verb on a pipeline opens: the pipeline as the options mean it.

use crate::console::terminal;
use crate::console::typed::{self, quoted};
use crate::pipeline::scope::Scope;
use crate::program::description::Program;
use retrace::resolve::outputs::followed;
use retrace::resolve::select::Selection;
use retrace::store::workspace::{SPEC_FILE, Workspace};
use retrace::{Context, Engine, OpenOptions, Result, Settings};
use std::cell::OnceCell;
use std::path::{Path, PathBuf};

/// An opened pipeline of a program.
pub struct Session<'a> {
    pub program: &'a Program,
    pub engine: Engine<'a>,
    /// Whether the sources are those of this program; known when the cache is opened.
    is_current: OnceCell<bool>,
    groups: Vec<String>,
}

/// The folders and settings that the command line means; finds pipeline.yaml from the working
/// directory upward.
pub fn locate(program: &Program, scope: &Scope) -> Result<(Workspace, Settings)> {
    let root = Workspace::find_root(Path::new("."))?;
    let settings = settings(scope);
    let options = OpenOptions::new().settings(settings.clone());
    let cache = match &scope.cache_dir {
        Some(folder) => folder.clone(),
        None => root.join(program.cache()),
    };
    let options = options.cache(cache);
    let options = match &scope.out {
        Some(folder) => options.out(folder),
        None => options,
    };
    Ok((options.workspace(root)?, settings))
}

/// Profile and changes that the options mean.
pub fn settings(scope: &Scope) -> Settings {
    Settings {
        profile: scope.profile.clone(),
        sets: scope.sets.clone(),
    }
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

impl<'a> Session<'a> {
    /// Reads and resolves pipeline.yaml. The lock and the cache are opened by the first that asks.
    pub(crate) fn open(program: &'a Program, scope: &Scope) -> Result<Self> {
        let (workspace, settings) = locate(program, scope)?;
        let options = OpenOptions::new()
            .settings(settings.clone())
            .paranoid(scope.paranoid)
            .inspector(&*program.formats)
            .hear(terminal::warn);
        let options = match &program.publisher {
            Some(publisher) => options.publisher(&**publisher),
            None => options,
        };
        let engine = options.open_in(workspace, (program.kinds)())?;
        for (variable, place) in &engine.pipeline.unused {
            terminal::warn(&format!("{place}: nothing uses the variable `{variable}`"));
        }
        tell(&engine.workspace, &settings);
        Ok(Session {
            program,
            engine,
            is_current: OnceCell::new(),
            groups: scope.groups.clone(),
        })
    }

    /// The view that the engine works on. Who holds the run lock calls it only then: what another run
    /// has just written must be seen.
    ///
    /// # Errors
    /// The cache cannot be opened.
    pub fn context(&self) -> Result<Context<'_>> {
        self.is_current()?;
        self.engine.context()
    }

    /// Whether the sources beside pipeline.yaml are those of this program, as far as there are any; if
    /// not, it is said once.
    pub(crate) fn is_current(&self) -> Result<bool> {
        if let Some(is_current) = self.is_current.get() {
            return Ok(*is_current);
        }
        let store = self.engine.context()?.store;
        let root = &self.engine.workspace.root;
        let sources = &self.program.sources;
        let differs = sources.first_difference(root, |path| store.digest_of(path));
        if let Some(file) = differs {
            let build = self.program.build.program;
            terminal::warn(&format!(
                "{file} is not what this program was built from; `{build}` builds it anew"
            ));
        }
        Ok(*self.is_current.get_or_init(|| differs.is_none()))
    }

    /// The stages meant by targets and `--group`; without any, everything but opt-in groups.
    ///
    /// # Errors
    /// There is no such target or group: the hint has the nearest name.
    pub fn select(&self, targets: &[String]) -> Result<Selection> {
        let targets: Vec<String> = targets.iter().map(|t| self.target(t)).collect();
        self.engine.pipeline.select(&targets, &self.groups)
    }

    /// The groups that `--group` named.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// The command that runs what is meant by targets and `--group`, to be typed; `options` are its own. Without them
    /// it would leave opt-in groups out.
    pub fn run_command(&self, targets: &[String], options: &str) -> String {
        let mut words = format!("run{options}");
        for target in targets {
            words += &format!(" {}", quoted(target));
        }
        for group in &self.groups {
            words += &format!(" --group {}", quoted(group));
        }
        typed::command(&words)
    }

    /// As [`Session::select`], but without targets every stage, those of opt-in groups too.
    ///
    /// # Errors
    /// There is no such target or group: the hint has the nearest name.
    pub fn look_at(&self, targets: &[String]) -> Result<Selection> {
        match targets.is_empty() && self.groups.is_empty() {
            true => self.engine.pipeline.everything(),
            false => self.select(targets),
        }
    }

    /// A path from the working directory, or an absolute one, as the path of an output; any other
    /// target as it is.
    fn target(&self, target: &str) -> String {
        let Engine {
            pipeline,
            workspace,
            ..
        } = &self.engine;
        let as_it_is = || target.to_owned();
        if pipeline.knows(target) {
            return as_it_is();
        }
        let Ok(path) = std::path::absolute(target).map(|path| followed(&path)) else {
            return as_it_is();
        };
        let below = |base: &PathBuf| {
            let path = path.strip_prefix(followed(base)).ok()?.to_str()?;
            pipeline.knows(path).then(|| path.to_owned())
        };
        let bases = [&workspace.out, &workspace.root];
        bases.into_iter().find_map(below).unwrap_or_else(as_it_is)
    }

    /// A stage's id.
    pub fn id(&self, stage: usize) -> &str {
        self.engine.id(stage)
    }

    /// Ids with commas between them.
    pub fn ids(&self, stages: impl IntoIterator<Item = usize>) -> String {
        let ids: Vec<&str> = stages.into_iter().map(|stage| self.id(stage)).collect();
        ids.join(", ")
    }
}
