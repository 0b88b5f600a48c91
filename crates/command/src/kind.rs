//! Kind `command`: its stages name their inputs and outputs themselves, and what else they read is found.

use crate::described::params::{Params, checked};
use crate::described::prepared::{PROGRAM, Prepared};
use crate::described::program;
use crate::described::surroundings;
use crate::running::run;
use retrace::stage::key::Code;
use retrace::stage::kind::{Bound, Io, Job, Kind, Role};
use retrace::yaml::node::Node;
use retrace::yaml::typed;
use retrace::{Digest, Error, Result};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::path::Path;
use std::sync::Arc;

/// The kind.
pub struct Command {
    code: Arc<Code>,
}

/// What a change of which makes every command run again: the meaning of its params, and what it sees of the
/// repository. What it sees of its environment is among its params.
const MEANING: &str = "1";

impl Default for Command {
    fn default() -> Self {
        let parts = [("command".to_owned(), MEANING.to_owned())];
        Command {
            code: Arc::new(Code::new(format!("command {MEANING}"), parts)),
        }
    }
}

impl Kind for Command {
    fn name(&self) -> &str {
        "command"
    }

    fn inputs(&self) -> &[Role] {
        &[]
    }

    fn outputs(&self) -> Vec<String> {
        Vec::new()
    }

    fn is_open(&self) -> bool {
        true
    }

    fn code(&self) -> &Arc<Code> {
        &self.code
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Params::json_schema(generator)
    }

    fn variations(&self) -> &[(&'static str, &'static str)] {
        &surroundings::VARIATIONS
    }

    fn job(&self, params: &Node) -> Result<Box<dyn Job>> {
        let node = params.clone();
        let params: Params = typed::from_node(params)?;
        params.check().map_err(|message| located(&node, message))?;
        Ok(Box::new(Prepared::new(params, node)))
    }
}

/// An error at the param that its message begins with.
fn located(params: &Node, message: String) -> Error {
    let path = message.split_once(": ").map_or("", |(path, _)| path);
    let path = path.split('.').next().unwrap_or_default();
    let place = params.get(path).map(|node| node.place.clone());
    let error = Error::config(message);
    match place {
        Some(place) => error.at(&place),
        None => error,
    }
}

impl Job for Prepared {
    fn params(&self) -> Arc<serde_json::Value> {
        self.key().clone()
    }

    fn bind(&mut self, bound: Bound) -> Result<()> {
        self.prepare(bound).map_err(|why| located(self.node(), why))
    }

    fn cores(&self) -> usize {
        self.params.cores as usize
    }

    fn may_vary(&self) -> bool {
        self.params.gpu
    }

    fn is_watched(&self) -> bool {
        true
    }

    fn outside(&self, root: &Path, name: &str) -> Option<Digest> {
        let own = self.program(root).ok()?;
        match name {
            PROGRAM => program::digest(&own.path),
            name => program::digest(&program::on_path(name, &program::search_path(&own).0)?),
        }
    }

    fn run(&self, io: &Io) -> Result<()> {
        checked(self.params.check())?;
        run::run(self, io)
    }
}
