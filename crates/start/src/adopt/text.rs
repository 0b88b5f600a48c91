//! A pipeline as it is written, for people who will go on with it.

use crate::adopt::pipeline::{Seen, Stage};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Files that are named in a comment; more are counted.
const NAMED: usize = 6;

/// pipeline.yaml. `from` is what was adopted, `program` what runs it, `left` what could not be adopted.
pub fn pipeline(seen: &Seen, from: &str, program: &str, left: &[String]) -> String {
    let mut text = format!(
        "# What `{program} adopt` saw when it ran {from}. From here on this file is yours.\n\
         #\n\
         #   {program} run      what is not up to date\n\
         #   {program} status   what is, what is not, and why\n\
         #\n\
         # What a command reads in the repository is found by watching it, and needs no line here. What an earlier\n\
         # stage makes is named under `inputs`; `places` says where the command itself reads and writes.\n"
    );
    if !left.is_empty() {
        text += "#\n# Not as it was:\n";
        for line in left {
            let _ = writeln!(text, "#   - {}", line.replace('\n', " "));
        }
    }
    text += "version: 2\n\n";
    let common = [
        ("environment", &seen.environment),
        ("packages", &seen.packages),
    ];
    let mut common: Vec<String> = common
        .iter()
        .filter_map(|(key, value)| Some(format!("{key}: {}", scalar(value.as_ref()?))))
        .collect();
    if !seen.variables.is_empty() {
        let variables = seen.variables.iter();
        let variables =
            variables.map(|(name, value)| format!("{name}: {}", quoted(&escaped(value))));
        common.push(format!(
            "env: {{{}}}",
            variables.collect::<Vec<_>>().join(", ")
        ));
    }
    if !common.is_empty() {
        let _ = writeln!(
            text,
            "kinds:\n  command: {{params: {{{}}}}}\n",
            common.join(", ")
        );
    }
    text += "stages:";
    for stage in &seen.stages {
        text.push('\n');
        text += &of_stage(stage);
    }
    text
}

fn of_stage(stage: &Stage) -> String {
    let mut text = format!("  {}:\n", stage.name);
    if let Some(about) = &stage.about {
        let about = about.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(text, "    about: {}", quoted(&escaped(&about)));
    }
    text += "    kind: command\n";
    if !stage.read.is_empty() {
        let named: Vec<String> = stage
            .read
            .iter()
            .take(NAMED)
            .map(|path| path.display().to_string().replace('\n', " "))
            .collect();
        let more = match stage.read.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let _ = writeln!(text, "    # It read {}{more}.", named.join(", "));
    }
    if !stage.inputs.is_empty() {
        let inputs = stage.inputs.iter();
        let inputs: Vec<String> = inputs
            .map(|(role, (output, _))| format!("{role}: {output}"))
            .collect();
        text += &entries("inputs", &inputs, "    ");
    }
    text += "    params:\n";
    let words: Vec<String> = stage.run.iter().map(|word| argument(word)).collect();
    let _ = writeln!(text, "      run: [{}]", words.join(", "));
    if !stage.folder.is_empty() {
        let _ = writeln!(text, "      folder: {}", scalar(&stage.folder));
    }
    let mut places: BTreeMap<&str, &Path> = BTreeMap::new();
    // An input lies where its stage has put it, which is never where it was written but for figures/ and artifacts/.
    places.extend(
        stage
            .inputs
            .iter()
            .map(|(role, (_, place))| (role.as_str(), place.as_path())),
    );
    let moved = stage
        .outputs
        .iter()
        .filter(|(_, (lies, place))| lies != place);
    places.extend(moved.map(|(name, (_, place))| (name.as_str(), place.as_path())));
    if !places.is_empty() {
        let places = places.iter();
        let places: Vec<String> = places
            .map(|(name, place)| format!("{name}: {}", scalar(&place.to_string_lossy())))
            .collect();
        text += &entries("places", &places, "      ");
    }
    let outputs = stage.outputs.iter();
    let outputs: Vec<String> = outputs
        .map(|(name, (lies, _))| format!("{name}: {}", scalar(&lies.to_string_lossy())))
        .collect();
    text += &entries("outputs", &outputs, "    ");
    text
}

/// A mapping: in one line where it is short.
fn entries(key: &str, entries: &[String], indent: &str) -> String {
    const WIDEST: usize = 90;
    let line = format!("{indent}{key}: {{{}}}\n", entries.join(", "));
    match line.len() <= WIDEST {
        true => line,
        false => {
            let lines = entries.iter().map(|entry| format!("{indent}  {entry}\n"));
            format!("{indent}{key}:\n{}", lines.collect::<String>())
        }
    }
}

/// An argument of a command: braces in it are meant as such.
fn argument(word: &str) -> String {
    scalar(&word.replace('{', "{{").replace('}', "}}"))
}

/// A text as a scalar that is read as that text, in a line of a mapping or list.
fn scalar(text: &str) -> String {
    let text = escaped(text);
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "_./".contains(c);
    let is_plain = |c: char| is_letter(c) || "-+=@%".contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_word = words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match begins && text.chars().all(is_plain) && !is_word {
        true => text,
        false => quoted(&text),
    }
}

/// Dollars before a brace are read in pairs.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    let mut dollars = 0;
    for c in text.chars() {
        if c == '{' {
            escaped.extend(std::iter::repeat_n('$', dollars));
        }
        dollars = if c == '$' { dollars + 1 } else { 0 };
        escaped.push(c);
    }
    escaped
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted += "\\\"",
            '\\' => quoted += "\\\\",
            '\n' => quoted += "\\n",
            '\t' => quoted += "\\t",
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use retrace::yaml::node::Node;

    #[test]
    fn every_text_is_read_back() {
        for text in [
            "a",
            "1",
            "-x",
            "no",
            "a b",
            "a: b",
            "#x",
            "\"q\" \\ \n\t",
            "é",
            "{a}",
            "",
            "~",
            "x/y-z.csv",
            "a,b",
        ] {
            let node = Node::parse("t", &format!("{{a: {}}}", scalar(text))).unwrap();
            let read = node.get("a").unwrap().text("a").unwrap().to_owned();
            assert_eq!(read, text);
        }
    }

    #[test]
    fn variables_of_a_shell_stay_its_own() {
        for (text, expected) in [
            ("echo ${HOME} $X", "\"echo $${{HOME}} $X\""),
            ("$$${a}", "\"$$$$$${{a}}\""),
            ("awk '{print $1}'", "\"awk '{{print $1}}'\""),
        ] {
            assert_eq!(argument(text), expected);
        }
    }
}
