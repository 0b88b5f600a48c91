//! `${...}` filled in: what names a variable or an item is replaced by it.
//!
//! A reference alone keeps the type of what it names; inside other text it is text. Dollar signs before
//! a brace are read in pairs: `$${x}` is the text `${x}`, `$$${x}` a dollar and what `x` is. Knows
//! neither stages nor types, and limits what a few lines can grow to.

use crate::base::error::{Error, Result};
use crate::spec::ids;
use crate::yaml::node::{Key, Node, Value};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

/// References among `vars` deeper than this are taken for a cycle.
const MAX_INDIRECTION: usize = 16;
/// What filling in `${...}` may make in all, in values (of 64 characters, when they are long): a
/// few variables that name each other several times make 4^15 of them.
const MAX_FILLED: usize = 2_000_000;

/// An axis with the item chosen on it.
pub type Chosen<'a> = (&'a Key, &'a Key, &'a Node);

/// What `${...}` can name: the items of this matrix combination, the variables of the stage, then those
/// of the file. Each is read where it stands: what a stage's variable or an item says sees the items and
/// the file's variables, what a variable of the file says the file's alone.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub vars: &'a Node,
    /// The variables of the stage, its own and those it overrides.
    pub own: Option<&'a Own<'a>>,
    pub items: &'a [Chosen<'a>],
    /// The stage's id, where `${id}` may stand for it.
    pub id: Option<&'a str>,
    pub budget: &'a Budget,
}

/// The variables of a stage, and which of them something named.
pub struct Own<'a> {
    vars: Vec<(&'a Key, &'a Node)>,
    uses: RefCell<BTreeSet<String>>,
}

impl<'a> Own<'a> {
    /// The variables of a stage.
    pub fn new(vars: impl IntoIterator<Item = &'a (Key, Node)>) -> Self {
        Own {
            vars: vars.into_iter().map(|(key, node)| (key, node)).collect(),
            uses: RefCell::default(),
        }
    }

    /// The first that nothing named.
    pub fn unused(&self) -> Option<&'a Key> {
        let uses = self.uses.borrow();
        let mut keys = self.vars.iter().map(|(key, _)| *key);
        keys.find(|key| !uses.contains(&key.text))
    }

    /// The value at a path, if its first step is one of the variables.
    fn find(&self, first: &str, below: Option<&str>) -> Option<Option<&'a Node>> {
        let (_, node) = self.vars.iter().find(|(key, _)| key.text == first)?;
        self.uses.borrow_mut().insert(first.to_owned());
        Some(match below {
            Some(path) => node.get_path(path),
            None => Some(node),
        })
    }
}

/// What filling in may still make; shared by all stages.
pub struct Budget {
    left: Cell<usize>,
    /// The variables that something named.
    uses: RefCell<BTreeSet<String>>,
}

impl Budget {
    /// As much as a file may make in all.
    pub fn whole() -> Self {
        Budget {
            left: Cell::new(MAX_FILLED),
            uses: RefCell::default(),
        }
    }

    /// Whether anything that was filled in names this variable.
    pub fn has_used(&self, variable: &str) -> bool {
        self.uses.borrow().contains(variable)
    }

    fn spend(&self, node: &Node) -> Result<()> {
        const LONG: usize = 64;
        let cost = match (node.as_written(), &node.value) {
            (Some(text), _) => 1 + text.len(),
            (None, Value::Text(text)) => 1 + text.len() / LONG,
            _ => 1,
        };
        match self.left.get().checked_sub(cost) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => {
                let message = "the variables and matrices make too much of this file";
                let error = Error::config(message).at(&node.place);
                Err(error.hint("look for variables that name others several times"))
            }
        }
    }
}

impl<'a> Scope<'a> {
    /// Where nothing but the variables of the file is known.
    pub fn of_file(vars: &'a Node, budget: &'a Budget) -> Self {
        Scope {
            vars,
            own: None,
            items: &[],
            id: None,
            budget,
        }
    }
    /// The node with every `${...}` in it replaced; `depth` counts references on the way here.
    pub fn fill(&self, node: &Node, depth: usize) -> Result<Node> {
        self.budget.spend(node)?;
        if node.as_written().is_some_and(|text| !text.contains("${")) {
            return Ok(node.clone());
        }
        let value = match &node.value {
            Value::Text(text) => {
                // Of an option every blank counts, but around a reference alone.
                let is_alone = text.starts_with("${") && text.find('}') == Some(text.len() - 1);
                let text = node.as_written().filter(|_| !is_alone).unwrap_or(text);
                return self.fill_text(node, text, depth);
            }
            Value::List(items) => Value::List(
                items
                    .iter()
                    .map(|n| self.fill(n, depth))
                    .collect::<Result<_>>()?,
            ),
            Value::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), self.fill(value, depth)?)))
                    .collect::<Result<_>>()?,
            ),
            scalar => scalar.clone(),
        };
        Ok(Node::new(node.place.clone(), value))
    }

    /// `${name}` alone keeps the type of what it names; inside other text it becomes text.
    fn fill_text(&self, node: &Node, text: &str, depth: usize) -> Result<Node> {
        let error = |message: String| Error::config(message).at(&node.place);
        if depth > MAX_INDIRECTION {
            return Err(error(format!("`{text}` refers to itself")));
        }
        let mut filled = String::new();
        let mut rest = text;
        while let Some(brace) = rest.find("${").map(|at| at + 1) {
            // All dollar signs in front of the brace: the last may begin a reference, pairs are one.
            let dollars = brace - rest[..brace].trim_end_matches('$').len();
            filled.push_str(&rest[..brace - dollars]);
            filled.push_str(&"$".repeat(dollars / 2));
            if dollars.is_multiple_of(2) {
                filled.push('{');
                rest = &rest[brace + 1..];
                continue;
            }
            let Some(length) = rest[brace..].find('}') else {
                let error = error(format!("`{text}` has a `${{` without `}}`"));
                return Err(error.hint("a text with `${` in it has `$${` there"));
            };
            let name = &rest[brace + 1..brace + length];
            let value = self.lookup(name, node, depth)?;
            rest = &rest[brace + length + 1..];
            // Alone: nothing before and nothing after.
            if brace == 1 && length + 2 == text.len() {
                return Ok(value);
            }
            filled.push_str(&value.scalar_text().ok_or_else(|| {
                error(format!(
                    "`${{{name}}}` is {}, which cannot stand inside text",
                    value.describe()
                ))
            })?);
        }
        filled.push_str(rest);
        let filled = Node::new(node.place.clone(), Value::Text(filled));
        self.budget.spend(&filled)?;
        Ok(filled)
    }

    fn lookup(&self, name: &str, user: &Node, depth: usize) -> Result<Node> {
        let (first, below) = match name.split_once('.') {
            Some((first, below)) => (first, Some(below)),
            None => (name, None),
        };
        if name == ids::ID {
            return self.id_of_stage(user);
        }
        let item = self.items.iter().find(|(axis, _, _)| axis.text == first);
        let outside = Scope { own: None, ..*self };
        let own = || self.own.and_then(|own| own.find(first, below));
        let (found, scope) = if let Some((_, label, value)) = item {
            let found = match (below, &value.value) {
                (Some(path), _) => value.get_path(path).cloned(),
                // Whether it is a number, who reads it says.
                (None, Value::Map(_) | Value::List(_) | Value::Null) => {
                    Some(Node::written(label.place.clone(), &label.text))
                }
                (None, _) => Some((*value).clone()),
            };
            (found, outside)
        } else if let Some(found) = own() {
            (found.cloned(), outside)
        } else {
            self.budget.uses.borrow_mut().insert(first.to_owned());
            let of_file = Scope::of_file(self.vars, self.budget);
            (self.vars.get_path(name).cloned(), of_file)
        };
        match found {
            Some(found) => scope.fill(&found, depth + 1),
            None => Err(self.names_nothing(name, first, user)),
        }
    }

    fn id_of_stage(&self, user: &Node) -> Result<Node> {
        let Some(id) = self.id else {
            let message = "`${id}` is for outputs: nothing else depends on an id";
            let error = Error::config(message).at(&user.place);
            return Err(error.hint("an item of the stage's matrix is `${AXIS}`"));
        };
        let id = Value::Text(ids::in_file_name(id));
        Ok(Node::new(user.place.clone(), id))
    }

    fn names_nothing(&self, name: &str, first: &str, user: &Node) -> Error {
        // It may be an option that only looks like a mapping.
        if let Some(Err(error)) = self.vars.get(first).map(Node::as_yaml) {
            return error;
        }
        let vars = self.vars.entries("vars").unwrap_or_default().iter();
        let vars = vars.map(|(key, _)| key.text.as_str());
        let own = self.own.iter().flat_map(|own| &own.vars);
        let own = own.map(|(key, _)| key.text.as_str());
        let items = self.items.iter().map(|(axis, _, _)| axis.text.as_str());
        let known: Vec<&str> = items.chain(own).chain(vars).collect();
        let error = Error::config(format!("`${{{name}}}` names nothing")).at(&user.place);
        let error = error.suggest(name, known);
        let or = error
            .hint
            .clone()
            .map_or(String::new(), |hint| format!("{hint}; "));
        error.hint(format!("{or}a text with `${{` in it has `$${{` there"))
    }
}
