//! A pipeline without science: stages that join texts, in a temporary repository.

use retrace::base::digest::Digest;
use retrace::base::error::{Error, Result};
use retrace::lock::file::LockFile;
use retrace::resolve::stages::Pipeline;
use retrace::run::event::Event;
use retrace::run::inspection::Inspector;
use retrace::run::plan::{Context, State};
use retrace::run::schedule::{Options, Run};
use retrace::run::settle::Summary;
use retrace::spec::file::Spec;
use retrace::spec::settings::Settings;
use retrace::stage::key::Code;
use retrace::stage::kind::{Io, Job, Kind, Role, any, optional};
use retrace::stage::look::Look;
use retrace::stage::publication::{Apart, Publisher};
use retrace::store::content::Store;
use retrace::store::stat::SETTLED;
use retrace::store::workspace::Workspace;
use retrace::upkeep::confirm::{Confirmed, Question};
use retrace::yaml::node::Node;
use retrace::yaml::typed;
use serde::{Deserialize, Serialize};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a toy stage does besides joining.
pub type Hook = dyn Fn(&str, &Io) -> Result<()> + Send + Sync;

/// Kind `join`: writes its text, then the contents of `parts`. Kind `tell` adds its trace, kind `vary` may make
/// other bytes elsewhere, kind `pair` has a picture beside its output, kind `walk` finds what it reads.
struct Join {
    name: &'static str,
    code: Arc<Code>,
    runs: Arc<Mutex<Vec<String>>>,
    hook: Arc<Hook>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    text: String,
    /// Enters the key but not the output.
    #[serde(default)]
    note: String,
    /// How many cores it says that it uses; not in the key.
    #[serde(default = "one", skip_serializing)]
    cores: usize,
    /// What of its work it says that it shares; not in the key.
    #[serde(default, skip_serializing)]
    shares: Option<String>,
}

fn one() -> usize {
    1
}

struct JoinJob {
    params: Params,
    runs: Arc<Mutex<Vec<String>>>,
    hook: Arc<Hook>,
}

const INPUTS: &[Role] = &[any("parts"), optional("file")];

impl Kind for Join {
    fn name(&self) -> &str {
        self.name
    }

    fn inputs(&self) -> &[Role] {
        INPUTS
    }

    fn outputs(&self) -> Vec<String> {
        match self.name {
            "pair" => vec!["out".into(), "picture".into()],
            _ => vec!["out".into()],
        }
    }

    fn may_vary(&self) -> bool {
        self.name == "vary"
    }

    fn code(&self) -> &Arc<Code> {
        &self.code
    }

    fn variations(&self) -> &[(&'static str, &'static str)] {
        match self.name {
            "walk" => &[("loud", "how loud it is"), ("quiet", "how quiet it is")],
            _ => &[],
        }
    }

    fn reads_trace(&self) -> bool {
        self.name == "tell"
    }

    fn job(&self, params: &Node) -> Result<Box<dyn Job>> {
        if self.name == "walk" {
            return Ok(Box::new(WalkJob {
                params: typed::from_node(params)?,
                runs: self.runs.clone(),
            }));
        }
        Ok(Box::new(JoinJob {
            params: typed::from_node(params)?,
            runs: self.runs.clone(),
            hook: self.hook.clone(),
        }))
    }
}

impl Job for JoinJob {
    fn cores(&self) -> usize {
        self.params.cores
    }

    fn shares(&self) -> Option<String> {
        self.params.shares.clone()
    }

    fn params(&self) -> Arc<serde_json::Value> {
        Arc::new(serde_json::to_value(&self.params).expect("plain data"))
    }

    fn run(&self, io: &Io) -> Result<()> {
        self.runs
            .lock()
            .expect("no panic")
            .push(self.params.text.clone());
        let mut text = format!("{}(", self.params.text);
        let roles = ["parts", "file", "trace"];
        for (_, path) in roles.iter().flat_map(|role| io.inputs(role)) {
            text += &std::fs::read_to_string(path).map_err(|e| Error::io("read", path, &e))?;
        }
        io.write("out", (text + ")").as_bytes())?;
        (self.hook)(&self.params.text, io)
    }
}

/// Reads the file that its text names, and what that names: a line `read FILE` stands for a file, `list FOLDER`
/// for the names in a folder. Whatever it looks at it tells.
struct WalkJob {
    params: Params,
    runs: Arc<Mutex<Vec<String>>>,
}

impl Job for WalkJob {
    fn params(&self) -> Arc<serde_json::Value> {
        Arc::new(serde_json::to_value(&self.params).expect("plain data"))
    }

    fn is_watched(&self) -> bool {
        true
    }

    fn run(&self, io: &Io) -> Result<()> {
        let start = &self.params.text;
        self.runs.lock().expect("no panic").push(start.clone());
        let root = &io.repository()?.root;
        let mut text = walked(root, start, 0, &|look| io.saw(look));
        if io.variation() == Some("loud") {
            text.push('!');
        }
        io.write("out", text.as_bytes())
    }
}

/// What `walk` makes of a file, telling what it looks at.
pub fn walked(root: &Path, path: &str, depth: usize, saw: &dyn Fn(Look)) -> String {
    const DEEPEST: usize = 6;
    saw(Look::At(path.to_owned()));
    let Ok(text) = std::fs::read_to_string(root.join(path)) else {
        return "none;".into();
    };
    if depth == DEEPEST {
        return "deep;".into();
    }
    let line = |line: &str| match line.split_once(' ') {
        Some(("read", next)) => walked(root, next, depth + 1, saw),
        Some(("list", folder)) => {
            saw(Look::Names(folder.to_owned()));
            let entries = std::fs::read_dir(root.join(folder))
                .into_iter()
                .flatten()
                .flatten();
            let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
            let mut names: Vec<String> = names.filter(|name| name != "__pycache__").collect();
            names.sort();
            names.join(",") + ";"
        }
        _ => format!("{line};"),
    };
    text.lines().map(line).collect()
}

/// Signs text files: adds a line with its own words and who made the file.
pub struct Signature {
    code: Arc<Code>,
    pub words: String,
}

impl Signature {
    /// Other words are other code.
    pub fn new(words: &str) -> Self {
        Signature {
            code: code("signature.rs", words),
            words: words.to_owned(),
        }
    }
}

impl Publisher for Signature {
    fn code(&self) -> &Arc<Code> {
        &self.code
    }

    fn applies(&self, path: &Path) -> bool {
        path.extension().is_some_and(|extension| extension == "txt")
    }

    fn embed(&self, _: &Path, content: &[u8], provenance: &serde_json::Value) -> Result<Vec<u8>> {
        let line = format!("\n{}: {provenance}", self.words);
        Ok([content, line.as_bytes()].concat())
    }

    fn format(&self, _: &[u8]) -> Option<&'static str> {
        Some("text")
    }

    fn take_apart(&self, file: &[u8]) -> std::result::Result<Apart, String> {
        let signature = format!("\n{}: ", self.words);
        let text = String::from_utf8_lossy(file);
        let (content, record) = match text.rsplit_once(&signature) {
            Some((content, record)) => (content, Some(record.to_owned())),
            None => (&*text, None),
        };
        Ok(Apart {
            provenance: record,
            content: content.as_bytes().to_vec(),
        })
    }
}

fn code(name: &str, version: &str) -> Arc<Code> {
    Arc::new(Code::new(version, [(name.into(), version.into())]))
}

/// Where its cache is.
pub const CACHE: &str = ".icl-repro";

/// A repository in a temporary folder.
pub struct Repo {
    pub folder: tempfile::TempDir,
    pub hook: Arc<Hook>,
    pub code: String,
    pub cancelled: AtomicBool,
    /// Whether a run first asks for a conclusion that still holds.
    pub shortcut: bool,
    /// How old stamps must be to be trusted.
    pub settled: Duration,
    /// What files below `figures/` are given; `None` for nothing.
    pub publisher: Option<Signature>,
    /// Looks at files before stages read them.
    pub inspector: Option<Box<dyn Inspector>>,
    runs: Arc<Mutex<Vec<String>>>,
}

/// How to run; plain by default.
#[derive(Default)]
pub struct Ask<'a> {
    pub targets: &'a [&'a str],
    pub profile: Option<&'a str>,
    pub sets: &'a [&'a str],
    pub force: bool,
    pub keep_going: bool,
    pub as_recorded: bool,
    pub accept: bool,
    pub workers: Option<usize>,
}

impl Ask<'_> {
    fn settings(&self) -> Settings {
        Settings {
            profile: self.profile.map(str::to_owned),
            sets: self.sets.iter().map(|set| set.to_string()).collect(),
        }
    }
}

impl Repo {
    pub fn new(yaml: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repo = Repo {
            folder,
            hook: Arc::new(|_, _| Ok(())),
            code: "1".into(),
            cancelled: AtomicBool::new(false),
            shortcut: false,
            settled: SETTLED,
            publisher: None,
            inspector: None,
            runs: Arc::default(),
        };
        repo.write("pipeline.yaml", yaml);
        repo
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// Waits until a change of a file gets another time than all before, where stamps are trusted
    /// sooner than they settle.
    pub fn wait_for_the_clock(&self) {
        let path = self.path("clock");
        let touch = || {
            std::fs::write(&path, "").expect("a file");
            let meta = std::fs::metadata(&path).expect("a file");
            (meta.ctime(), meta.ctime_nsec())
        };
        let start = touch();
        while self.settled < SETTLED && touch() == start {}
    }

    /// The texts of the stages that ran since the last call, sorted.
    pub fn take_runs(&self) -> Vec<String> {
        let mut runs = std::mem::take(&mut *self.runs.lock().expect("no panic"));
        runs.sort();
        runs
    }

    /// Opens everything and hands it to `act`.
    pub fn with<T>(&self, ask: &Ask, act: impl FnOnce(&Context) -> Result<T>) -> Result<T> {
        let kind = |name| -> Box<dyn Kind> {
            Box::new(Join {
                name,
                code: code("join.rs", &self.code),
                runs: self.runs.clone(),
                hook: self.hook.clone(),
            })
        };
        let kinds: Vec<Box<dyn Kind>> = ["join", "tell", "vary", "pair", "walk"]
            .map(kind)
            .into_iter()
            .collect();
        let settings = ask.settings();
        let spec = Spec::parse("pipeline.yaml", &self.read("pipeline.yaml"))?;
        let pipeline = Pipeline::resolve(spec, &kinds, &settings)?;
        pipeline.check_groups()?;
        let workspace = self.workspace(&settings)?;
        workspace.check_cache()?;
        let lock = LockFile::at(workspace.lock_path());
        let store = Store::open(&workspace.cache, false)?.settled_after(self.settled);
        act(&Context {
            workspace: &workspace,
            kinds: &kinds,
            pipeline: &pipeline,
            lock: &lock,
            baseline: &lock,
            store: &store,
            shared: None,
            publisher: self.publisher.as_ref().map(|p| p as &dyn Publisher),
            inspector: self.inspector.as_deref(),
            standing: None,
        })
    }

    fn workspace(&self, settings: &Settings) -> Result<Workspace> {
        let root = Workspace::find_root(self.folder.path())?;
        Workspace::new(root.clone(), root.join(CACHE), None, settings)
    }

    /// Runs; the summary says what happened.
    pub fn run(&self, ask: &Ask) -> Result<Summary> {
        self.run_observed(ask, &|_| {})
    }

    pub fn run_observed(&self, ask: &Ask, observer: &(dyn Fn(Event) + Sync)) -> Result<Summary> {
        let settings = ask.settings();
        let workspace = self.workspace(&settings)?;
        let targets: Vec<String> = ask.targets.iter().map(|t| t.to_string()).collect();
        let question = Question {
            program: Digest::of(self.code.as_bytes()),
            workspace: &workspace,
            settings: &settings,
            targets: &targets,
            groups: &[],
            downstream: false,
        };
        let answer = (self.shortcut && !ask.force).then(|| question.answer());
        if let Some(Confirmed {
            stages,
            outputs,
            left_out,
        }) = answer.flatten()
        {
            return Ok(Summary {
                fresh: stages,
                outputs,
                outputs_equal: outputs,
                left_out,
                ..Summary::default()
            });
        }
        let yaml = Digest::of(self.read("pipeline.yaml").as_bytes());
        self.with(ask, |context| {
            // A process that another test starts has the lock's file, too, until it is another program.
            let _held = context.workspace.lock_for_run(true, |_| {})?;
            let selection = context.pipeline.select(&targets, &[])?;
            let options = Options {
                workers: ask.workers.unwrap_or(2),
                force: ask.force,
                keep_going: ask.keep_going,
                as_recorded: ask.as_recorded,
                accept: ask.accept,
                variation: None,
            };
            let summary = Run {
                context,
                options: &options,
                selection: &selection,
                given: &std::collections::BTreeMap::new(),
                prepare: &|| Ok(()),
                observer,
                cancelled: &self.cancelled,
            }
            .execute()?;
            question.keep(&summary, context, &[(self.path("pipeline.yaml"), yaml)])?;
            Ok(summary)
        })
    }

    /// The state of every stage by id.
    pub fn states(&self) -> Vec<(String, State)> {
        let plan = self.with(&Ask::default(), |context| {
            let plan = context.plan(&context.pipeline.select(&[], &[])?)?;
            let named =
                |(stage, state): (usize, State)| (context.pipeline.stages[stage].id.clone(), state);
            Ok(plan.states.into_iter().map(named).collect())
        });
        plan.expect("the pipeline is readable")
    }
}
