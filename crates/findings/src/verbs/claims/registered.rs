//! A claim as a version of pipeline.yaml has it, whatever its format: what it says, asks and expects, and
//! which draws decide it.
//!
//! Text in, parts out. Does not know git, nor what a claim comes to.

use retrace::yaml::node::{Node, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What of a claim can change, in the order in which it is told.
pub const PARTS: [&str; 5] = ["statement", "refuted-by", "quantities", "margins", "draws"];

/// The parts of a claim, each as one text.
pub type Parts = [String; PARTS.len()];

/// What decides claims now.
#[derive(Debug, Default)]
pub struct Deciders {
    /// The stage of the claims, without its item. Where a version has no such stage, its first of kind `claims` is meant.
    pub ledger: String,
    /// By claim the stages, without their items, whose outputs decide it.
    pub stages: BTreeMap<String, Vec<String>>,
    /// By stage the items of axes that opt-in groups alone have: they decide no claim of the ledger.
    pub apart: BTreeMap<String, BTreeSet<String>>,
}

/// The variables of the ledger's stage and of the file, the former first.
struct Vars<'a>([Option<&'a Node>; 2]);

/// All claims of a version by id. None where the version is written in a way that is not read any more.
pub fn claims(text: &str, deciders: &Deciders) -> Option<BTreeMap<String, Parts>> {
    let file = Node::parse("pipeline.yaml", text).ok()?;
    let stages = file.get("stages")?;
    let is_ledger = |stage: &Node| {
        let kind = stage.get("kind").and_then(Node::scalar_text);
        kind.as_deref() == Some("claims")
    };
    let named = stages.get(&deciders.ledger);
    let ledger = match &stages.value {
        _ if named.is_some_and(is_ledger) => named,
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
    let vars = Vars([ledger.get("vars"), file.get("vars")]);
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
            checks.push(sides(check, &vars)?);
        }
        if let Some(paper) = claim.get_path("correction.paper") {
            checks.push(sides(paper, &vars)?);
        }
        let (quantities, margins): (Vec<String>, Vec<String>) = checks.into_iter().unzip();
        let names = deciders.stages.get(&id).map_or(&[][..], Vec::as_slice);
        let draws = names.iter().filter_map(|name| {
            let matrix = stages.get(name)?.get("matrix")?;
            Some(axes(matrix, &vars, deciders.apart.get(name)))
        });
        let draws: Vec<String> = draws.collect();
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

/// A matrix in one line, without the items that are `apart`.
fn axes(matrix: &Node, vars: &Vars, apart: Option<&BTreeSet<String>>) -> String {
    let here = |item: &str| apart.is_none_or(|apart| !apart.contains(item));
    let axis = |axis: &Node| match &axis.value {
        Value::List(items) => {
            let items = items.iter().map(|item| plain(item, vars));
            items
                .filter(|item| here(item))
                .collect::<Vec<_>>()
                .join(", ")
        }
        Value::Map(entries) => {
            let entries = entries.iter().filter(|(key, _)| here(&key.text));
            let entry = |(key, value): &(retrace::yaml::node::Key, Node)| {
                format!("{}: {}", key.text, plain(value, vars))
            };
            entries.map(entry).collect::<Vec<_>>().join(", ")
        }
        _ => plain(axis, vars),
    };
    match &matrix.value {
        Value::Map(all) => {
            let line = |(key, value): &(retrace::yaml::node::Key, Node)| {
                format!("{}: [{}]", key.text, axis(value))
            };
            all.iter().map(line).collect::<Vec<_>>().join(", ")
        }
        _ => plain(matrix, vars),
    }
}

/// What a check asks, and what it expects: of a sentence, the words before and after its relation.
fn sides(check: &Node, vars: &Vars) -> Option<(String, String)> {
    if let Value::Map(_) = check.value {
        let part = |name: &str| check.get(name).map(|node| plain(node, vars));
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
    let text = plain(check, vars);
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

/// A value in one line, variables filled in where they are scalars.
fn plain(node: &Node, vars: &Vars) -> String {
    match &node.value {
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| plain(item, vars)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) => {
            let entry = |(key, value): &(_, _)| {
                let key: &retrace::yaml::node::Key = key;
                format!("{}: {}", key.text, plain(value, vars))
            };
            let entries: Vec<String> = entries.iter().map(entry).collect();
            format!("{{{}}}", entries.join(", "))
        }
        _ => filled(&node.scalar_text().unwrap_or_default(), vars),
    }
}

fn filled(text: &str, vars: &Vars) -> String {
    let Some((before, rest)) = text.split_once("${") else {
        return text.to_owned();
    };
    let Some((name, after)) = rest.split_once('}') else {
        return text.to_owned();
    };
    let find = |vars: &&Node| vars.get(name)?.scalar_text();
    let value = vars.0.iter().flatten().find_map(find);
    let value = value.unwrap_or_else(|| format!("${{{name}}}"));
    format!("{before}{value}{}", filled(after, vars))
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
        let deciders = Deciders {
            stages: BTreeMap::from([("a".to_owned(), vec!["measure".to_owned()])]),
            apart: BTreeMap::from([("measure".to_owned(), BTreeSet::from(["7".to_owned()]))]),
            ..Deciders::default()
        };
        let read = |text: &str| claims(text, &deciders).expect("it is read")["a"].clone();
        let (new, old) = (read(NEW), read(OLD));
        assert_eq!(new[3], "within 1 ± 0.000000001; above 2 log");
        assert_eq!(new[3..], old[3..]);
        assert_eq!(new[4], "seed: [0, 1]");
        // Seeds that only an opt-in group has decide nothing here.
        let more = read(&NEW.replace("[0, 1]", "[0, 1, 7]"));
        assert_eq!(more[4], new[4]);
        assert_eq!(new[2], "x.y{z=1}; x.y");
        assert_ne!(new[2], old[2]);
        let other = read(&NEW.replace("[0, 1]", "[0, 2]"));
        assert_ne!(other[4], new[4]);
    }

    #[test]
    fn the_ledger_that_is_named_is_read_and_the_first_where_there_is_none() {
        let two = NEW.replace(
            "stages:\n",
            "stages:\n  b: {kind: claims, params: {claims: []}}\n",
        );
        let of = |ledger: &str| {
            let ledger = ledger.to_owned();
            let deciders = Deciders {
                ledger,
                ..Deciders::default()
            };
            claims(&two, &deciders)
                .expect("it is read")
                .into_keys()
                .collect::<Vec<_>>()
        };
        assert_eq!(of("c"), ["a"]);
        assert!(of("b").is_empty() && of("measure").is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_none() {
        let none = Deciders::default();
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
