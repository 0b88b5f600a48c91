//! Files as any program knows them: bytes, and lines where they are text.

use crate::program::changes::{Change, Changes, Difference, Unreadable, Version};
use crate::program::formats::Formats;
use retrace::base::error::Result as Checked;
use retrace::run::inspection::Inspector;
use serde_json::json;
use std::path::Path;

/// Compares bytes and lines.
#[derive(Clone, Copy, Debug)]
pub struct PlainFiles;

/// Endings of files whose changes one wants to read line by line.
const TEXT: [&str; 4] = ["csv", "json", "tsv", "txt"];

/// Reading bytes and lines harms nobody.
impl Inspector for PlainFiles {
    fn inspect(&self, _: &Path) -> Checked<()> {
        Ok(())
    }
}

impl Formats for PlainFiles {
    fn difference(&self, _: &Path, expected: &[u8], found: &[u8]) -> Option<Difference> {
        if expected == found {
            return None;
        }
        Some(match (str::from_utf8(expected), str::from_utf8(found)) {
            (Ok(expected), Ok(found)) => by_line(expected, found),
            _ => by_byte(expected, found),
        })
    }

    fn is_compared(&self, path: &Path, _: &[&Path]) -> bool {
        let ending = path.extension().unwrap_or_default();
        TEXT.iter().any(|known| ending == *known)
    }

    fn changes(&self, _: &Path, old: &[u8], new: &[u8]) -> Result<Changes, Unreadable> {
        let text = |which, bytes| {
            let why = "it is not UTF-8".to_owned();
            str::from_utf8(bytes).map_err(|_| Unreadable { which, why })
        };
        let (old, new) = (text(Version::Old, old)?, text(Version::New, new)?);
        Ok(changed_lines(old, new))
    }
}

/// The first line that differs, counted from 1.
fn by_line(expected: &str, found: &str) -> Difference {
    let (mut a, mut b) = (expected.split('\n'), found.split('\n'));
    let mut line = 1;
    let (a, b) = loop {
        match (a.next(), b.next()) {
            (Some(a), Some(b)) if a == b => line += 1,
            (a, b) => break (a, b),
        }
    };
    let shown = |line: Option<&str>| line.map_or("nothing".to_owned(), |line| format!("{line:?}"));
    Difference {
        words: format!("line {line}: {} expected, {} found", shown(a), shown(b)),
        json: json!({"by": "line", "line": line, "expected": a, "found": b}),
    }
}

/// The first byte that differs, counted from 0.
fn by_byte(expected: &[u8], found: &[u8]) -> Difference {
    let pairs = &mut expected.iter().zip(found);
    let offset = pairs.position(|(a, b)| a != b);
    let offset = offset.unwrap_or(expected.len().min(found.len()));
    let (a, b) = (expected.get(offset), found.get(offset));
    let shown =
        |byte: Option<&u8>| byte.map_or("nothing".to_owned(), |byte| format!("{byte:#04x}"));
    let sizes = (expected.len(), found.len());
    Difference {
        words: format!(
            "byte {offset}: {} expected, {} found; {} and {} bytes",
            shown(a),
            shown(b),
            sizes.0,
            sizes.1
        ),
        json: json!({
            "by": "byte",
            "offset": offset,
            "byte": {"expected": a, "found": b},
            "size": {"expected": sizes.0, "found": sizes.1},
        }),
    }
}

/// What stands between the first and the last lines that are alike: as changed lines where there are as
/// many of the old as of the new, else as lines that went and came.
fn changed_lines(old: &str, new: &str) -> Changes {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[head..], &new[head..]);
    let ends = old.iter().rev().zip(new.iter().rev());
    let tail = ends.take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
    if old.len() != new.len() {
        return Changes {
            rows_added: new.len(),
            rows_removed: old.len(),
            ..Changes::default()
        };
    }
    let pairs = old.iter().zip(new).enumerate();
    let values = pairs
        .filter(|(_, (a, b))| a != b)
        .map(|(at, (a, b))| Change {
            row: vec![(head + at + 1).to_string()],
            column: "line".into(),
            old: (*a).to_owned(),
            new: (*b).to_owned(),
            difference: None,
        });
    Changes {
        key: vec!["line".into()],
        values: values.collect(),
        ..Changes::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(expected: &[u8], found: &[u8]) -> Option<String> {
        let difference = PlainFiles.difference(Path::new("a"), expected, found);
        difference.map(|difference| difference.words)
    }

    #[test]
    fn text_differs_in_a_line_and_anything_else_in_a_byte() {
        assert_eq!(words(b"a\n", b"a\n"), None);
        let said = words(b"a\nb\n", b"a\nc\n");
        assert_eq!(said.as_deref(), Some("line 2: \"b\" expected, \"c\" found"));
        let said = words(b"a", b"a\nb");
        assert_eq!(
            said.as_deref(),
            Some("line 2: nothing expected, \"b\" found")
        );
        let said = words(&[0xff, 1], &[0xff]).unwrap();
        assert_eq!(said, "byte 1: 0x01 expected, nothing found; 2 and 1 bytes");
    }

    #[test]
    fn changed_lines_are_paired_and_others_counted() {
        let changes = |old: &str, new: &str| {
            PlainFiles.changes(Path::new("a.csv"), old.as_bytes(), new.as_bytes())
        };
        let found = changes("h\n1\n2\n3\n", "h\n1\n5\n3\n").unwrap();
        let values: Vec<(&str, &str, &str)> = found
            .values
            .iter()
            .map(|change| (&*change.row[0], &*change.old, &*change.new))
            .collect();
        assert_eq!(values, [("3", "2", "5")]);
        let found = changes("h\n1\n", "h\n1\n2\n3\n").unwrap();
        assert_eq!((found.rows_added, found.rows_removed), (2, 0));
        let bad = PlainFiles
            .changes(Path::new("a.csv"), b"a", &[0xff])
            .unwrap_err();
        assert_eq!(bad.which, Version::New);
    }
}
