//! How a lock is written down, and how it is read back, also where lines of it are damaged.
//!
//! ```text
//! # retrace lock 4
//! fit d131…85 model=artifacts/~/model.json#0f3c…a1 plot=figures/fit.svg#77ab…02#9c1e…4d#e0b7…6f
//! ```
//!
//! One line for each stage, sorted: its id, its key, then for each output a name, a path and a digest of the
//! content. An output that carries provenance has two more: of the file, and of what the provenance was
//! made of. An output that need not be the same bytes elsewhere has a word at the end of the line that names the
//! basis of comparison, such as `within:csv(accuracy:r1e-6,rows:3)`, see [`crate::stage::tolerance`]. `~` in a path is the stage's id with `_` for `@` and `,`. So git merges what different people
//! changed, and a review shows which stages moved. What the keys were made of stands elsewhere, see
//! [`crate::lock::keys`].
//!
//! Each line stands for itself: one that cannot be read is a [`Problem`], and the others are read.

use crate::base::digest::Digest;
use crate::base::files;
use crate::lock::block::{Block, Lock, Problem, Record, Salvaged, Unreadable, is_word};
use crate::lock::conflict::{self, Sides};
use crate::lock::older;
use crate::stage::publication::Publication;
use crate::stage::tolerance;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The format that is written.
pub const FORMAT: u64 = 4;
/// Begins the first line; the number of the format follows.
const TITLE: &str = "# retrace lock ";

/// A text with more problems is somebody else's.
const MOST: usize = 100_000;

/// A line of a stage: its number, and what it says or why it cannot be read.
type Line = (usize, Result<Block, String>);

/// The lock as text.
pub fn write(lock: &Lock) -> Vec<u8> {
    let mut text = format!("{TITLE}{FORMAT}\n");
    for (id, block) in &lock.stages {
        let _ = write!(text, "{id} {}", block.key);
        for (name, record) in &block.outputs {
            let path = short_path(&record.path, &file_name(id));
            let _ = write!(text, " {name}={path}#{}", record.digest);
            if let Some(Publication { key, digest }) = record.published {
                let _ = write!(text, "#{digest}#{key}");
            }
        }
        for (name, basis) in &block.basis {
            let _ = write!(text, " {}", basis.word(name));
        }
        text.push('\n');
    }
    text.into_bytes()
}

/// A stage's id as it stands in names of files.
pub fn file_name(id: &str) -> String {
    id.replace(['@', ','], "_")
}

/// A path with `~` for the first step that is `name` or begins with it and a dot; what a line cannot
/// hold is written as `%` and two digits.
fn short_path(path: &str, name: &str) -> String {
    let mut text = String::with_capacity(path.len());
    let mut is_new = true;
    for (at, step) in path.split('/').enumerate() {
        if at > 0 {
            text.push('/');
        }
        let rest = step.strip_prefix(name);
        match rest.filter(|rest| is_new && (rest.is_empty() || rest.starts_with('.'))) {
            Some(rest) => {
                is_new = false;
                text.push('~');
                escape(rest, &mut text);
            }
            None => escape(step, &mut text),
        }
    }
    text
}

fn escape(step: &str, text: &mut String) {
    for c in step.chars() {
        match c {
            '%' | '#' | '~' | '\u{7f}' | '\0'..=' ' => {
                let _ = write!(text, "%{:02X}", u32::from(c));
            }
            c => text.push(c),
        }
    }
}

fn long_path(text: &str, name: &str) -> Option<String> {
    let mut path = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['%', '~']) {
        path.push_str(&rest[..at]);
        if rest[at..].starts_with('~') {
            path.push_str(name);
            rest = &rest[at + 1..];
        } else {
            let code = rest.get(at + 1..at + 3)?;
            path.push(char::from(
                u8::from_str_radix(code, 16).ok().filter(u8::is_ascii)?,
            ));
            rest = &rest[at + 3..];
        }
    }
    path.push_str(rest);
    Some(path)
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
    let damaged = |why: String| Err(Unreadable::Damaged(why));
    if bytes.trim_ascii_start().starts_with(b"{") {
        return older::read(bytes, FORMAT);
    }
    let mut format = None;
    let mut problems = Vec::new();
    let mut found: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    for (index, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let line_number = index + 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        if let Some(number) = line.strip_prefix(TITLE.as_bytes()) {
            let number = std::str::from_utf8(number).ok();
            // A union of two texts has it twice.
            format = format.max(number.and_then(|number| number.trim().parse::<u64>().ok()));
            continue;
        }
        match std::str::from_utf8(line).ok().and_then(head) {
            Some((id, rest)) => {
                let blocks = found.entry(id.to_owned()).or_default();
                blocks.push((line_number, block(id, rest)));
            }
            None => problems.push(Problem {
                stage: None,
                line: Some(line_number),
                why: format!(
                    "`{}` says nothing here",
                    shortened(&String::from_utf8_lossy(line))
                ),
            }),
        }
    }
    match format {
        None => return damaged(format!("its first line is not `{TITLE}{FORMAT}`")),
        Some(format) if format > FORMAT => return Err(Unreadable::Newer(format)),
        Some(FORMAT) => {}
        Some(format) => return damaged(format!("format {format} has no lines")),
    }
    let mut lock = Lock::default();
    for (id, mut blocks) in found {
        let (line, first) = blocks.remove(0);
        let other = blocks.iter().find(|(_, block)| *block != first);
        match (first, other) {
            (Ok(block), None) => drop(lock.stages.insert(id, block)),
            (Err(why), None) => problems.push(Problem {
                stage: Some(id),
                line: Some(line),
                why,
            }),
            (first, Some((second, _))) => {
                problems.push(Problem {
                    stage: Some(id.clone()),
                    line: Some(line),
                    why: format!("line {second} says something else of it, as when both sides of a merge changed it; the one that has its key counts"),
                });
                let all = std::iter::once(first).chain(blocks.into_iter().map(|(_, block)| block));
                lock.rivals.insert(id, all.filter_map(Result::ok).collect());
            }
        }
    }
    problems.sort_by_key(|problem| problem.line);
    match problems.len() {
        0..=MOST => Ok((lock, problems)),
        many => damaged(format!("{many} lines of it are damaged")),
    }
}

/// The id at the start of a line, and the rest: a line of a stage has a key at least.
fn head(line: &str) -> Option<(&str, &str)> {
    let (id, rest) = line.split_once(' ')?;
    (is_word(id) && !rest.is_empty()).then_some((id, rest))
}

fn block(id: &str, rest: &str) -> Result<Block, String> {
    // In one spelling: a large letter is a small one that lost a bit.
    let digest = |text: &str| {
        let found = Digest::try_from(text).ok();
        let found = found.filter(|found| found.to_string() == text);
        found.ok_or_else(|| format!("`{}` is no digest", shortened(text)))
    };
    let mut words = rest.split(' ');
    let key = digest(words.next().unwrap_or_default())?;
    let mut outputs = BTreeMap::new();
    let mut basis = BTreeMap::new();
    for word in words {
        if word.starts_with(tolerance::WORD) {
            let (name, own) = tolerance::read_word(word)
                .filter(|(name, _)| outputs.contains_key(*name))
                .ok_or_else(|| format!("`{}` is no basis of comparison", shortened(word)))?;
            if basis.insert(name.to_owned(), own).is_some() {
                return Err(format!("the basis of `{}` stands twice", shortened(name)));
            }
            continue;
        }
        let wrong = || {
            format!(
                "`{}` is no output with a path and a digest",
                shortened(word)
            )
        };
        let (name, rest) = word.split_once('=').ok_or_else(wrong)?;
        if !is_word(name) {
            return Err(wrong());
        }
        let mut parts = rest.split('#');
        let path = parts.next().unwrap_or_default();
        let path = long_path(path, &file_name(id)).ok_or_else(wrong)?;
        let inside = files::inside(&path).map(drop);
        inside.map_err(|why| format!("its path `{}` {why}", shortened(&path)))?;
        let digests = parts.map(digest).collect::<Result<Vec<_>, _>>()?;
        let (content, published) = match digests[..] {
            [content] => (content, None),
            [content, digest, key] => (content, Some(Publication { key, digest })),
            _ => return Err(wrong()),
        };
        let record = Record {
            path,
            digest: content,
            published,
        };
        if outputs.insert(name.to_owned(), record).is_some() {
            return Err(format!("its output `{}` stands twice", shortened(name)));
        }
    }
    let parts = None;
    Ok(Block {
        key,
        parts,
        outputs,
        basis,
    })
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
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
            (Some(our), Some(their)) => {
                conflicts += 1;
                problems.push(Problem {
                    stage: Some(id.clone()),
                    line: None,
                    why: "both sides of a merge changed it".into(),
                });
                lock.rivals.insert(id, vec![our, their]);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_back_whatever_they_hold() {
        let name = file_name("fit@a,b");
        for path in [
            "artifacts/fit_a_b/model.json",
            "figures/fit_a_b.svg",
            "figures/fit_a_bc.svg",
            "artifacts/fit_a_b/fit_a_b/x y#~%.csv",
            "artifacts/ö/%7E",
        ] {
            let short = short_path(path, &name);
            assert!(!short.contains(' '), "{short}");
            assert_eq!(long_path(&short, &name).as_deref(), Some(path), "{short}");
        }
        assert_eq!(
            short_path("artifacts/fit_a_b/model.json", &name),
            "artifacts/~/model.json"
        );
        assert_eq!(long_path("a%zz", &name), None);
        assert_eq!(long_path("a%", &name), None);
    }
}
