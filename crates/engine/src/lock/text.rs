//! How a lock is written down, and how it is read back, also where parts of the text are damaged.
//!
//! JSON, sorted. The code that stages of one kind were made by stands once, under a name of its kind
//! and a digest, and the stages refer to it: an edit of a source file changes one line of the table
//! and one of each stage. Stages that a partial run left behind refer to the older table.
//!
//! Each block stands for itself: one that cannot be read is a [`Problem`], and the others are read.
//! What is recovered so from a text that is no JSON relies on the lines as they are written here.

use crate::base::digest::Digest;
use crate::base::files;
use crate::lock::block::{Block, Lock, Problem, Record, code_name};
use crate::lock::conflict::{self, Sides};
use crate::stage::key::KeyParts;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::sync::Arc;

/// The format that is written.
pub const FORMAT: u64 = 3;
/// In format 1 each stage had its table of code, in format 2 no output had a publication; `diff` still
/// meets both in older revisions.
const INLINE_CODE: u64 = 1;

/// A text with more problems is somebody else's.
const MOST: usize = 10_000;

/// Why a text is no lock at all.
#[derive(Debug)]
pub enum Unreadable {
    /// A newer program wrote it, in this format.
    Newer(u64),
    /// What is wrong.
    Damaged(String),
    /// The same, of a text that git could not merge.
    Unmerged(String),
}

/// A lock, and what of its text says nothing.
pub type Salvaged = (Lock, Vec<Problem>);

/// Names of source files and locked dependencies with their digests and versions.
type Table = BTreeMap<String, String>;

/// A mapping with all its entries, in order: also those that stand twice.
struct Entries<T>(Vec<(String, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Entries(Vec::new())
    }
}

impl<T: Serialize> Serialize for Entries<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Each<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Each<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        from.deserialize_map(Each(PhantomData))
    }
}

/// The file's text, where all of it can be read.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u64,
    #[serde(default)]
    code: Entries<Table>,
    stages: Entries<WrittenBlock>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenBlock {
    key: Digest,
    kind: String,
    params: BTreeMap<String, Json>,
    inputs: BTreeMap<String, Digest>,
    code: WrittenCode,
    outputs: BTreeMap<String, Record>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenCode {
    Name(String),
    Inline(Table),
}

/// Something that was read, or why not.
type Read<T> = Result<T, String>;

/// A text taken apart.
#[derive(Default)]
struct Parts {
    format: Option<u64>,
    has_stages: bool,
    /// With the lines where they start, where these are known.
    tables: Vec<(String, Option<usize>, Read<Table>)>,
    blocks: Vec<(String, Option<usize>, Read<WrittenBlock>)>,
    problems: Vec<Problem>,
}

/// The lock as text.
///
/// # Errors
/// A parameter that JSON cannot hold.
pub fn write(lock: &Lock) -> serde_json::Result<Vec<u8>> {
    let mut code = BTreeMap::new();
    let stages = lock.stages.iter().map(|(id, block)| {
        let Block {
            key,
            parts,
            outputs,
        } = block;
        let name = code_name(parts);
        let written = WrittenBlock {
            key: *key,
            kind: parts.kind.clone(),
            params: parts.params.clone(),
            inputs: parts.inputs.clone(),
            code: WrittenCode::Name(name.clone()),
            outputs: outputs.clone(),
        };
        code.entry(name).or_insert_with(|| (*parts.code).clone());
        (id.clone(), written)
    });
    let stages = Entries(stages.collect());
    let written = Written {
        format: FORMAT,
        code: Entries(code.into_iter().collect()),
        stages,
    };
    let mut bytes = serde_json::to_vec_pretty(&written)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads a lock as far as it can be read.
///
/// # Errors
/// A newer format, or a text of which nothing can be trusted.
pub fn read(bytes: &[u8]) -> Result<Salvaged, Unreadable> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match conflict::sides(bytes) {
        None => read_one(bytes),
        Some(Ok(sides)) => read_sides(&sides),
        Some(Err(line)) => Err(Unreadable::Unmerged(format!(
            "the conflict marker in line {line} has no end"
        ))),
    }
}

fn read_one(bytes: &[u8]) -> Result<Salvaged, Unreadable> {
    #[derive(Deserialize)]
    struct Version {
        format: u64,
    }
    let parts = match serde_json::from_slice(bytes) {
        Ok(written) => whole(written),
        Err(e) => match serde_json::from_slice(bytes) {
            // A newer file may look different everywhere but there.
            Ok(Version { format }) if format > FORMAT => return Err(Unreadable::Newer(format)),
            _ => match serde_json::from_slice(bytes) {
                Ok(loose) => loosely(loose),
                Err(_) => by_lines(bytes, &e),
            },
        }
        .map_err(Unreadable::Damaged)?,
    };
    match parts.format {
        Some(format) if format > FORMAT => Err(Unreadable::Newer(format)),
        Some(format) if format >= INLINE_CODE => {
            assemble(format, parts).map_err(Unreadable::Damaged)
        }
        Some(_) => Err(Unreadable::Damaged("there never was a format 0".into())),
        None => Err(Unreadable::Damaged("it names no format".into())),
    }
}

fn whole(written: Written) -> Parts {
    let Written {
        format,
        code,
        stages,
    } = written;
    let tables = code.0.into_iter();
    let blocks = stages.0.into_iter();
    Parts {
        format: Some(format),
        has_stages: true,
        tables: tables.map(|(name, t)| (name, None, Ok(t))).collect(),
        blocks: blocks.map(|(id, b)| (id, None, Ok(b))).collect(),
        problems: Vec::new(),
    }
}

/// What is JSON, whatever its blocks hold.
#[derive(Deserialize)]
struct Loose {
    format: u64,
    #[serde(default)]
    code: Entries<Json>,
    stages: Entries<Json>,
    #[serde(flatten)]
    rest: BTreeMap<String, Json>,
}

fn loosely(loose: Loose) -> Read<Parts> {
    fn each<T: DeserializeOwned>(entries: Entries<Json>) -> Vec<(String, Option<usize>, Read<T>)> {
        let entries = entries.0.into_iter();
        let read = |json| serde_json::from_value(json).map_err(|e| in_words(&e));
        entries
            .map(|(name, json)| (name, None, read(json)))
            .collect()
    }
    let unknown = loose.rest.into_keys().map(|name| Problem {
        stage: None,
        line: None,
        why: format!("it has a part `{name}`, which nothing here knows"),
    });
    Ok(Parts {
        format: Some(loose.format),
        has_stages: true,
        tables: each(loose.code),
        blocks: each(loose.stages),
        problems: unknown.collect(),
    })
}

/// What JSON says of a text, without where in a part of it that was.
fn in_words(e: &serde_json::Error) -> String {
    let text = e.to_string();
    if text.contains("untagged") {
        return "its code is neither a name nor a table".into();
    }
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

/// Where a line of a damaged text stands.
enum Section {
    None,
    Code,
    Stages,
    Unknown,
}

/// Takes apart what is no JSON but has the lines of what [`write`] wrote; `whole` is what JSON says.
fn by_lines(bytes: &[u8], whole: &serde_json::Error) -> Read<Parts> {
    let lines: Vec<&[u8]> = bytes
        .split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .collect();
    let mut parts = Parts::default();
    let mut section = Section::None;
    let mut at = 0;
    while at < lines.len() {
        let (line, start) = (lines[at], at);
        at += 1;
        let inside = !matches!(section, Section::None);
        match line {
            b"" | b"{" | b"}" if !inside => {}
            b"  }" | b"  }," => section = Section::None,
            b"  \"code\": {" => section = Section::Code,
            b"  \"stages\": {" => {
                section = Section::Stages;
                parts.has_stages = true;
            }
            b"  \"code\": {}," | b"  \"stages\": {}" => parts.has_stages |= line[3] == b's',
            _ if line.starts_with(b"  \"format\": ") && !inside => {
                let number = line[12..].strip_suffix(b",").unwrap_or(&line[12..]);
                let number = std::str::from_utf8(number).ok();
                parts.format = number.and_then(|number| number.parse().ok());
            }
            _ => match head(line).filter(|_| inside) {
                Some((name, text)) => {
                    let mut block = text.to_vec();
                    // To the line that ends it, or to the next that cannot be in it.
                    let is_end = |line: &[u8]| [&b"    }"[..], b"    },"].contains(&line);
                    let is_other = |line: &[u8]| head(line).is_some() || is_outer(line);
                    let mut is_whole = text.len() > 1;
                    while !is_whole && at < lines.len() && !is_other(lines[at]) {
                        is_whole = is_end(lines[at]);
                        block.push(b'\n');
                        block.extend_from_slice(lines[at]);
                        at += 1;
                    }
                    let block = block.strip_suffix(b",").unwrap_or(&block);
                    let line = Some(start + 1);
                    match section {
                        Section::Code => parts.tables.push((name, line, json(block))),
                        Section::Stages => parts.blocks.push((name, line, json(block))),
                        _ => {}
                    }
                }
                None => {
                    let is_section = is_outer(line) && line.ends_with(b"{");
                    if is_section {
                        section = Section::Unknown;
                    }
                    let line = String::from_utf8_lossy(line).trim().to_owned();
                    parts.problems.push(Problem {
                        stage: None,
                        line: Some(start + 1),
                        why: format!("`{}` says nothing here", shortened(&line)),
                    });
                }
            },
        }
    }
    if !parts.has_stages || parts.format.is_none() {
        return Err(whole.to_string());
    }
    parts.problems.push(Problem {
        stage: None,
        line: Some(whole.line()),
        why: format!("it is no JSON: {}", in_words(whole)),
    });
    Ok(parts)
}

/// The name of an entry that starts in this line, and the start of its value.
fn head(line: &[u8]) -> Option<(String, &[u8])> {
    let line = line.strip_prefix(b"    ")?;
    let line = line.starts_with(b"\"").then_some(line)?;
    let value = line.iter().rposition(|&byte| byte == b'{')?;
    let name = line[..value].strip_suffix(b": ")?;
    let value = &line[value..];
    let is_start = [&b"{"[..], b"{}", b"{},"].contains(&value);
    let name = serde_json::from_slice(name).ok().filter(|_| is_start)?;
    Some((name, value))
}

/// Whether a line stands where sections start and end.
fn is_outer(line: &[u8]) -> bool {
    line.starts_with(b"  \"") || line.starts_with(b"  }")
}

fn json<T: DeserializeOwned>(bytes: &[u8]) -> Read<T> {
    serde_json::from_slice(bytes).map_err(|e| in_words(&e))
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Binds blocks to the code that they name. What is wrong with one of them is its own problem.
fn assemble(format: u64, parts: Parts) -> Read<Salvaged> {
    let mut problems = parts.problems;
    // A format that is older than what the file holds is a damaged number.
    let whole = parts.blocks.iter().filter_map(|(.., b)| b.as_ref().ok());
    let mut records = whole.flat_map(|block| block.outputs.values());
    if (format < FORMAT && records.any(|record| record.published.is_some()))
        || (format == INLINE_CODE && !parts.tables.is_empty())
    {
        return Err(format!("it holds more than format {format} can"));
    }
    let mut tables: BTreeMap<String, Arc<Table>> = BTreeMap::new();
    for (name, line, table) in parts.tables {
        let why = match table {
            Ok(table) => match tables.get(&name) {
                Some(known) if **known != table => {
                    format!("the code `{name}` stands twice, and not alike")
                }
                _ => {
                    tables.insert(name, Arc::new(table));
                    continue;
                }
            },
            Err(why) => format!("the code `{name}` cannot be read: {why}"),
        };
        let stage = None;
        problems.push(Problem { stage, line, why });
    }
    let mut lock = Lock::default();
    let mut bad = BTreeSet::new();
    // Stages that were made by code that is not there.
    let mut without: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, line, block) in parts.blocks {
        let block = block.map_err(|why| format!("its block cannot be read: {why}"));
        let block = block.and_then(|block| {
            block.outputs.values().try_for_each(|record| {
                let inside = files::inside(&record.path).map(drop);
                inside.map_err(|why| format!("its path `{}` {why}", shortened(&record.path)))
            })?;
            Ok(bound(block, &tables))
        });
        let why = match block {
            Ok((block, missing)) => match lock.stages.get(&id) {
                Some(known) if *known != block => {
                    "its block stands twice, and not alike".to_owned()
                }
                _ => {
                    if let Some(name) = missing {
                        without.entry(name).or_default().push(id.clone());
                    }
                    lock.stages.insert(id, block);
                    continue;
                }
            },
            Err(why) => why,
        };
        bad.insert(id.clone());
        let stage = Some(id);
        problems.push(Problem { stage, line, why });
    }
    for (name, stages) in without {
        let why = format!(
            "there is no code `{name}`, by which {} was made",
            names(&stages)
        );
        let (stage, line) = (None, None);
        problems.push(Problem { stage, line, why });
    }
    lock.stages.retain(|id, _| !bad.contains(id));
    match problems.len() {
        0..=MOST => Ok((lock, problems)),
        many => Err(format!("{many} parts of it are damaged")),
    }
}

/// A block, and the name of the code that it refers to where there is none.
fn bound(block: WrittenBlock, tables: &BTreeMap<String, Arc<Table>>) -> (Block, Option<String>) {
    let (code, missing) = match block.code {
        WrittenCode::Inline(table) => (Arc::new(table), None),
        WrittenCode::Name(name) => match tables.get(&name) {
            Some(table) => (table.clone(), None),
            None => (Arc::default(), Some(name)),
        },
    };
    let parts = KeyParts {
        kind: block.kind,
        params: block.params,
        inputs: block.inputs,
        code,
    };
    let (key, outputs) = (block.key, block.outputs);
    let block = Block {
        key,
        parts,
        outputs,
    };
    (block, missing)
}

/// The first of some names, and how many more there are.
fn names(all: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = all.iter().take(SHOWN).map(String::as_str);
    let shown = shown.collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// What both sides of a merge agree on, or only one of them changed.
fn read_sides(sides: &Sides) -> Result<Salvaged, Unreadable> {
    let read = |side: &[u8], name: &str| match read_one(side) {
        Err(Unreadable::Damaged(why)) => Err(Unreadable::Unmerged(format!(
            "{name} cannot be read: {why}"
        ))),
        read => read,
    };
    let (mut ours, mut problems) = read(&sides.ours, "our side of the merge")?;
    let (mut theirs, more) = read(&sides.theirs, "their side of the merge")?;
    problems.extend(more);
    // Line numbers are those of one side.
    problems.iter_mut().for_each(|problem| problem.line = None);
    let mut seen = BTreeSet::new();
    problems.retain(|problem| seen.insert(problem.clone()));
    let base = sides.base.as_deref().and_then(|base| read_one(base).ok());
    let base = base.map(|(lock, _)| lock.stages).unwrap_or_default();
    let bad: BTreeSet<String> = problems.iter().filter_map(|p| p.stage.clone()).collect();
    let mut ids: BTreeSet<String> = ours.stages.keys().cloned().collect();
    ids.extend(theirs.stages.keys().cloned());
    let mut lock = Lock::default();
    let mut conflicts = 0;
    for id in ids.into_iter().filter(|id| !bad.contains(id)) {
        let before = base.get(&id);
        let (our, their) = (ours.stages.remove(&id), theirs.stages.remove(&id));
        let taken = match (our, their) {
            (Some(our), Some(their)) if our == their => our,
            (Some(our), Some(their)) if before == Some(&our) => their,
            (Some(our), Some(their)) if before == Some(&their) => our,
            (Some(_), Some(_)) => {
                conflicts += 1;
                problems.push(Problem {
                    stage: Some(id),
                    line: None,
                    why: "both sides of a merge changed it".into(),
                });
                continue;
            }
            // The other side took away what this one left as it was.
            (Some(only), None) | (None, Some(only)) if before == Some(&only) => continue,
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => continue,
        };
        lock.stages.insert(id, taken);
    }
    let kept = lock.stages.len();
    let why = format!(
        "it holds the conflict markers of a merge: {kept} stages are the same on both sides or changed on one, {conflicts} are not"
    );
    let (stage, line) = (None, Some(sides.line));
    problems.insert(0, Problem { stage, line, why });
    Ok((lock, problems))
}
