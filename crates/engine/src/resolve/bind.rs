//! From a draft to a stage that can run: its kind found, parameters typed, inputs and outputs bound.

use crate::base::error::{Error, Result};
use crate::base::files::inside;
use crate::resolve::drafts::{Drafts, Reader};
use crate::resolve::outputs;
use crate::resolve::{recorded, supplied, tolerance};
use crate::spec::expand::Draft;
use crate::spec::ids::{self, Pattern, check_name, in_file_name};
use crate::spec::wildcard;
use crate::stage::kind::{Bound, Kind, Role, role};
use crate::stage::stage::{ARTIFACTS, Input, OUTPUT_FOLDERS, Source, Stage};
use crate::store::workspace::LOCK_FILE;
use crate::yaml::node::{Key, Node, Value};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A longer file name is refused: file systems allow no more bytes.
const MAX_FILE_NAME: usize = 255;
/// A longer path is refused: with the folder of the repository it must fit into what systems allow.
const MAX_PATH: usize = 1_000;

/// Gives each output that has no path one among the intermediates: `artifacts/ID/FILE`.
pub fn give_paths(drafts: &mut [Draft], kinds: &[Box<dyn Kind>]) {
    for draft in drafts {
        // An unknown kind is reported where it stands.
        let Ok(name) = draft.spec.kind.text("kind") else {
            continue;
        };
        let Some(kind) = kinds.iter().find(|kind| kind.name() == name) else {
            continue;
        };
        if kind.is_open() {
            continue;
        }
        for output in kind.outputs() {
            if draft.outputs.iter().any(|(key, _)| key.text == output) {
                continue;
            }
            let (id, file) = (in_file_name(&draft.id), kind.file(&output));
            let path = Value::Text(format!("{ARTIFACTS}/{id}/{file}"));
            let place = draft.place.clone();
            let key = Key {
                place: place.clone(),
                text: output,
            };
            draft.outputs.push((key, Node::new(place, path)));
        }
    }
}

/// Types a draft's parameters, and finds what it reads among all drafts.
pub fn build(draft: &Draft, opt_in: &[usize], among: &Drafts) -> Result<Stage> {
    let reader = Reader {
        id: &draft.id,
        opt_in,
    };
    let kinds = among.kinds;
    let name = draft.spec.kind.text("kind")?;
    let Some(kind) = kinds.iter().position(|kind| kind.name() == name) else {
        let known = kinds.iter().map(|kind| kind.name());
        let error = Error::config(format!("there is no kind `{name}`"));
        return Err(error.at(&draft.spec.kind.place).suggest(name, known));
    };
    let kind_index = kind;
    let kind = &kinds[kind];
    let mut job = kind.job(&draft.params)?;

    let mut inputs = Vec::new();
    for (role_key, node) in &draft.inputs {
        let Some(role) = role(&**kind, &role_key.text) else {
            let known = kind.inputs().iter().map(|role| &*role.name);
            let error = Error::config(format!("kind `{name}` has no input `{}`", role_key.text));
            return Err(error.at(&role_key.place).suggest(&role_key.text, known));
        };
        if kind.is_open() {
            check_name(role_key, ids::Role::Input)?;
        }
        let before = inputs.len();
        bind(&role, node, reader, among, &mut inputs)?;
        let count = inputs.len() - before;
        if !role.arity.is_labelled() && count != 1 {
            let message = format!("input `{}` takes one artifact, not {count}", role.name);
            return Err(Error::config(message).at(&node.place));
        }
    }
    for role in kind.inputs() {
        if role.arity.is_required() && !inputs.iter().any(|i| i.role == role.name) {
            return Err(Error::config(format!(
                "the input `{}` is missing",
                role.name
            )));
        }
    }
    inputs.sort_by(|a, b| (&a.role, &a.label).cmp(&(&b.role, &b.label)));
    if let Some(pair) = inputs
        .windows(2)
        .find(|p| p[0].key_name() == p[1].key_name())
    {
        let message = format!(
            "input `{}` has two artifacts of one name",
            pair[0].key_name()
        );
        return Err(Error::config(message));
    }

    let mut outputs = Vec::new();
    let expected = outputs::names(draft, &**kind);
    for (key, node) in &draft.outputs {
        if kind.is_open() {
            check_name(key, ids::Role::Output)?;
        }
        if !expected.contains(&key.text) {
            let error = Error::config(format!("kind `{name}` has no output `{}`", key.text));
            let known = expected.iter().map(String::as_str);
            return Err(error.at(&key.place).suggest(&key.text, known));
        }
        outputs.push((key.text.clone(), output_path(node)?));
    }
    if kind.is_open() {
        let place = |input: &Input| {
            let path = match &input.source {
                Source::File(path) => path.clone(),
                Source::Output { stage, output } | Source::Recorded { stage, output } => {
                    let mut known = among.drafts[*stage].outputs.iter();
                    let found = known.find(|(key, _)| key.text == *output);
                    let text = found.and_then(|(_, node)| node.scalar_text());
                    text.and_then(|text| outputs::plain(&text))
                        .unwrap_or_default()
                }
            };
            (input.role.clone(), input.label.clone(), path)
        };
        job.bind(Bound {
            inputs: inputs.iter().map(place).collect(),
            outputs: outputs.clone(),
        })?;
    }
    Ok(Stage {
        id: draft.id.clone(),
        kind: kind_index,
        job,
        inputs,
        compare: tolerance::read(&draft.compare, &outputs)?,
        outputs,
        title: draft.title.clone(),
        caption: draft.caption.clone(),
        place: draft.place.clone(),
        seconds: draft.spec.seconds,
        opt_in: opt_in.to_vec(),
    })
}

/// Binds what is written for a role: a reference, a file that may not be here, a list of them, or a mapping
/// from label to them.
fn bind(
    role: &Role,
    node: &Node,
    reader: Reader,
    among: &Drafts,
    inputs: &mut Vec<Input>,
) -> Result<()> {
    let mut push = |prefix: &str, node: &Node| -> Result<()> {
        if let Some(named) = recorded::named(node) {
            let source = recorded::read(
                role,
                named,
                reader.id,
                (among.drafts, among.opt_in),
                among.kinds,
            )?;
            let label = match role.arity.is_labelled() {
                true => prefix.to_owned(),
                false => String::new(),
            };
            inputs.push(Input {
                role: role.name.to_string(),
                label,
                source,
                supplied: None,
            });
            return Ok(());
        }
        let (node, supplied) = match supplied::is_declaration(node, false) {
            true => {
                let (file, supplied) = supplied::read(node)?;
                (file, Some(Arc::new(supplied)))
            }
            false => (node, None),
        };
        let found = match supplied {
            Some(_) => vec![(String::new(), Source::File(file(node, reader, among)?))],
            None => references(node, reader, among)?,
        };
        for (label, source) in found {
            let label = match (prefix, label.as_str()) {
                ("", label) => label.to_owned(),
                (prefix, "") => prefix.to_owned(),
                (prefix, label) => format!("{prefix}@{label}"),
            };
            let label = if role.arity.is_labelled() {
                label
            } else {
                String::new()
            };
            inputs.push(Input {
                role: role.name.to_string(),
                label,
                source,
                supplied: supplied.clone(),
            });
        }
        Ok(())
    };
    match &node.value {
        Value::Map(entries)
            if role.arity.is_labelled()
                && !supplied::is_declaration(node, true)
                && recorded::named(node).is_none() =>
        {
            entries
                .iter()
                .try_for_each(|(label, node)| push(&label.text, node))
        }
        Value::List(items) if role.arity.is_labelled() => {
            items.iter().try_for_each(|node| push("", node))
        }
        _ => push("", node),
    }
}

/// What `kind:glob.output` refers to: an output of all stages of a kind whose ids the glob matches.
fn of_kind(
    (name, pattern): (&str, &str),
    output: &str,
    node: &Node,
    reader: Reader,
    among: &Drafts,
) -> Result<Vec<(String, Source)>> {
    let error = |message: String| Error::config(message).at(&node.place);
    let Some(kind) = among.kinds.iter().find(|kind| kind.name() == name) else {
        let known = among.kinds.iter().map(|kind| kind.name());
        return Err(error(format!("there is no kind `{name}`")).suggest(name, known));
    };
    let outputs = kind.outputs();
    if !kind.is_open() && !outputs.iter().any(|known| known == output) {
        let error = error(format!("kind `{name}` has no output `{output}`"));
        return Err(error.suggest(output, outputs.iter().map(String::as_str)));
    }
    let glob = Pattern::read(pattern).map_err(|e| e.at(&node.place))?;
    let is_own = |draft: &Draft| matches!(&draft.spec.kind.value, Value::Text(own) if own == name);
    let id = |i: usize| among.drafts[i].id.as_str();
    let found = among.matching(&glob, is_own);
    let mut found = found.map_err(|e| e.at(&node.place))?;
    if found.is_empty() {
        let of_kind = among.drafts.iter().filter(|draft| is_own(draft));
        let of_kind = of_kind.map(|draft| draft.id.as_str());
        let error = error(format!("no stage of kind `{name}` is `{pattern}`"));
        return Err(error.suggest(pattern, of_kind));
    }
    if glob.is_glob() {
        let taken = among.taken(reader, pattern, found);
        found = taken.map_err(|e| e.at(&node.place))?;
    }
    if kind.is_open() {
        for &stage in &found {
            outputs::check_has(&among.drafts[stage], output, &**kind)
                .map_err(|e| e.at(&node.place))?;
        }
    }
    let labelled = found.into_iter().map(|stage| {
        let label = wildcard::matched(pattern, id(stage)).unwrap_or_default();
        let output = output.to_owned();
        (label, Source::Output { stage, output })
    });
    Ok(labelled.collect())
}

/// The path of a file that no stage makes.
fn file(node: &Node, reader: Reader, among: &Drafts) -> Result<PathBuf> {
    let text = node.text("an input")?;
    let error = |message: String| Error::config(message).at(&node.place);
    if !text.contains('/') {
        let hint = "a file that is an input lies in a folder, such as data/";
        return Err(error(format!("`{text}` is no path of a file")).hint(hint));
    }
    // Told before how the path is written: what to write is no path at all.
    if let Some(path) = outputs::plain(text) {
        let refused = among.outputs.refuse(&path, text, reader.id);
        refused.map_err(|e| e.at(&node.place))?;
    }
    let path = inside(text).map_err(|why| error(format!("input `{text}` {why}")))?;
    let top = outputs::folded(path.iter().next().map_or(Path::new(""), Path::new));
    // What is in a hidden folder, as .git or a cache, comes and goes.
    if top.starts_with('.') && path.components().nth(1).is_some() {
        return Err(error(format!("input `{text}` lies in {top}/"))
            .hint("put a file of your own below data/"));
    }
    Ok(path)
}

/// What `stage.output`, `stage@*.output` or a path like `data/file` refers to, with item labels.
fn references(node: &Node, reader: Reader, among: &Drafts) -> Result<Vec<(String, Source)>> {
    let (drafts, kinds) = (among.drafts, among.kinds);
    let text = node.text("an input")?;
    let error = |message: String| Error::config(message).at(&node.place);
    if text.contains('/') {
        let path = file(node, reader, among)?;
        return Ok(vec![(String::new(), Source::File(path))]);
    }
    let Some((stage, output)) = text.rsplit_once('.') else {
        let hint = "write stage.output, stage@*.output, or the path of a file such as data/x.csv";
        return Err(error(format!("`{text}` names no output")).hint(hint));
    };
    if let Some((kind, pattern)) = stage.split_once(':') {
        return of_kind((kind, pattern), output, node, reader, among);
    }
    let found: Vec<usize> = match among.find(stage) {
        Some(found) => vec![found],
        None if stage.contains(['*', '@', '?', '[']) => {
            let pattern = Pattern::read(stage).map_err(|e| e.at(&node.place))?;
            let found = among.matching(&pattern, |_| true);
            let found = found.map_err(|e| e.at(&node.place))?;
            match pattern.is_glob() && !found.is_empty() {
                true => {
                    let taken = among.taken(reader, stage, found);
                    taken.map_err(|e| e.at(&node.place))?
                }
                false => found,
            }
        }
        None => Vec::new(),
    };
    if found.is_empty() {
        let known = drafts.iter().map(|draft| draft.id.as_str());
        let error = error(format!("there is no stage `{stage}`")).suggest(stage, known);
        return Err(
            match text == LOCK_FILE || output.len() <= 4 && error.hint.is_none() {
                true => error.hint("a file that is an input lies in a folder, such as data/"),
                false => error,
            },
        );
    }
    found
        .into_iter()
        .map(|i| {
            let kind = drafts[i].spec.kind.text("kind")?;
            // An unknown kind is reported where it stands.
            if let Some(kind) = kinds.iter().find(|k| k.name() == kind) {
                outputs::check_has(&drafts[i], output, &**kind).map_err(|e| e.at(&node.place))?;
            }
            let label = match among.find(stage).is_some() {
                true => None,
                false => wildcard::matched(stage, &drafts[i].id),
            };
            let label = label.unwrap_or_default();
            Ok((
                label,
                Source::Output {
                    stage: i,
                    output: output.to_owned(),
                },
            ))
        })
        .collect()
}

fn output_path(node: &Node) -> Result<PathBuf> {
    let text = node.text("an output path")?;
    let error = |why: String| Error::config(format!("output `{text}` {why}")).at(&node.place);
    let path = inside(text).map_err(error)?;
    let too_long = path.iter().any(|name| name.len() > MAX_FILE_NAME);
    if too_long || text.len() > MAX_PATH {
        let start: String = text.chars().take(60).collect();
        let message = format!("output `{start}…` is longer than file systems allow");
        let hint = format!("a name has at most {MAX_FILE_NAME} bytes, a path {MAX_PATH}");
        return Err(Error::config(message).at(&node.place).hint(hint));
    }
    let folder = path
        .components()
        .next()
        .map(|c| c.as_os_str().to_string_lossy().into_owned());
    if path.components().count() < 2
        || !OUTPUT_FOLDERS.contains(&folder.unwrap_or_default().as_str())
    {
        return Err(error(format!(
            "must lie below {}/",
            OUTPUT_FOLDERS.join("/ or ")
        )));
    }
    Ok(path)
}
