//! Which file is whose output: paths compared as a file system may do.
//!
//! Two paths are one file where they differ in nothing but case or Unicode's normal form: some file
//! systems keep only one of them, and a repository is checked out on all. Knows paths and ids; what
//! a file is read for, the caller knows.

use crate::base::error::{Error, Result};
use crate::spec::expand::Draft;
use crate::stage::kind::Kind;
use crate::stage::stage::{OUTPUT_FOLDERS, Stage};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use unicode_normalization::UnicodeNormalization;

/// An output: whose, which, and where.
#[derive(Clone, Debug)]
struct Output {
    stage: String,
    name: String,
    path: PathBuf,
}

/// All outputs of a pipeline by their paths, folded.
pub struct OutputFiles(BTreeMap<String, Output>);

/// Links are followed at most so often: there may be a ring of them.
const MAX_LINKS: usize = 40;

impl OutputFiles {
    /// The outputs as drafts have them; what is no path of an output is refused elsewhere.
    pub fn of_drafts(drafts: &[Draft]) -> Self {
        let mut outputs = BTreeMap::new();
        for draft in drafts {
            for (name, node) in &draft.outputs {
                let Some(path) = node.scalar_text().and_then(|text| plain(&text)) else {
                    continue;
                };
                let output = Output {
                    stage: draft.id.clone(),
                    name: name.text.clone(),
                    path,
                };
                outputs.entry(folded(&output.path)).or_insert(output);
            }
        }
        OutputFiles(outputs)
    }

    /// The outputs of stages.
    ///
    /// # Errors
    /// Two of them cannot be there at once.
    pub fn of_stages(stages: &[Stage]) -> Result<Self> {
        let mut outputs = OutputFiles(BTreeMap::new());
        for stage in stages {
            for (name, path) in &stage.outputs {
                let output = Output {
                    stage: stage.id.clone(),
                    name: name.clone(),
                    path: path.clone(),
                };
                let folded = folded(path);
                if let Some(other) = outputs.beside(&folded) {
                    return Err(clash(other, &output).at(&stage.place));
                }
                outputs.0.insert(folded, output);
            }
        }
        Ok(outputs)
    }

    /// What cannot be there beside this path: the same, what it lies below, or what lies below it.
    fn beside(&self, folded: &str) -> Option<&Output> {
        let ends = folded.match_indices('/').map(|(end, _)| end);
        let mut above = ends.chain([folded.len()]).map(|end| &folded[..end]);
        let above = above.find_map(|path| self.0.get(path));
        above.or_else(|| {
            let below = format!("{folded}/");
            let (path, output) = self.0.range(below.clone()..).next()?;
            path.starts_with(&below).then_some(output)
        })
    }

    /// Refuses a file of the repository that is in truth made by a stage, or that nobody makes and
    /// that lies where outputs do. `reader` is the stage that would read it.
    ///
    /// # Errors
    /// What to write in its place.
    pub fn refuse(&self, file: &Path, shown: &str, reader: &str) -> Result<()> {
        let file = folded(file);
        if let Some(output) = self.beside(&file) {
            let Output { stage, name, path } = output;
            let same = folded(path) == file;
            if stage == reader && same {
                return Err(own(reader, shown));
            }
            let path = path.display();
            return Err(match same {
                true if path.to_string() == shown => {
                    Error::config(format!("`{shown}` is an output of stage `{stage}`"))
                }
                true => Error::config(format!("`{shown}` is {path}, an output of stage `{stage}`")),
                false => Error::config(format!(
                    "`{shown}` is no file beside {path}, an output of stage `{stage}`"
                )),
            }
            .hint(format!("write `{stage}.{name}`: then it is made first")));
        }
        let top = file.split('/').next();
        let is_below = |folder: &&str| top == Some(*folder);
        if let Some(folder) = OUTPUT_FOLDERS.iter().find(|folder| is_below(folder)) {
            let message =
                format!("no stage makes `{shown}`, and {folder}/ is for what stages make");
            let known: Vec<String> = self
                .0
                .values()
                .map(|o| o.path.display().to_string())
                .collect();
            let error = Error::config(message).suggest(shown, known.iter().map(String::as_str));
            let near = error
                .hint
                .clone()
                .filter(|hint| hint.starts_with("did you mean"));
            let hint = "put a file of your own below data/".to_owned();
            return Err(error.hint(near.map_or(hint.clone(), |near| format!("{near}; {hint}"))));
        }
        Ok(())
    }
}

/// The names of a draft's outputs: those of its kind, or what the draft declares where the kind leaves that
/// to its stages.
pub fn names(draft: &Draft, kind: &dyn Kind) -> Vec<String> {
    let declared = draft.outputs.iter().map(|(key, _)| key.text.clone());
    match kind.is_open() {
        true => declared.collect(),
        false => kind.outputs(),
    }
}

/// Refuses an output that a draft does not have.
///
/// # Errors
/// The nearest name of those that it has.
pub fn check_has(draft: &Draft, output: &str, kind: &dyn Kind) -> Result<()> {
    let known = names(draft, kind);
    if known.iter().any(|known| known == output) {
        return Ok(());
    }
    let message = format!("stage `{}` has no output `{output}`", draft.id);
    Err(Error::config(message).suggest(output, known.iter().map(String::as_str)))
}

/// A stage that reads what it writes.
pub fn own(stage: &str, what: &str) -> Error {
    let message = format!(
        "stages wait for each other: {stage} <- {stage} (it reads `{what}`, which it makes itself)"
    );
    Error::config(message).hint("take one of these inputs away")
}

fn clash(one: &Output, other: &Output) -> Error {
    let (a, b) = (one.path.display(), other.path.display());
    let message = if one.stage == other.stage {
        format!("stage `{}` writes both {a} and {b}", one.stage)
    } else if one.path == other.path {
        let (one, other) = (&one.stage, &other.stage);
        return Error::config(format!("stages `{one}` and `{other}` both write {a}"));
    } else {
        let (one, other) = (&one.stage, &other.stage);
        format!("stage `{one}` writes {a}, and stage `{other}` {b}")
    };
    let why = if one.path.starts_with(&other.path) || other.path.starts_with(&one.path) {
        "one would be a folder of the other"
    } else {
        "on some systems these are one file"
    };
    Error::config(format!("{message}: {why}"))
}

/// A path without regard to case and normal form, `/` between its parts.
pub fn folded(path: &Path) -> String {
    let mut folded = String::with_capacity(path.as_os_str().len());
    for component in path.components() {
        if !folded.is_empty() {
            folded.push('/');
        }
        let text = component.as_os_str().to_string_lossy();
        let is_folded = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
        if text.bytes().all(is_folded) {
            folded.push_str(&text);
            continue;
        }
        // Upper case first: what has two letters there (`ß`) has them then in lower case too.
        let upper = text.nfd().flat_map(char::to_uppercase);
        let lower: String = upper.flat_map(char::to_lowercase).collect();
        folded.extend(lower.nfd());
    }
    folded
}

/// The path below the root that a text names, however it goes there; `None` for one that leaves it.
pub fn plain(text: &str) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for component in Path::new(text).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir if path.pop() => {}
            _ => return None,
        }
    }
    Some(path)
}

/// Where a path leads when its links are followed, whether something is there or not.
pub fn followed(path: &Path) -> PathBuf {
    let mut links = 0;
    let mut real = PathBuf::new();
    let own = |path: &Path| -> Vec<std::ffi::OsString> {
        path.components()
            .rev()
            .map(|c| c.as_os_str().to_owned())
            .collect()
    };
    let mut ahead = own(path);
    while let Some(next) = ahead.pop() {
        if next == ".." {
            real.pop();
            continue;
        }
        if next == "." {
            continue;
        }
        let here = real.join(&next);
        match std::fs::read_link(&here) {
            Ok(target) if links < MAX_LINKS => {
                links += 1;
                ahead.extend(own(&target));
            }
            _ => real = here,
        }
    }
    real
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_some_file_system_takes_for_one_are_one() {
        let same = |a: &str, b: &str| folded(Path::new(a)) == folded(Path::new(b));
        for (a, b) in [
            ("figures/a.png", "figures/A.PNG"),
            ("figures/\u{e9}", "figures/e\u{301}"),
            ("figures/\u{c9}", "figures/e\u{301}"),
            ("figures/stra\u{df}e", "figures/STRASSE"),
            ("figures/\u{3a3}", "figures/\u{3c2}"),
            ("figures/\u{212b}", "figures/\u{e5}"),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
        for (a, b) in [("a/b", "a-b"), ("a", "b"), ("a1", "a2"), ("e", "\u{e9}")] {
            assert!(!same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn a_path_is_plain_however_it_is_written() {
        for text in ["a/b", "./a/b", "a//b", "a/./b/", "x/../a/b", "a/x/../b"] {
            assert_eq!(plain(text).as_deref(), Some(Path::new("a/b")), "{text}");
        }
        for text in ["/a/b", "../a", "a/../../b", ".."] {
            assert_eq!(plain(text), None, "{text}");
        }
    }

    #[test]
    fn links_are_followed_to_what_need_not_be_there() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        symlink("made", root.join("link")).unwrap();
        symlink("link/deep/../x", root.join("twice")).unwrap();
        symlink("ring", root.join("ring")).unwrap();
        assert_eq!(followed(&root.join("link/y")), root.join("made/y"));
        assert_eq!(followed(&root.join("twice")), root.join("made/x"));
        assert_eq!(followed(&root.join("link/../z")), root.join("z"));
        assert!(followed(&root.join("ring")).starts_with(&root));
    }
}
