//! Names, items and ids of stages: what can be one, when two are the same, and what files they name.
//!
//! Names become parts of ids, targets and file names, so they are compared as a file system may do:
//! without regard to case. Knows text; which stages there are, the caller says.

use crate::base::digest::Digest;
use crate::base::error::{Error, Result};
use crate::yaml::decimal::Decimal;
use crate::yaml::node::Key;
use std::collections::BTreeMap;

/// A longer name is refused.
const MAX_NAME: usize = 100;
/// An id that is longer is shortened where a file is called after it: file systems allow 255 bytes.
const MAX_FILE_NAME: usize = 200;
/// What of such an id stays.
const KEPT: usize = 150;

/// What a name is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Stage,
    Group,
    Profile,
    Axis,
    Variable,
    /// An item of an axis: it may be a number.
    Item,
    Input,
    Output,
}

impl Role {
    fn text(self) -> &'static str {
        match self {
            Role::Stage => "a stage",
            Role::Group => "a group",
            Role::Profile => "a profile",
            Role::Axis => "an axis",
            Role::Variable => "a variable",
            Role::Item => "an item",
            Role::Input => "an input",
            Role::Output => "an output",
        }
    }
}

/// Refuses what cannot be a name, with the reason.
pub fn check_name(key: &Key, role: Role) -> Result<()> {
    let (text, is_item) = (key.text.as_str(), role == Role::Item);
    let may = |c: &char| c.is_ascii_alphanumeric() || "_-".contains(*c) || (is_item && *c == '.');
    let wrong = text.chars().find(|c| !may(c));
    let why = if text.is_empty() {
        "it is empty".to_owned()
    } else if let Some(c) = wrong {
        format!("it holds `{}`", c.escape_debug())
    } else if text.len() > MAX_NAME {
        format!("it has {} characters, more than {MAX_NAME}", text.len())
    } else if is_item && text.starts_with('.') {
        "it begins with `.`".to_owned()
    } else if !is_item && text.starts_with('-') {
        "it begins with `-`, as options do".to_owned()
    } else if role == Role::Stage && text == "vars" {
        "`vars.name` is a variable".to_owned()
    } else if role == Role::Profile && text == "default" {
        "that is what no profile is called".to_owned()
    } else {
        return Ok(());
    };
    let shown: String = text.chars().take(MAX_NAME).collect();
    let message = format!(
        "`{}` is no name for {}: {why}",
        shown.escape_debug(),
        role.text()
    );
    let error = Error::config(message).at(&key.place);
    Err(error.hint(match is_item {
        true => "use letters, digits, `_`, `-` and `.`; another value gets a name of its own: `AXIS: {NAME: VALUE}`",
        false => "use letters, digits, `_` and `-`",
    }))
}

/// The name by which the outputs of a stage have its id.
pub const ID: &str = "id";

/// Refuses a variable or an axis that would hide the stage's id.
pub fn check_not_reserved(key: &Key, role: Role) -> Result<()> {
    if key.text != ID {
        return Ok(());
    }
    let message = format!(
        "`{ID}` is no name for {}: `${{{ID}}}` is the id of the stage",
        role.text()
    );
    Err(Error::config(message)
        .at(&key.place)
        .hint("give it another name"))
}

/// Refuses two names that some file system, or somebody who types a number, takes for one.
pub fn check_unique<'a>(keys: impl IntoIterator<Item = &'a Key>, role: Role) -> Result<()> {
    let mut seen: BTreeMap<String, &Key> = BTreeMap::new();
    for key in keys {
        let same = canonical(&key.text).to_ascii_lowercase();
        let Some(other) = seen.insert(same, key) else {
            continue;
        };
        let (a, b) = (&other.text, &key.text);
        let what = role.text().split(' ').next_back().unwrap_or_default();
        let message = if a == b {
            format!("{what} `{a}` stands twice")
        } else if canonical(a) == canonical(b) {
            format!("{what}s `{a}` and `{b}` are the same number")
        } else {
            format!(
                "{what}s `{a}` and `{b}` differ in nothing but case: their files would be the same on some systems"
            )
        };
        return Err(Error::config(message).at(&key.place));
    }
    Ok(())
}

/// An item's text, the same for every way of writing a number.
pub fn canonical(item: &str) -> String {
    match Decimal::read(item) {
        Ok(number) if item.trim() == item => number.text(),
        _ => item.to_owned(),
    }
}

/// An id, the same for every way of writing the numbers among its items: `s@1e-3` is `s@0.001`.
pub fn canonical_id(id: &str) -> String {
    match id.split_once('@') {
        None => id.to_owned(),
        Some((name, items)) => {
            let items: Vec<String> = items.split(',').map(canonical).collect();
            format!("{name}@{}", items.join(","))
        }
    }
}

/// Characters of a glob that stand for others.
const WILD: [char; 3] = ['*', '?', '['];

/// After the last of these a glob is text. (`]` ends a class, all of which stands before it.)
const ENDS: [char; 4] = ['*', '?', '[', ']'];

/// The ids, names and globs that somebody may mean.
pub struct Pattern<'a> {
    text: &'a str,
    glob: glob::Pattern,
    canonical: String,
    /// Whether characters of it stand for others.
    is_glob: bool,
    /// How every id begins that it matches.
    start: &'a str,
    /// What stands after the last character that may stand for others, or end a class of them.
    end: &'a str,
}

impl<'a> Pattern<'a> {
    /// Reads a pattern.
    ///
    /// # Errors
    /// It is no glob.
    pub fn read(text: &'a str) -> Result<Self> {
        let glob = glob::Pattern::new(text).map_err(|e| {
            let message = format!("`{text}` is no glob: {}", e.msg);
            Error::config(message)
                .hint("`*` stands for any text, `?` for a character, `[ab]` for one of these")
        })?;
        let canonical = canonical_id(text);
        // What stands before the first character that stands for others, or the name: a number among the items may
        // be written in other ways.
        let wild = text.find(WILD);
        let start = &text[..wild.or_else(|| text.find('@')).unwrap_or(text.len())];
        Ok(Pattern {
            text,
            glob,
            canonical,
            is_glob: wild.is_some(),
            start,
            end: &text[text.rfind(ENDS).map_or(0, |last| last + 1)..],
        })
    }

    /// Whether the pattern has characters that stand for others.
    pub fn is_glob(&self) -> bool {
        self.is_glob
    }

    /// How every id begins that it matches.
    pub fn start(&self) -> &'a str {
        self.start
    }

    /// Whether it is this id, the name before `@`, or a glob of it.
    pub fn matches(&self, id: &str) -> bool {
        // Most patterns are compared with many ids that begin otherwise.
        if !id.starts_with(self.start) {
            return false;
        }
        let name = id.split('@').next().unwrap_or(id);
        if id == self.text || name == self.text {
            return true;
        }
        if self.is_glob {
            return id.ends_with(self.end) && self.glob.matches(id);
        }
        let same_name = self.text.split_once('@').is_some_and(|(n, _)| n == name);
        same_name && canonical_id(id) == self.canonical
    }
}

/// The id as part of the name of a file: `finetune@0,zs` is `finetune_0_zs` there.
pub fn in_file_name(id: &str) -> String {
    id.replace(['@', ','], "_")
}

/// What a file of a stage is called, such as its log; of a long id with a digest in place of its end.
pub fn file_name(id: &str, end: &str) -> String {
    if id.len() <= MAX_FILE_NAME {
        return format!("{id}{end}");
    }
    let kept: String = id.chars().take(KEPT).collect();
    format!("{kept}-{}{end}", Digest::of(id.as_bytes()).short())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_long_ids_have_short_names_of_their_own() {
        let long = |end: &str| format!("s@{}{end}", "x,".repeat(2000));
        let (a, b) = (file_name(&long("a"), ".log"), file_name(&long("b"), ".log"));
        assert!(a != b && a.len() < 255 && a.ends_with(".log"), "{a} {b}");
        assert_eq!(file_name("s@1", ".log"), "s@1.log");
    }

    #[test]
    fn numbers_in_ids_are_found_however_they_are_written() {
        let matches = |pattern: &str, id: &str| Pattern::read(pattern).unwrap().matches(id);
        for pattern in [
            "s",
            "s@0.001,b",
            "s@1e-3,b",
            "s@.001,b",
            "s@*,b",
            "s@0.00?,b",
        ] {
            assert!(matches(pattern, "s@0.001,b"), "{pattern}");
        }
        for pattern in ["s@", "s@1e-4,b", "s@0.001", "t", "s@1e-3,B", "@"] {
            assert!(!matches(pattern, "s@0.001,b"), "{pattern}");
        }
        assert!(!matches("s@007", "s@7"));
    }
}
