//! Lines of names: a language's tag, a thing and its name, with tabs between; and what they say of a language.
//!
//! Does not know which of them are for what.

use std::collections::BTreeMap;
use unicode_script::{Script, UnicodeScript};

/// A language's tag, a thing and its name.
pub type Line<'a> = [&'a str; 3];

/// Rows in messages are counted from 1.
pub fn parse(text: &str) -> std::result::Result<Vec<Line<'_>>, String> {
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut lines = Vec::new();
    for (row, line) in text.lines().enumerate() {
        let row = row + 1;
        let fields: Vec<&str> = line.split('\t').collect();
        let [language, thing, name] = fields[..] else {
            let found = fields.len();
            return Err(format!(
                "row {row} has {found} columns, expected 3 with tabs between: language, thing, name"
            ));
        };
        for (what, field) in [("language", language), ("thing", thing), ("name", name)] {
            if field.trim() != field || field.is_empty() || field.contains(char::is_control) {
                return Err(format!(
                    "row {row}: the {what} `{}` is empty, has blanks around it or a control character",
                    field.escape_debug()
                ));
            }
        }
        if let Some(first) = seen.insert((language, thing), row) {
            return Err(format!(
                "row {row}: language `{language}` names `{thing}` already in row {first}"
            ));
        }
        lines.push([language, thing, name]);
    }
    match lines.is_empty() {
        true => Err("it has no rows".into()),
        false => Ok(lines),
    }
}

/// What English calls a language: `sr-Latn` is Serbian (Latin). The tag where the file does not say.
pub fn english(lines: &[Line], tag: &str) -> String {
    let name = |thing: String| {
        let of_thing = |line: &&Line| line[0] == "en" && line[1] == thing;
        lines.iter().find(of_thing).map(|line| line[2].to_owned())
    };
    if let Some(name) = name(format!("language/{tag}")) {
        return name;
    }
    let parts = tag.split_once('-').and_then(|(language, script)| {
        let (language, script) = (
            name(format!("language/{language}"))?,
            name(format!("script/{script}"))?,
        );
        Some(format!("{language} ({script})"))
    });
    parts.unwrap_or_else(|| tag.to_owned())
}

/// The script of most letters; of as many, the first by name. Letters that several scripts have do not count.
pub fn script(lines: &[Line]) -> Script {
    let mut counts: BTreeMap<&str, (usize, Script)> = BTreeMap::new();
    for letter in lines.iter().flat_map(|line| line[2].chars()) {
        let script = letter.script();
        let counts_not = [Script::Common, Script::Inherited, Script::Unknown];
        if letter.is_alphabetic() && !counts_not.contains(&script) {
            counts.entry(script.full_name()).or_insert((0, script)).0 += 1;
        }
    }
    // The last of the largest, so in reverse.
    let most = counts.into_values().rev().max_by_key(|(count, _)| *count);
    most.map_or(Script::Unknown, |(_, script)| script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_that_of_most_letters() {
        let of = |names: &[&'static str]| {
            let lines: Vec<Line> = names.iter().map(|name| ["x", "y", *name]).collect();
            script(&lines)
        };
        assert_eq!(of(&["Ελλάδα (USA)", "11"]), Script::Greek);
        assert_eq!(of(&["ab", "вг"]), Script::Cyrillic);
        assert_eq!(of(&["1'2"]), Script::Unknown);
    }

    #[test]
    fn languages_have_english_names() {
        let text = "en\tlanguage/sr\tSerbian\nen\tscript/Latn\tLatin\nsr\tlanguage/sr\tсрпски\n";
        let lines = parse(text).unwrap();
        assert_eq!(english(&lines, "sr"), "Serbian");
        assert_eq!(english(&lines, "sr-Latn"), "Serbian (Latin)");
        assert_eq!(english(&lines, "sr-Cyrl"), "sr-Cyrl");
        assert_eq!(english(&lines, "de"), "de");
    }

    #[test]
    fn bad_rows_are_told_by_their_number() {
        let message = |text| parse(text).unwrap_err();
        assert_eq!(
            message("de\tx\tEins\nde\ty\n"),
            "row 2 has 2 columns, expected 3 with tabs between: language, thing, name"
        );
        assert_eq!(
            message("de\tx\tEins\nde\tx\tZwei\n"),
            "row 2: language `de` names `x` already in row 1"
        );
        assert!(message("de\tx\t\n").starts_with("row 1: the name ``"));
        assert!(message("de\tx\ta\u{1f}b\n").contains("`a\\u{1f}b`"));
        assert!(message(" de\tx\ta\n").contains("the language ` de`"));
        assert_eq!(message(""), "it has no rows");
    }
}
