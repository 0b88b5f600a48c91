//! The values that changed: each parameter once, with the stages that have it.

use crate::answers::sides::ValueOf;
use crate::console::grid::Grid;
use crate::console::items::fold;
use retrace::lock::diff::StageDiff;
use retrace::stage::key::Change;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// A parameter with another value in some stages.
pub struct ChangedValue<'a> {
    pub name: &'a str,
    pub old: Option<&'a Json>,
    pub new: Option<&'a Json>,
    pub stages: Vec<&'a str>,
}

/// The parameters that changed, those of most stages first.
pub fn values(stages: &[StageDiff]) -> Vec<ChangedValue<'_>> {
    let mut known: BTreeMap<(&str, String, String), ChangedValue> = BTreeMap::new();
    for stage in stages {
        for change in &stage.changes {
            let Change::Param { name, old, new } = change else {
                continue;
            };
            let (old, new) = (old.as_ref(), new.as_ref());
            let value = known
                .entry((name, shown(old), shown(new)))
                .or_insert_with(|| ChangedValue {
                    name,
                    old,
                    new,
                    stages: Vec::new(),
                });
            value.stages.push(&stage.stage);
        }
    }
    let mut values: Vec<ChangedValue> = known.into_values().collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.stages.len()));
    values
}

/// More names of stages than this are counted.
const NAMED: usize = 3;
/// Longer values are cut, unless everything is asked for.
const LONGEST: usize = 44;

/// A line for each.
pub fn grid(values: &[ChangedValue], all: bool) -> Grid {
    let mut grid = Grid::new(&["value", "old", "new", "in"]);
    for row in rows(values, all) {
        grid.row(row.each_ref().map(String::as_str));
    }
    grid
}

/// Name, both values, and the stages that have it; cut short unless all is asked for.
pub fn rows(values: &[ChangedValue], all: bool) -> Vec<[String; 4]> {
    let row = |value: &ChangedValue| {
        let folds = fold(value.stages.iter().map(|id| (*id, ())));
        let limit = if all { usize::MAX } else { NAMED };
        let names: Vec<&str> = folds.iter().take(limit).map(|f| &*f.shown).collect();
        let more = match folds.len().saturating_sub(limit) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let cut = |value: Option<&Json>| match all {
            true => shown(value),
            false => shortened(&shown(value)),
        };
        [
            value.name.to_owned(),
            cut(value.old),
            cut(value.new),
            names.join(", ") + &more,
        ]
    };
    values.iter().map(row).collect()
}

/// For programs.
pub fn said(values: &[ChangedValue]) -> Vec<ValueOf> {
    let one = |value: &ChangedValue| ValueOf {
        name: value.name.to_owned(),
        old: value.old.cloned(),
        new: value.new.cloned(),
        stages: value.stages.iter().map(|&stage| stage.to_owned()).collect(),
    };
    values.iter().map(one).collect()
}

fn shown(value: Option<&Json>) -> String {
    value.map_or_else(|| "-".into(), Json::to_string)
}

/// The beginning of what is too long for a column.
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST - 1) {
        Some((end, _)) if text.chars().count() > LONGEST => format!("{}…", &text[..end]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use retrace::lock::diff::Presence;
    use serde_json::json;

    fn stage(id: &str, changes: &[(&str, i64, i64)]) -> StageDiff {
        let change = |(name, old, new): &(&str, i64, i64)| Change::Param {
            name: (*name).to_owned(),
            old: Some(json!(old)),
            new: Some(json!(new)),
        };
        StageDiff {
            stage: id.to_owned(),
            renamed_from: None,
            presence: Presence::Both,
            changes: changes.iter().map(change).collect(),
            outputs: Vec::new(),
        }
    }

    #[test]
    fn a_value_stands_once_with_its_stages_the_widest_first() {
        let stages = [
            stage("a", &[("steps", 1, 2)]),
            stage("b@0", &[("noise", 1, 2), ("steps", 1, 3)]),
            stage("b@1", &[("noise", 1, 2)]),
            stage("c", &[("noise", 1, 2)]),
        ];
        let text = grid(&values(&stages), false).text(9);
        assert_eq!(
            text,
            "value  old  new  in\nnoise  1    2    b@* (2), c\nsteps  1    2    a\nsteps  1    3    b@0\n"
        );
        assert_eq!(said(&values(&stages))[0].stages, ["b@0", "b@1", "c"]);
    }

    #[test]
    fn long_values_are_cut_unless_all_is_asked_for() {
        let mut one = stage("a", &[]);
        let long = "x".repeat(100);
        one.changes = vec![Change::Param {
            name: "text".into(),
            old: None,
            new: Some(json!(long)),
        }];
        let stages = [one];
        let values = values(&stages);
        let short = grid(&values, false).text(9);
        assert!(short.contains('…') && !short.contains(&long), "{short}");
        assert!(grid(&values, true).text(9).contains(&long));
    }
}
