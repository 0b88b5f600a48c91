//! A claim as a version of pipeline.yaml has it, whatever its format: what it says, asks and expects, and
//! which draws decide it.
//!
//! Text in, parts out. Does not know git, nor what a claim comes to.

use retrace::yaml::node::{Node, Value};
use std::collections::BTreeMap;

/// What of a claim can change, in the order in which it is told.
pub const PARTS: [&str; 5] = ["statement", "refuted-by", "quantities", "margins", "draws"];

/// The parts of a claim, each as one text.
pub type Parts = [String; PARTS.len()];

/// All claims of a version by id; `deciding` names the stages, without their items, whose outputs decide
/// each claim. None where the version is written in a way that is not read any more.
pub fn claims(
    text: &str,
    deciding: &BTreeMap<String, Vec<String>>,
) -> Option<BTreeMap<String, Parts>> {
    let file = Node::parse("pipeline.yaml", text).ok()?;
    let stages = file.get("stages")?;
    let is_ledger = |stage: &Node| {
        let kind = stage.get("kind").and_then(Node::scalar_text);
        kind.as_deref() == Some("claims")
    };
    let ledger = match &stages.value {
        Value::Map(entries) => entries
            .iter()
            .map(|(_, stage)| stage)
            .find(|stage| is_ledger(stage)),
        Value::List(items) => items.iter().find(|stage| is_ledger(stage)),
        _ => None,
    };
    // A version without claims is read: it has none.
    let Some(ledger) = ledger else {
        return Some(BTreeMap::new());
    };
    let claims = ledger.get_path("params.claims")?.items("claims").ok()?;
    let mut found = BTreeMap::new();
    for claim in claims {
        let id = claim.get("id")?.scalar_text()?;
        let said = |part: &str| {
            claim
                .get(part)
                .and_then(Node::scalar_text)
                .unwrap_or_default()
        };
        let mut checks: Vec<(String, String)> = Vec::new();
        for check in claim.get("checks")?.items("checks").ok()? {
            checks.push(sides(check, &file)?);
        }
        if let Some(paper) = claim.get_path("correction.paper") {
            checks.push(sides(paper, &file)?);
        }
        let (quantities, margins): (Vec<String>, Vec<String>) = checks.into_iter().unzip();
        let names = deciding.get(&id).map_or(&[][..], Vec::as_slice);
        let draws = names
            .iter()
            .filter_map(|name| stages.get(name)?.get("matrix"));
        let draws: Vec<String> = draws.map(|matrix| plain(matrix, &file)).collect();
        let parts = [
            said("statement"),
            said("refuted_by"),
            quantities.join("; "),
            margins.join("; "),
            draws.join("; "),
        ];
        found.insert(id, parts);
    }
    Some(found)
}

/// What a check asks, and what it expects: of a sentence, the words before and after its relation.
fn sides(check: &Node, file: &Node) -> Option<(String, String)> {
    if let Value::Map(_) = check.value {
        let part = |name: &str| check.get(name).map(|node| plain(node, file));
        let asked = [part("quantity")?, part("at").unwrap_or_default()].join(" ");
        let expected = [part("is")?, part("expected")?];
        let margin = part("margin").unwrap_or_else(|| "0".to_owned());
        let scale = part("scale")
            .map(|scale| format!(" {scale}"))
            .unwrap_or_default();
        let [is, value] = expected;
        let text = match is.as_str() {
            "within" => format!("within {value} ± {margin}{scale}"),
            _ => format!("{is} {value}{scale}"),
        };
        return Some((asked, numbers(&text)));
    }
    let text = plain(check, file);
    let words: Vec<&str> = text.split_whitespace().collect();
    let relation = |word: &&str| ["within", "above", "below", "between"].contains(word);
    let at = words.iter().rposition(relation)?;
    let mut expected = numbers(&words[at..].join(" "));
    // An earlier language left a margin of 0 unsaid.
    if words[at] == "within" && !expected.contains('±') {
        expected += " ± 0";
    }
    Some((words[..at].join(" "), expected))
}

/// Numbers in one way of writing: 1e-09 is 0.000000001.
fn numbers(text: &str) -> String {
    let one = |word: &str| match word.parse::<f64>() {
        Ok(number) => number.to_string(),
        Err(_) => word.to_owned(),
    };
    text.split(' ').map(one).collect::<Vec<_>>().join(" ")
}

/// A value in one line, variables of the file filled in where they are scalars.
fn plain(node: &Node, file: &Node) -> String {
    match &node.value {
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| plain(item, file)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) => {
            let entry = |(key, value): &(_, _)| {
                let key: &retrace::yaml::node::Key = key;
                format!("{}: {}", key.text, plain(value, file))
            };
            let entries: Vec<String> = entries.iter().map(entry).collect();
            format!("{{{}}}", entries.join(", "))
        }
        _ => filled(&node.scalar_text().unwrap_or_default(), file),
    }
}

fn filled(text: &str, file: &Node) -> String {
    let Some((before, rest)) = text.split_once("${") else {
        return text.to_owned();
    };
    let Some((name, after)) = rest.split_once('}') else {
        return text.to_owned();
    };
    let value = file
        .get("vars")
        .and_then(|vars| vars.get(name)?.scalar_text());
    let value = value.unwrap_or_else(|| format!("${{{name}}}"));
    format!("{before}{value}{}", filled(after, file))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "version: 2\nvars: {m: 1e-09}\nstages:\n  measure: {kind: m, matrix: {seed: [0, 1]}}\n  \
        c:\n    kind: claims\n    params:\n      claims:\n      - {id: a, statement: s, refuted_by: r, checks: \
        [\"x.y{z=1} within 1 ± ${m}\", \"x.y above 2 log\"]}\n";
    const OLD: &str = "version: 1\nstages:\n  measure: {kind: m, matrix: {seed: [0, 1]}}\n  c:\n    kind: claims\n    \
        params:\n      claims:\n      - {id: a, statement: s, refuted_by: r, checks: [{quantity: q, is: within, \
        expected: 1, margin: 1.0e-9}, {quantity: q, at: {of: [b]}, is: above, expected: 2, scale: log}]}\n";

    #[test]
    fn margins_are_the_same_in_every_way_of_writing() {
        let deciding = BTreeMap::from([("a".to_owned(), vec!["measure".to_owned()])]);
        let read = |text: &str| claims(text, &deciding).expect("it is read")["a"].clone();
        let (new, old) = (read(NEW), read(OLD));
        assert_eq!(new[3], "within 1 ± 0.000000001; above 2 log");
        assert_eq!(new[3..], old[3..]);
        assert_eq!(new[4], "{seed: [0, 1]}");
        assert_eq!(new[2], "x.y{z=1}; x.y");
        assert_ne!(new[2], old[2]);
        let other = read(&NEW.replace("[0, 1]", "[0, 2]"));
        assert_ne!(other[4], new[4]);
    }

    #[test]
    fn what_cannot_be_read_is_none() {
        let none = BTreeMap::new();
        assert!(claims("stages: [", &none).is_none());
        assert!(
            claims(
                "stages: {c: {kind: claims, params: {claims: [{id: a}]}}}",
                &none
            )
            .is_none()
        );
        assert!(
            claims("stages: {c: {kind: other}}", &none)
                .expect("read")
                .is_empty()
        );
    }
}
