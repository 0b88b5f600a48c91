//! A dvc.yaml: its stages as steps.
//!
//! Read are commands, folders, what is read and written, templates and loops. What says how DVC keeps and shows
//! files has no counterpart, and is told of.

use crate::adopt::commands::without_number;
use crate::adopt::shell;
use crate::adopt::step::{Step, Steps, below, name, unique};
use crate::adopt::template::Values;
use retrace::yaml::node::{Node, Value};
use retrace::{Error, Result};
use std::path::{Path, PathBuf};

/// The file of values that is read without being named.
const DEFAULT_VALUES: &str = "params.yaml";

/// Reads the stages of a dvc.yaml; `base` is its folder below the root.
///
/// # Errors
/// What is written cannot be meant, or needs what there is not; with its place.
pub fn read(root: &Path, file: &str, text: &str, base: &str) -> Result<Steps> {
    let document = Node::parse(file, text)?;
    let mut reader = Reader {
        root,
        base,
        values: Values::default(),
        steps: Vec::new(),
        left: Vec::new(),
    };
    if root.join(base).join(DEFAULT_VALUES).is_file() {
        reader.values_of(DEFAULT_VALUES, &document)?;
    }
    for (key, value) in document.entries("dvc.yaml")? {
        match key.text.as_str() {
            "stages" => {}
            "vars" => reader.vars(value)?,
            "params" | "metrics" | "plots" | "artifacts" | "datasets" => {
                reader.left.push(format!(
                    "{}: `{}` says how DVC shows or names files: kinds `figure`, `claims` and `report` take its place",
                    key.place, key.text
                ));
            }
            other => reader
                .left
                .push(format!("{}: `{other}` is not known", key.place)),
        }
    }
    let stages = document.get("stages").ok_or_else(|| {
        Error::config(format!("{file} has no `stages`")).hint("name another file of steps")
    })?;
    for (key, value) in stages.entries("stages")? {
        reader.entry(&key.text, value)?;
    }
    if reader.steps.is_empty() {
        return Err(Error::config("there is no stage in it").at(&stages.place));
    }
    let used: Vec<String> = reader
        .values
        .used
        .iter()
        .map(|name| format!("`${{{name}}}`"))
        .collect();
    if !used.is_empty() {
        reader.left.push(format!(
            "templates were replaced by their values, which stand in pipeline.yaml now: {}",
            used.join(", ")
        ));
    }
    Ok(Steps {
        steps: reader.steps,
        left: reader.left,
    })
}

struct Reader<'a> {
    root: &'a Path,
    base: &'a str,
    values: Values,
    steps: Vec<Step>,
    left: Vec<String>,
}

/// An error at a node.
fn at(node: &Node) -> impl Fn(String) -> Error + '_ {
    move |message| Error::config(message).at(&node.place)
}

impl Reader<'_> {
    /// Adds the values of a file; `FILE:NAME,NAME` has these alone.
    fn values_of(&mut self, wanted: &str, from: &Node) -> Result<()> {
        let (file, names) = match wanted.split_once(':') {
            Some((file, names)) => (file, names.split(',').collect()),
            None => (wanted, Vec::new()),
        };
        let path = self.root.join(self.base).join(file);
        if !file.ends_with(".yaml") && !file.ends_with(".yml") && !file.ends_with(".json") {
            return Err(at(from)(format!(
                "values are read from YAML and JSON, not from `{file}`"
            )));
        }
        let text = std::fs::read_to_string(&path)
            .map_err(|e| at(from)(format!("cannot read {file}: {e}")))?;
        for (key, value) in Node::parse(file, &text)?.entries(file)? {
            if names.is_empty() || names.contains(&key.text.as_str()) {
                self.values.add(&key.text, value.clone());
            }
        }
        Ok(())
    }

    fn vars(&mut self, list: &Node) -> Result<()> {
        for item in list.items("`vars`")? {
            match &item.value {
                Value::Text(file) => self.values_of(&file.clone(), item)?,
                _ => {
                    for (key, value) in item.entries("an item of `vars`")? {
                        self.values.add(&key.text, value.clone());
                    }
                }
            }
        }
        Ok(())
    }

    /// A stage, or a loop over items that makes several.
    fn entry(&mut self, name: &str, node: &Node) -> Result<()> {
        if let Some(items) = node.get("foreach") {
            let stage = node
                .get("do")
                .ok_or_else(|| at(node)("`foreach` without `do`".into()))?;
            let items = self.values.whole(items).map_err(at(items))?;
            let pairs: Vec<(String, Option<Node>, Node)> = match &items.value {
                Value::List(list) => (0..)
                    .zip(list)
                    .map(|(number, item): (usize, _)| {
                        let label = item.scalar_text().unwrap_or_else(|| number.to_string());
                        (label, None, item.clone())
                    })
                    .collect(),
                Value::Map(entries) => entries
                    .iter()
                    .map(|(key, item)| {
                        let own = Value::Text(key.text.clone());
                        let key_node = Node::new(key.place.clone(), own);
                        (key.text.clone(), Some(key_node), item.clone())
                    })
                    .collect(),
                _ => return Err(at(&items)("`foreach` must be a list or a mapping".into())),
            };
            for (label, key, item) in pairs {
                let outer = self.values.clone();
                if let Some(key) = key {
                    self.values.add("key", key);
                }
                self.values.add("item", item);
                self.stage(&format!("{name}_{label}"), stage)?;
                self.leave(outer);
            }
            return Ok(());
        }
        let Some(matrix) = node.get("matrix") else {
            return self.stage(name, node);
        };
        let axes = matrix.entries("`matrix`")?.to_vec();
        self.combinations(name, node, &axes, &mut Vec::new())
    }

    /// One stage for each combination of the items of the axes.
    fn combinations(
        &mut self,
        name: &str,
        node: &Node,
        axes: &[(retrace::yaml::node::Key, Node)],
        chosen: &mut Vec<(retrace::yaml::node::Key, Node)>,
    ) -> Result<()> {
        let Some(((key, items), rest)) = axes.split_first() else {
            let label = |(key, item): &(retrace::yaml::node::Key, Node)| {
                item.scalar_text().unwrap_or_else(|| key.text.clone())
            };
            let labels: Vec<String> = chosen.iter().map(label).collect();
            let outer = self.values.clone();
            let item = Value::Map(chosen.clone());
            self.values.add("item", Node::new(node.place.clone(), item));
            self.stage(&format!("{name}_{}", labels.join("_")), node)?;
            self.leave(outer);
            return Ok(());
        };
        let items = self.values.whole(items).map_err(at(items))?;
        for item in items.items("an axis of `matrix`")? {
            chosen.push((key.clone(), item.clone()));
            self.combinations(name, node, rest, chosen)?;
            chosen.pop();
        }
        Ok(())
    }

    /// Back to the values from before; what was used stays so.
    fn leave(&mut self, outer: Values) {
        let used = std::mem::replace(&mut self.values, outer).used;
        self.values.used.extend(used);
    }

    fn stage(&mut self, called: &str, node: &Node) -> Result<()> {
        let outer = self.values.clone();
        if let Some(vars) = node.get("vars") {
            self.vars(vars)?;
        }
        let own = name(without_number(called));
        let mut step = Step {
            name: unique(&own, self.steps.iter().map(|step| step.name.as_str())),
            place: node.place.to_string(),
            folder: self.base.to_owned(),
            ..Step::default()
        };
        let wdir = node.get("wdir").map(|wdir| self.text(wdir)).transpose()?;
        if let Some(wdir) = wdir {
            let folder = below(self.base, &wdir).map_err(at(node))?;
            step.folder = folder.to_string_lossy().into_owned();
        }
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        let mut command = None;
        for (key, value) in node.entries("a stage")? {
            let mut left = |why: &str| {
                let what = format!("{}: `{}` of stage `{called}`: {why}", key.place, key.text);
                self.left.push(what);
            };
            match key.text.as_str() {
                "cmd" => command = Some(self.command(value)?),
                "deps" => reads.extend(self.paths(value, &step.folder, called)?),
                "outs" | "metrics" | "plots" => {
                    writes.extend(self.paths(value, &step.folder, called)?);
                }
                "desc" => step.about = value.scalar_text(),
                "wdir" | "vars" | "foreach" | "do" | "matrix" => {}
                "params" => reads.extend(self.parameter_files(value, &step.folder)),
                "frozen" => left("the stage runs like any other when what it read changes"),
                "always_changed" => left("the stage runs when what it read changes, not always"),
                "meta" => left("it was left out"),
                "live" => left("it is not known here"),
                _ => left("it is not known"),
            }
        }
        step.run = command.ok_or_else(|| at(node)(format!("stage `{called}` has no `cmd`")))?;
        (step.reads, step.writes) = (Some(reads), Some(writes));
        self.steps.push(step);
        self.leave(outer);
        Ok(())
    }

    /// Files of parameters that are said to be read: the names before lists of parameters, and the usual one.
    fn parameter_files(&self, list: &Node, folder: &str) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for item in list.items("`params`").unwrap_or_default() {
            match &item.value {
                Value::Map(entries) => {
                    files.extend(entries.iter().map(|(key, _)| key.text.clone()))
                }
                _ => files.push(DEFAULT_VALUES.to_owned()),
            }
        }
        let mut paths: Vec<PathBuf> = files
            .iter()
            .filter_map(|file| below(folder, file).ok())
            .collect();
        paths.sort();
        paths.dedup();
        paths
    }

    fn text(&mut self, node: &Node) -> Result<String> {
        let text = node
            .scalar_text()
            .ok_or_else(|| at(node)(format!("a text is needed, not {}", node.describe())))?;
        self.values.fill(&text).map_err(at(node))
    }

    fn command(&mut self, node: &Node) -> Result<Vec<String>> {
        let lines = match &node.value {
            Value::List(lines) => lines
                .iter()
                .map(|line| self.text(line))
                .collect::<Result<Vec<_>>>()?,
            _ => vec![self.text(node)?],
        };
        let line = lines.iter().map(|line| line.trim()).collect::<Vec<_>>();
        match line.iter().all(|line| line.is_empty()) {
            true => Err(at(node)("the command is empty".into())),
            false => Ok(shell::arguments(&line.join(" && "))),
        }
    }

    /// Paths of a list; an item may be a mapping from its path to what is said of it.
    fn paths(&mut self, list: &Node, folder: &str, stage: &str) -> Result<Vec<PathBuf>> {
        let list = self.values.whole(list).map_err(at(list))?;
        let mut paths = Vec::new();
        // `metrics: m.json` is `metrics: [m.json]`.
        let one = [list.clone()];
        let items = match &list.value {
            Value::List(items) => items.as_slice(),
            Value::Null => &[],
            _ => &one,
        };
        for item in items {
            let (text, said) = match &item.value {
                Value::Map(entries) => match entries.first() {
                    Some((key, said)) => {
                        (self.values.fill(&key.text).map_err(at(item))?, Some(said))
                    }
                    None => continue,
                },
                _ => (self.text(item)?, None),
            };
            if let Some(said) = said {
                self.output_settings(said, &text, stage)?;
            }
            paths.push(below(folder, &text).map_err(at(item))?);
        }
        Ok(paths)
    }

    fn output_settings(&mut self, said: &Node, path: &str, stage: &str) -> Result<()> {
        for (key, value) in said.entries("what is said of an output")? {
            let off = matches!(value.value, Value::Bool(false) | Value::Null);
            let why = match key.text.as_str() {
                "persist" if !off => "the output is made anew each time",
                "remote" | "push" => "nothing is sent anywhere: the cache stays on this machine",
                "template" | "x" | "y" | "x_label" | "y_label" | "title" | "header" => {
                    "kind `figure` draws it, in words of its own"
                }
                // Outputs are kept in the cache in any case.
                "cache" | "desc" | "persist" => continue,
                _ => "it has no counterpart",
            };
            let what = format!(
                "{}: `{}` of {path}, stage `{stage}`: {why}",
                key.place, key.text
            );
            self.left.push(what);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str, values: &str) -> Result<Steps> {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("params.yaml"), values).unwrap();
        read(root.path(), "dvc.yaml", text, "")
    }

    #[test]
    fn stages_loops_and_templates_become_steps() {
        let text = r#"
vars: [{out: results}]
stages:
  prepare:
    desc: Splits it
    cmd: python src/prepare.py data/raw.xml
    deps: [data/raw.xml, src/prepare.py]
    params: [prepare.seed]
    outs: [data/prepared]
  fit:
    foreach: {small: {n: 1}, large: {n: 10}}
    do:
      wdir: src
      cmd: python fit.py --n ${item.n} ${key} ${rate}
      outs: [{"../${out}/${key}.json": {cache: false, persist: true}}]
  sweep:
    matrix: {seed: [0, 1], model: "${models}"}
    cmd: [echo a, "echo ${item.seed} ${item.model} > out_${item.seed}_${item.model}"]
    frozen: true
    plots: [{loss.csv: {template: linear, x: step}}]
"#;
        let found = steps(text, "rate: 0.5\nmodels: [a, b]\n").unwrap();
        let names: Vec<&str> = found.steps.iter().map(|step| &*step.name).collect();
        let sweeps = ["sweep_0_a", "sweep_0_b", "sweep_1_a", "sweep_1_b"];
        assert_eq!(
            names,
            [&["prepare", "fit_small", "fit_large"][..], &sweeps].concat()
        );
        let [prepare, small, .., last] = &found.steps[..] else {
            panic!()
        };
        assert_eq!(prepare.about.as_deref(), Some("Splits it"));
        assert_eq!(prepare.writes, Some(vec!["data/prepared".into()]));
        assert_eq!(small.run, ["python", "fit.py", "--n", "1", "small", "0.5"]);
        assert_eq!(small.folder, "src");
        assert_eq!(small.writes, Some(vec!["results/small.json".into()]));
        assert_eq!(last.run[..2], ["sh", "-c"]);
        assert_eq!(last.run[2], "echo a && echo 1 b > out_1_b");
        let left = found.left.join("\n");
        for words in [
            "persist",
            "frozen",
            "`template`",
            "`x`",
            "`${rate}`",
            "`${key}`",
        ] {
            assert!(left.contains(words), "{words}: {left}");
        }
        assert!(!left.contains("cache"), "{left}");
    }

    #[test]
    fn what_cannot_be_is_told_with_its_place() {
        for (text, words) in [
            (
                "stages: {a: {deps: [x]}}",
                "dvc.yaml:1:13: stage `a` has no `cmd`",
            ),
            ("stages: {a: {cmd: 'b ${c}'}}", "there is no value `c`"),
            (
                "stages: {a: {cmd: b, outs: [/tmp/x]}}",
                "`/tmp/x` is no path below",
            ),
            ("stages: {a: {foreach: [1]}}", "`foreach` without `do`"),
            ("stages: {}", "no stage"),
            ("vars: []", "no `stages`"),
            ("vars: [none.yaml]\nstages: {}", "cannot read none.yaml"),
            ("stages: {a: {cmd: ''}}", "empty"),
        ] {
            let error = steps(text, "").unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
