//! Verb `export`: results and what they were made of as a package for others.
//!
//! Gathers facts from pipeline.lock and the files that are there; [`crate_graph`] says them in JSON-LD.
//! Runs nothing. A file that is not what the lock records is refused: the crate would say that a run
//! made it.

use crate::verbs::export::citation::{self, Citation};
use crate::verbs::export::crate_graph::{self, Artifact, Facts, FileFacts, METADATA, StageRun};
use crate::verbs::export::day;
use crate::verbs::export::licences::{self, Licences};
use clap::Args;
use retrace::base::digest::Digest;
use retrace::base::error::{Error, ErrorKind, Place, Result};
use retrace::base::files;
use retrace::base::location::resolve;
use retrace::lock::file::Block;
use retrace::stage::boundary;
use retrace::stage::publication::PUBLISHED;
use retrace::stage::stage::{Source, Stage};
use retrace::store::workspace::{LOCK_FILE, SPEC_FILE, Workspace};
use retrace_cli::Session;
use retrace_cli::exit;
use retrace_cli::terminal::{self, count};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct RoCrateArgs {
    /// Stage ids, globs, groups or output paths; none means everything; of opt-in groups what ran
    pub targets: Vec<String>,
    /// The folder to make; it must not exist, or be empty
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// The day of publication, YYYY-MM-DD [default: date-released in CITATION.cff, else the day on which
    /// pipeline.lock was last committed]
    #[arg(long, value_name = "DAY")]
    pub date: Option<String>,
    /// Copy also the artifacts that stages exchange
    #[arg(long)]
    pub all: bool,
    /// Copy no file: write only ro-crate-metadata.json, which describes them
    #[arg(long)]
    pub metadata_only: bool,
}

/// Files of the repository that belong to every crate.
const PAPERS: [&str; 4] = [SPEC_FILE, citation::FILE, "LICENSE", "README.md"];
/// More missing files than this are counted, not listed.
const SHOWN: usize = 5;

/// Makes a Workflow Run RO-Crate.
pub fn ro_crate(session: &Session, args: &RoCrateArgs) -> Result<u8> {
    check_free(&args.to)?;
    let Workspace { root, cache, .. } = &session.engine.workspace;
    boundary::check_package(root, cache, &resolve(&args.to)?)?;
    let mut gathered = Gathered::default();
    let citation = read_citation(&session.engine.workspace.root)?;
    let published = day::of(args.date.as_deref(), &citation, root)?;
    let runs = gathered.runs(session, args)?;
    for name in PAPERS {
        gathered.add(name, session.engine.workspace.root.join(name));
    }
    gathered.add(LOCK_FILE, session.engine.workspace.lock_path());
    let licences = gathered.licences(root)?;
    let asked = session.ids(session.look_at(&args.targets)?.targets);
    let found = gathered.read(session, &asked)?;
    let facts = Facts {
        citation,
        published,
        licences,
        files: found,
        runs,
    };
    if !args.metadata_only {
        for (name, from) in &gathered.files {
            files::copy(from, &args.to.join(name), facts.files[name].blake3)?;
        }
    }
    // Last, so that a folder that has it is whole.
    files::write(
        &args.to.join(METADATA),
        crate_graph::text(&facts).as_bytes(),
    )?;
    let stages = count(facts.runs.len(), "stage");
    let size: u64 = facts.files.values().map(|file| file.bytes).sum();
    let copied = if args.metadata_only {
        "described"
    } else {
        "copied"
    };
    terminal::summary(&format!(
        "{}: runs of {stages}; {} ({size} bytes) {copied}\n",
        args.to.display(),
        count(facts.files.len(), "file"),
    ));
    Ok(exit::OK)
}

/// Files for the crate: the path there, and where each is now.
#[derive(Default)]
struct Gathered {
    files: BTreeMap<String, PathBuf>,
    /// Outputs with the stage that makes each and the digest that it must have.
    expected: BTreeMap<String, (String, Digest)>,
}

impl Gathered {
    fn add(&mut self, name: impl Into<String>, at: PathBuf) {
        self.files.insert(name.into(), at);
    }

    /// The licences of the inputs, whose texts go with them.
    fn licences(&mut self, root: &Path) -> Result<Licences> {
        let path = root.join(licences::FILE);
        let text = std::fs::read_to_string(&path).map_err(|e| {
            let hint = "a crate says from it under which licence the inputs are";
            Error::io("read", &path, &e).hint(hint)
        })?;
        let licences = Licences::parse(&text)?;
        licences.check(self.files.keys().map(String::as_str))?;
        let mut texts: Vec<String> = Vec::new();
        for name in self.files.keys() {
            texts.extend(licences.of(name).flat_map(|licence| licence.texts.clone()));
        }
        for text in texts {
            let from = root.join(&text);
            self.add(text, from);
        }
        Ok(licences)
    }

    /// The recorded runs of what is asked for and all that it rests on.
    fn runs(&mut self, session: &Session, args: &RoCrateArgs) -> Result<Vec<StageRun>> {
        let selection = session.look_at(&args.targets)?;
        let context = session.context()?;
        context.check_inputs(&selection)?;
        let lock = context.lock.get()?;
        let mut runs = Vec::new();
        let mut recorded = BTreeMap::new();
        let mut outdated = Vec::new();
        for &index in &selection.closure {
            let stage = &session.engine.pipeline.stages[index];
            let Some(block) = lock.stages.get(&stage.id) else {
                // Nobody asked for it, and it never ran.
                if selection.unasked.contains(&index) {
                    continue;
                }
                outdated.push(stage.id.as_str());
                continue;
            };
            let outputs = block.outputs.iter();
            let outputs = outputs.map(|(name, record)| (name.clone(), record.digest));
            recorded.insert(index, outputs.collect());
            let inputs = context.input_digests(stage, |upstream| recorded.get(&upstream))?;
            let key = inputs.map(|inputs| context.key(stage, inputs).digest());
            // Without a file that only its user knows there is no key to compare.
            let is_unknown = key.is_none() && !context.absent_inputs(stage).is_empty();
            if key != Some(block.key) && !is_unknown {
                outdated.push(stage.id.as_str());
                continue;
            }
            runs.push(self.stage_run(session, stage, block, args.all));
        }
        if outdated.is_empty() {
            return Ok(runs);
        }
        let shown = outdated[..outdated.len().min(SHOWN)].join(" ");
        let message = format!(
            "{LOCK_FILE} does not record {} as {SPEC_FILE} and the code now are: {shown}",
            count(outdated.len(), "stage"),
        );
        let hint = format!("make them with {}", command(session, &outdated));
        Err(Error::of(ErrorKind::Differs, message).hint(hint))
    }

    fn stage_run(
        &mut self,
        session: &Session,
        stage: &Stage,
        block: &Block,
        all: bool,
    ) -> StageRun {
        let inputs = stage.inputs.iter().filter_map(|input| {
            let (path, from) = match &input.source {
                Source::File(path) => (path.clone(), None),
                Source::Output { stage, output } | Source::Recorded { stage, output } => {
                    let maker = &session.engine.pipeline.stages[*stage];
                    let of = maker.outputs.iter().find(|(name, _)| name == output);
                    let path = of.map(|(_, path)| path.clone()).unwrap_or_default();
                    let kind = session.engine.kinds[maker.kind].name().to_owned();
                    (path, Some((kind, output.clone())))
                }
            };
            let name = shown(&path);
            // A file that people supply themselves is theirs to pass on: the crate names it.
            if from.is_none() && input.supplied.is_none() {
                self.add(&name, session.engine.workspace.root.join(&path));
            }
            Some(Artifact {
                name: input.role.clone(),
                path: name,
                recorded: *block.parts.as_ref()?.inputs.get(&input.key_name())?,
                from,
            })
        });
        let inputs = inputs.collect();
        let outputs = stage.outputs.iter().filter_map(|(name, path)| {
            let record = block.outputs.get(name)?;
            if all || path.starts_with(PUBLISHED) {
                self.add(shown(path), session.engine.workspace.out.join(path));
                let expected = (stage.id.clone(), record.file_digest());
                self.expected.insert(shown(path), expected);
            }
            Some(Artifact {
                name: name.clone(),
                path: shown(path),
                recorded: record.digest,
                from: None,
            })
        });
        StageRun {
            id: stage.id.clone(),
            kind: session.engine.kinds[stage.kind].name().to_owned(),
            key: block.key,
            params: block
                .parts
                .as_ref()
                .map(|parts| parts.params.clone())
                .unwrap_or_default(),
            outputs: outputs.collect(),
            inputs,
        }
    }

    /// Reads every file; outputs must be what the lock records.
    fn read(&self, session: &Session, asked: &str) -> Result<BTreeMap<String, FileFacts>> {
        let mut found = BTreeMap::new();
        let (mut missing, mut makers, mut differing) = (Vec::new(), Vec::new(), Vec::new());
        for (name, path) in &self.files {
            let expected = self.expected.get(name);
            let bytes = match (std::fs::read(path), expected) {
                (Ok(bytes), _) => bytes,
                (Err(e), Some((stage, _))) if e.kind() == std::io::ErrorKind::NotFound => {
                    missing.push(name.as_str());
                    makers.push(stage.as_str());
                    continue;
                }
                (Err(e), _) => return Err(Error::io("read", path, &e)),
            };
            let blake3 = Digest::of(&bytes);
            if let Some((stage, _)) = expected.filter(|(_, expected)| *expected != blake3) {
                differing.push(name.as_str());
                makers.push(stage.as_str());
            }
            let sha256 = Sha256::digest(&bytes);
            let facts = FileFacts {
                bytes: bytes.len() as u64,
                blake3,
                sha256: sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
            };
            found.insert(name.clone(), facts);
        }
        makers.sort_unstable();
        makers.dedup();
        let list = |names: &[&str]| {
            let more = names.len().saturating_sub(SHOWN);
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            format!("{}{more}", names[..names.len().min(SHOWN)].join(", "))
        };
        let hint = format!(
            "make what is asked for ({}) with {}",
            shortened(asked),
            command(session, &makers)
        );
        if !missing.is_empty() {
            let what = count(missing.len(), "output");
            let message = format!("{what} missing: {}", list(&missing));
            return Err(Error::failed(message).hint(hint));
        }
        if !differing.is_empty() {
            let what = count(differing.len(), "output");
            let message = format!("{what} not as in {LOCK_FILE}: {}", list(&differing));
            return Err(Error::of(ErrorKind::Differs, message).hint(hint));
        }
        Ok(found)
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// What makes these stages: by name where they are few.
fn command(session: &Session, ids: &[&str]) -> String {
    if ids.len() <= SHOWN {
        return format!("`icl-repro run {}`", ids.join(" "));
    }
    let pipeline = &session.engine.pipeline;
    let stages = pipeline.stages.iter().enumerate();
    let stages = stages.filter(|(_, stage)| ids.contains(&stage.id.as_str()));
    let groups = pipeline.opt_in_groups(&stages.map(|(index, _)| index).collect());
    let groups = groups
        .iter()
        .map(|group| format!(" and `icl-repro run --group {group}`"));
    format!("`icl-repro run`{}", groups.collect::<String>())
}

fn shortened(ids: &str) -> String {
    match ids.split(", ").count() {
        0..=SHOWN => ids.to_owned(),
        more => format!("{more} stages"),
    }
}

/// Refuses a folder in which something is: it would be taken for a part of the crate.
fn check_free(folder: &Path) -> Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => false,
        Err(e) => return Err(Error::io("use", folder, &e)),
    };
    if entries {
        let message = format!("{} is not empty", folder.display());
        let error = Error::config(message).at(&Place::whole("--to"));
        return Err(error.hint("remove it, or name another folder"));
    }
    Ok(())
}

fn read_citation(root: &Path) -> Result<Citation> {
    let path = root.join(citation::FILE);
    let text = std::fs::read_to_string(&path).map_err(|e| {
        Error::io("read", &path, &e).hint("a crate takes title, licence and authors from it")
    })?;
    Citation::parse(&text)
}
