//! What every verb on a pipeline opens: workspace, pipeline, lock, store.

use crate::cli::args::Scope;
use crate::cli::terminal;
use crate::pipeline::error::{Error, ErrorKind, Result};
use crate::pipeline::kind::Kind;
use crate::pipeline::lock::Lock;
use crate::pipeline::plan::Context;
use crate::pipeline::resolve::{Pipeline, Settings};
use crate::pipeline::select::Selection;
use crate::pipeline::spec::Spec;
use crate::pipeline::store::Store;
use crate::pipeline::workspace::{LOCK_FILE, SPEC_FILE, Workspace};
use crate::stages::code;
use crate::stages::registry;
use std::path::{Path, PathBuf};

/// An opened pipeline.
pub struct Session {
    pub workspace: Workspace,
    pub kinds: Vec<Box<dyn Kind>>,
    pub pipeline: Pipeline,
    pub lock: Lock,
    baseline: Lock,
    pub store: Store,
    groups: Vec<String>,
}

impl Session {
    /// Finds pipeline.yaml from the working directory upward, and reads all that verbs need.
    pub fn open(scope: &Scope) -> Result<Self> {
        let root = Workspace::find_root(Path::new("."))?;
        if let Some(file) = code::first_difference(&root) {
            terminal::warn(&format!(
                "{file} is not what this program was built from; `make` builds it anew"
            ));
        }
        let path = root.join(SPEC_FILE);
        let text = std::fs::read(&path).map_err(|e| Error::io("read", &path, &e))?;
        let text = String::from_utf8(text)
            .map_err(|e| Error::config(format!("{SPEC_FILE} is not UTF-8: {e}")))?;
        let kinds = registry::kinds();
        let settings = Settings {
            profile: scope.profile.clone(),
            sets: scope.sets.clone(),
        };
        let pipeline = Pipeline::resolve(Spec::parse(SPEC_FILE, &text)?, &kinds, &settings)?;
        pipeline.check_groups()?;
        let absolute = |path: &PathBuf| {
            let error = |e| Error {
                kind: ErrorKind::Config,
                ..Error::io("use", path, &e)
            };
            std::path::absolute(path).map_err(error)
        };
        let cache = scope.cache_dir.as_ref().map(absolute).transpose()?;
        let out = scope.out.as_ref().map(absolute).transpose()?;
        let workspace = Workspace::new(root, cache, out, &settings);
        workspace.check_cache()?;
        let lock = Lock::read(&workspace.lock_path())?;
        let baseline = Lock::read(&workspace.root.join(LOCK_FILE))?;
        let store = Store::new(&workspace.cache, scope.paranoid);
        Ok(Session {
            workspace,
            kinds,
            pipeline,
            lock,
            baseline,
            store,
            groups: scope.groups.clone(),
        })
    }

    /// The view that the engine works on.
    pub fn context(&self) -> Context<'_> {
        Context {
            workspace: &self.workspace,
            kinds: &self.kinds,
            pipeline: &self.pipeline,
            lock: &self.lock,
            baseline: &self.baseline,
            store: &self.store,
        }
    }

    /// The stages meant by targets and `--group`.
    pub fn select(&self, targets: &[String]) -> Result<Selection> {
        self.pipeline.select(targets, &self.groups)
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
