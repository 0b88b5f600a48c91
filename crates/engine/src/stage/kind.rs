//! What the engine and a stage kind promise each other.
//!
//! A kind turns parameters into a [`Job`]; a job reads its inputs and writes its declared outputs.
//! The engine knows nothing else of what stages do, and stages know nothing of keys, caches or other
//! stages.

use crate::base::digest::Digest;
use crate::base::error::{Error, Result};
use crate::stage::columns::{Placed, Wanted};
use crate::stage::key::Code;
use crate::yaml::node::Node;
use crate::yaml::typed;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use crate::stage::io::{Io, Progress, Repository, read};

/// How many artifacts a role takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// Exactly one.
    One,
    /// At most one.
    Optional,
    /// At least one, each with a label: the item of a matrix, or a name given in pipeline.yaml.
    Many,
    /// As [`Arity::Many`], or none.
    Any,
}

/// An input that a kind expects.
#[derive(Clone, Debug)]
pub struct Role {
    pub name: Cow<'static, str>,
    pub arity: Arity,
}

/// A role that takes exactly one artifact.
pub const fn one(name: &'static str) -> Role {
    Role {
        name: Cow::Borrowed(name),
        arity: Arity::One,
    }
}

/// A role that takes one artifact or none.
pub const fn optional(name: &'static str) -> Role {
    Role {
        name: Cow::Borrowed(name),
        arity: Arity::Optional,
    }
}

/// A role that takes an artifact for each item of a matrix.
pub const fn many(name: &'static str) -> Role {
    Role {
        name: Cow::Borrowed(name),
        arity: Arity::Many,
    }
}

/// A role that takes any number of artifacts, also none.
pub const fn any(name: &'static str) -> Role {
    Role {
        name: Cow::Borrowed(name),
        arity: Arity::Any,
    }
}

/// A stage kind as its author writes it: typed parameters, roles, named outputs, one function.
pub trait StageKind: Send + Sync + 'static {
    /// The name in pipeline.yaml.
    const NAME: &'static str;
    /// The source file that implements it, `file!()`: where its code digest starts.
    const SOURCE: &'static str;
    /// The roles it reads.
    const INPUTS: &'static [Role];
    /// The outputs it writes, all of them, every time: each a name, or the name and how its file ends, as
    /// `model.json`, where pipeline.yaml gives no path.
    const OUTPUTS: &'static [&'static str];
    /// Its parameters. What serialises is what enters the key.
    type Params: DeserializeOwned + Serialize + JsonSchema + Send + Sync + 'static;

    /// Whether it reads the trace of the stages before it (what ran, from what, with which outputs; see
    /// `resolve::trace`), as role `trace`.
    const READS_TRACE: bool = false;

    /// Whether the same params and inputs may give other bytes elsewhere, as on a GPU: pipeline.yaml then says
    /// how its outputs compare. Nothing that can be equal may say so.
    const MAY_VARY: bool = false;

    /// What of its work stages of this kind share that have the same inputs and say the same here: where several of
    /// them can run, they run side by side and meet in [`Io::gather`]. `None` where nothing is to be shared.
    fn shares(_params: &Self::Params) -> Option<String> {
        None
    }

    /// Checks what a single field's type cannot. A message that begins with the path of a param, as
    /// `panels.0.legend: ...`, is reported where that param stands.
    fn check(_params: &Self::Params) -> std::result::Result<(), String> {
        Ok(())
    }

    /// The columns of an output that is a table; `None` where it is none, or where only the inputs tell.
    fn columns(_output: &str, _params: &Self::Params) -> Option<Vec<String>> {
        None
    }

    /// The columns that it reads of tables among its inputs: one that is not there is told before
    /// anything runs.
    fn wants(_params: &Self::Params) -> Vec<Wanted> {
        Vec::new()
    }

    /// Reads the inputs, writes every output. May depend on nothing but `params` and the inputs. An
    /// error whose message begins with the path of a param is reported where that param stands.
    fn run(params: &Self::Params, io: &Io) -> Result<()>;
}

/// A kind as the engine sees it, its types erased.
pub trait Kind: Send + Sync {
    fn name(&self) -> &str;
    fn inputs(&self) -> &[Role];
    fn outputs(&self) -> Vec<String>;
    /// Whether its stages name their inputs and outputs themselves: any role takes any number of artifacts.
    fn is_open(&self) -> bool {
        false
    }
    /// What the file of an output is called where pipeline.yaml gives it no path.
    fn file(&self, output: &str) -> String {
        output.to_owned()
    }
    fn code(&self) -> &Arc<Code>;
    /// The JSON Schema of its parameters, for editors; anything goes where a kind has none.
    fn schema(&self, _generator: &mut SchemaGenerator) -> Schema {
        Schema::default()
    }
    /// Whether its stages read the trace of the stages before them.
    fn reads_trace(&self) -> bool {
        false
    }
    /// Whether its stages may make other bytes elsewhere, see [`StageKind::MAY_VARY`].
    fn may_vary(&self) -> bool {
        false
    }
    /// Circumstances that its stages can be run under to see whether what they make depends on them: each a
    /// name, which [`Io::variation`] tells the stage, and in words what is other.
    fn variations(&self) -> &[(&'static str, &'static str)] {
        &[]
    }
    /// Reads and checks parameters; errors carry their place.
    fn job(&self, params: &Node) -> Result<Box<dyn Job>>;
}

/// A stage with its parameters, ready to run.
pub trait Job: Send + Sync {
    /// The parameters, typed and with defaults filled in: a float is a float also when whole.
    fn params(&self) -> Arc<serde_json::Value>;
    /// The columns of an output, see [`StageKind::columns`].
    fn columns(&self, _output: &str) -> Option<Vec<String>> {
        None
    }
    /// The columns that it reads, see [`StageKind::wants`].
    fn wants(&self) -> Vec<Placed> {
        Vec::new()
    }
    /// What of its work it shares, see [`StageKind::shares`].
    fn shares(&self) -> Option<String> {
        None
    }
    /// Tells the job where what it reads and writes stands in the repository: before anything else is asked,
    /// and only where the kind is open, for its jobs may show these places to what they run.
    ///
    /// # Errors
    /// The parameters name an input or output that is not there.
    fn bind(&mut self, _bound: Bound) -> Result<()> {
        Ok(())
    }
    /// How many cores it uses while it runs; what a stage of this program does in parallel shares one pool and
    /// counts as one.
    fn cores(&self) -> usize {
        1
    }
    /// Whether it may make other bytes elsewhere; see also [`Kind::may_vary`].
    fn may_vary(&self) -> bool {
        false
    }
    /// Whether it reads what no input names, and tells of it while it runs ([`Io::saw`]).
    fn is_watched(&self) -> bool {
        false
    }
    /// The digest of something outside of the repository at `root`, by a name that the job told while it ran.
    fn outside(&self, _root: &Path, _name: &str) -> Option<Digest> {
        None
    }
    fn run(&self, io: &Io) -> Result<()>;
}

/// Where a stage's inputs and outputs stand in the repository.
#[derive(Clone, Debug, Default)]
pub struct Bound {
    /// Role, label, path below the root.
    pub inputs: Vec<(String, String, PathBuf)>,
    /// Name and path below the root of the outputs.
    pub outputs: Vec<(String, PathBuf)>,
}

/// The role of a kind that is called so.
pub(crate) fn role(kind: &dyn Kind, name: &str) -> Option<Role> {
    let known = kind.inputs().iter().find(|role| role.name == name);
    let open = || {
        kind.is_open().then(|| Role {
            name: Cow::Owned(name.to_owned()),
            arity: Arity::Any,
        })
    };
    known.cloned().or_else(open)
}

/// A [`StageKind`] with the digests of the code that it can reach.
pub struct Registered<K> {
    code: Arc<Code>,
    kind: std::marker::PhantomData<K>,
}

impl<K: StageKind> Registered<K> {
    /// Registers `K`; `code` is all that can affect its outputs.
    pub fn new(code: Code) -> Self {
        Registered {
            code: Arc::new(code),
            kind: std::marker::PhantomData,
        }
    }
}

impl Arity {
    /// Whether artifacts of the role have labels.
    pub(crate) fn is_labelled(self) -> bool {
        matches!(self, Arity::Many | Arity::Any)
    }

    /// Whether a stage must have an artifact for the role.
    pub(crate) fn is_required(self) -> bool {
        matches!(self, Arity::One | Arity::Many)
    }
}

impl<K: StageKind> Kind for Registered<K> {
    fn name(&self) -> &str {
        K::NAME
    }

    fn inputs(&self) -> &[Role] {
        K::INPUTS
    }

    fn outputs(&self) -> Vec<String> {
        let names = K::OUTPUTS.iter().map(|file| name_of(file).to_owned());
        names.collect()
    }

    fn file(&self, output: &str) -> String {
        let file = K::OUTPUTS.iter().find(|file| name_of(file) == output);
        file.copied().unwrap_or(output).to_owned()
    }

    fn code(&self) -> &Arc<Code> {
        &self.code
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        K::Params::json_schema(generator)
    }

    fn reads_trace(&self) -> bool {
        K::READS_TRACE
    }

    fn may_vary(&self) -> bool {
        K::MAY_VARY
    }

    fn job(&self, params: &Node) -> Result<Box<dyn Job>> {
        let node = params;
        let params: K::Params = typed::from_node(node)?;
        K::check(&params).map_err(|message| located(node, Error::config(message)))?;
        let json = serde_json::to_value(&params)
            .map_err(|e| Error::config(format!("the parameters cannot be recorded: {e}")))?;
        let json = Arc::new(json);
        let node = node.clone();
        Ok(Box::new(TypedJob::<K> { params, json, node }))
    }
}

/// The name of an output, without how its file ends.
fn name_of(file: &str) -> &str {
    file.split('.').next().unwrap_or(file)
}

struct TypedJob<K: StageKind> {
    params: K::Params,
    json: Arc<serde_json::Value>,
    /// The params as written.
    node: Node,
}

/// The error at the place of the param that its message begins with, if it does.
fn located(params: &Node, error: Error) -> Error {
    let path = error.message.split_once(": ").map_or("", |(path, _)| path);
    match innermost(params, path) {
        Some(node) => error.at(&node.place),
        None => error,
    }
}

/// The innermost value on the way to a param that was written.
fn innermost<'a>(params: &'a Node, path: &str) -> Option<&'a Node> {
    let ends = path.match_indices('.').map(|(at, _)| at);
    let mut ends: Vec<usize> = ends.chain([path.len()]).collect();
    ends.reverse();
    ends.iter().find_map(|&end| params.get_path(&path[..end]))
}

impl<K: StageKind> Job for TypedJob<K> {
    fn params(&self) -> Arc<serde_json::Value> {
        self.json.clone()
    }

    fn columns(&self, output: &str) -> Option<Vec<String>> {
        K::columns(output, &self.params)
    }

    fn wants(&self) -> Vec<Placed> {
        let placed = |wanted: Wanted| {
            let found = innermost(&self.node, &wanted.param);
            let place = found.map(|node| node.place.clone());
            (wanted, place)
        };
        K::wants(&self.params).into_iter().map(placed).collect()
    }

    fn shares(&self) -> Option<String> {
        K::shares(&self.params)
    }

    fn run(&self, io: &Io) -> Result<()> {
        K::run(&self.params, io).map_err(|error| located(&self.node, error))
    }
}
