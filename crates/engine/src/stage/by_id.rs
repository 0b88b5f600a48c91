//! Names of parameters in which an item of a list is called by its own name, where all have one, so that
//! two versions compare item by item: `claims[balance-law].margin` and not `claims.17.margin`, which
//! is another claim once one is added above.
//!
//! Works on the names that [`crate::stage::key`] gives; keys and locks know nothing of it.

use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// What an item may be called by; the first that all items of a list have, each another.
const NAMES: [&str; 3] = ["id", "name", "label"];

type Params = BTreeMap<String, Json>;

/// A list on the way to parameters: of each item the names that it has.
type List<'a> = BTreeMap<&'a str, [Option<&'a str>; NAMES.len()]>;

/// The same parameters of two versions under names that compare.
pub fn named([old, new]: [&Params; 2]) -> [Params; 2] {
    let lists = [lists(old), lists(new)];
    // Both versions must call the items by the same field.
    let mut fields: BTreeMap<&str, Option<usize>> = BTreeMap::new();
    for path in lists.iter().flat_map(BTreeMap::keys) {
        let both = |field: &usize| {
            let mut versions = lists.iter().filter_map(|lists| lists.get(path));
            versions.all(|list| distinct(list, *field))
        };
        fields
            .entry(path)
            .or_insert_with(|| (0..NAMES.len()).find(both));
    }
    let renamed = |params: &Params, lists: &BTreeMap<&str, List>| {
        let one = |(name, value): (&String, &Json)| (rename(name, lists, &fields), value.clone());
        params.iter().map(one).collect()
    };
    let renamed = [renamed(old, &lists[0]), renamed(new, &lists[1])];
    whole_lists(renamed)
}

/// Every path with numbers right below it.
fn lists(params: &Params) -> BTreeMap<&str, List<'_>> {
    let mut lists: BTreeMap<&str, List> = BTreeMap::new();
    for (name, value) in params {
        for (start, step, end) in steps(name) {
            if start == 0 || !is_number(step) {
                continue;
            }
            let list = lists.entry(&name[..start - 1]).or_default();
            let item = list.entry(step).or_default();
            let below = name.get(end + 1..);
            let field = NAMES.iter().position(|known| below == Some(*known));
            if let (Some(field), Some(text)) = (field, value.as_str()) {
                item[field] = Some(text);
            }
        }
    }
    lists
}

/// Whether every item has the field, and each says something else there.
fn distinct(list: &List, field: usize) -> bool {
    let mut known = BTreeSet::new();
    list.values()
        .all(|item| item[field].is_some_and(|text| known.insert(text)))
}

fn rename(
    name: &str,
    lists: &BTreeMap<&str, List>,
    fields: &BTreeMap<&str, Option<usize>>,
) -> String {
    let mut renamed = String::new();
    for (start, step, _) in steps(name) {
        let above = name.get(..start.saturating_sub(1)).unwrap_or_default();
        let field = fields.get(above).copied().flatten();
        let item = lists.get(above).and_then(|list| list.get(step));
        let called = item.and_then(|item| item[field?]);
        match called.filter(|_| start > 0) {
            Some(called) => renamed += &format!("[{called}]"),
            None => {
                if !renamed.is_empty() {
                    renamed.push('.');
                }
                renamed += step;
            }
        }
    }
    renamed
}

/// Lists of plain values of which one is longer are compared as a whole: that all behind a value moved
/// by one place says nothing.
fn whole_lists([old, new]: [Params; 2]) -> [Params; 2] {
    let lengths = [plain(&old), plain(&new)];
    let other = |path: &String, other: usize, params: &Params| {
        lengths[other].get(path).copied().or_else(|| {
            let is_empty = |value: &Json| value.as_array().is_some_and(Vec::is_empty);
            params.get(path).filter(|value| is_empty(value)).map(|_| 0)
        })
    };
    let mut whole = BTreeSet::new();
    for (at, lengths) in lengths.iter().enumerate() {
        let params = [&new, &old][at];
        for (path, length) in lengths {
            if other(path, 1 - at, params).is_some_and(|other| other != *length) {
                whole.insert(path.clone());
            }
        }
    }
    [old, new].map(|params| gathered(params, &whole))
}

/// How many items the lists of plain values have.
fn plain(params: &Params) -> BTreeMap<String, usize> {
    let mut lengths: BTreeMap<String, usize> = BTreeMap::new();
    let mut nested: BTreeSet<&str> = BTreeSet::new();
    for name in params.keys() {
        for (start, step, end) in steps(name) {
            if start == 0 || !is_number(step) {
                continue;
            }
            let above = &name[..start - 1];
            match end == name.len() {
                true => *lengths.entry(above.to_owned()).or_default() += 1,
                false => {
                    nested.insert(above);
                }
            }
        }
    }
    lengths.retain(|path, _| !nested.contains(path.as_str()));
    lengths
}

fn gathered(params: Params, whole: &BTreeSet<String>) -> Params {
    let mut gathered = Params::new();
    let mut items: BTreeMap<&String, BTreeMap<u64, Json>> = BTreeMap::new();
    for (name, value) in params {
        let split = name.rsplit_once('.');
        let list = split.and_then(|(path, item)| Some((whole.get(path)?, item.parse().ok()?)));
        match list {
            Some((path, item)) => {
                items.entry(path).or_default().insert(item, value);
            }
            None => {
                gathered.insert(name, value);
            }
        }
    }
    for (path, items) in items {
        gathered.insert(path.clone(), Json::Array(items.into_values().collect()));
    }
    gathered
}

fn is_number(step: &str) -> bool {
    !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit())
}

/// The parts of a name between dots, with where each starts and ends.
fn steps(name: &str) -> impl Iterator<Item = (usize, &str, usize)> {
    let mut start = 0;
    name.split('.').map(move |step| {
        let from = start;
        start += step.len() + 1;
        (from, step, from + step.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn params(pairs: &[(&str, Json)]) -> Params {
        let owned = |(name, value): &(&str, Json)| ((*name).to_owned(), value.clone());
        pairs.iter().map(owned).collect()
    }

    fn changed(old: &[(&str, Json)], new: &[(&str, Json)]) -> Vec<String> {
        let [old, new] = named([&params(old), &params(new)]);
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let differs = |name: &&&String| old.get(**name) != new.get(**name);
        names.iter().filter(differs).map(|n| (*n).clone()).collect()
    }

    #[test]
    fn items_are_compared_by_id_wherever_they_stand() {
        let old = [
            ("claims.0.id", json!("a")),
            ("claims.0.margin", json!(1)),
            ("claims.1.id", json!("c")),
            ("claims.1.margin", json!(3)),
        ];
        let new = [
            ("claims.0.id", json!("a")),
            ("claims.0.margin", json!(1)),
            ("claims.1.id", json!("b")),
            ("claims.1.margin", json!(2)),
            ("claims.2.id", json!("c")),
            ("claims.2.margin", json!(4)),
        ];
        assert_eq!(
            changed(&old, &new),
            ["claims[b].id", "claims[b].margin", "claims[c].margin"]
        );
    }

    #[test]
    fn lists_within_items_are_named_too_and_others_keep_their_places() {
        let list = |y: i64| {
            [
                ("a.0.name", json!("p")),
                ("a.0.b.0.id", json!("q")),
                ("a.0.b.0.y", json!(y)),
                ("a.0.c.0", json!(y)),
                // Both are called the same: their places tell them apart.
                ("d.0.id", json!("r")),
                ("d.0.y", json!(y)),
                ("d.1.id", json!("r")),
            ]
        };
        assert_eq!(
            changed(&list(1), &list(2)),
            ["a[p].b[q].y", "a[p].c.0", "d.0.y"]
        );
        assert!(changed(&list(1), &list(1)).is_empty());
    }

    #[test]
    fn a_list_of_values_that_grew_is_one_change() {
        let old = [
            ("seeds.0", json!(0)),
            ("seeds.1", json!(1)),
            ("x.0", json!(1)),
        ];
        let new = [("seeds.0", json!(1)), ("x.0", json!(2))];
        assert_eq!(changed(&old, &new), ["seeds", "x.0"]);
        let [before, after] = named([&params(&old), &params(&new)]);
        assert_eq!(before["seeds"], json!([0, 1]));
        assert_eq!(after["seeds"], json!([1]));
        assert_eq!(changed(&old[..2], &[("seeds", json!([]))]), ["seeds"]);
    }
}
