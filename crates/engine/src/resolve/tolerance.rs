//! What stages say of how their outputs compare: read, and held to what may be said.
//!
//! Only a kind that may vary, or a stage that reads what may, has a tolerance; and whoever reads what has
//! one says how its own outputs compare. Compares nothing itself.

use crate::base::error::{Error, Result};
use crate::stage::kind::Kind;
use crate::stage::publication::PUBLISHED;
use crate::stage::stage::{Source, Stage};
use crate::stage::tolerance::{Basis, Tolerance, Within};
use crate::yaml::node::{Key, Node, Value};
use crate::yaml::typed;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What an output that goes with another has instead of a tolerance.
pub const AS: &str = "as";

/// A tolerance as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    columns: BTreeMap<String, WrittenWithin>,
    #[serde(default)]
    differing_rows: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWithin {
    #[serde(default)]
    relative: f64,
    #[serde(default)]
    absolute: f64,
}

/// The section `compare` of a stage with these outputs.
pub fn read(
    written: &[(&Key, Node)],
    outputs: &[(String, PathBuf)],
) -> Result<BTreeMap<String, Basis>> {
    let mut found = BTreeMap::new();
    for (key, node) in written {
        let name = &key.text;
        let error = |message: String| Error::config(message).at(&node.place);
        let known = || outputs.iter().map(|(name, _)| name.as_str());
        let Some((_, path)) = outputs.iter().find(|(output, _)| output == name) else {
            let error = Error::config(format!("`compare` names no output: `{name}`"));
            return Err(error.at(&key.place).suggest(name, known()));
        };
        if !path.starts_with(PUBLISHED) {
            let message = format!(
                "output `{name}` lies at {}: what is compared within a tolerance is committed, below {PUBLISHED}/",
                path.display()
            );
            return Err(error(message));
        }
        let basis = match node.get(AS) {
            Some(other) => {
                let entries = node.entries("a comparison")?.len();
                if entries != 1 {
                    return Err(error(format!(
                        "`{AS}` stands alone: `{name}` goes with another output, or has a tolerance"
                    )));
                }
                Basis::Like(other.text(AS)?.to_owned())
            }
            None => table(name, path, node)?,
        };
        found.insert(name.clone(), basis);
    }
    for (key, node) in written {
        let Some(Basis::Like(other)) = found.get(&key.text) else {
            continue;
        };
        if !matches!(found.get(other), Some(Basis::Table(_))) {
            let message = format!(
                "output `{}` is compared as `{other}`, for which no tolerance is declared",
                key.text
            );
            let tables = found
                .iter()
                .filter(|(_, basis)| matches!(basis, Basis::Table(_)));
            let tables = tables.map(|(name, _)| name.as_str());
            return Err(Error::config(message)
                .at(&node.place)
                .suggest(other, tables));
        }
    }
    Ok(found)
}

fn table(name: &str, path: &std::path::Path, node: &Node) -> Result<Basis> {
    let error = |message: String| Error::config(message).at(&node.place);
    if !matches!(node.value, Value::Map(_)) {
        let message = format!("`{name}` has {} in place of a tolerance", node.describe());
        return Err(error(message).hint(
            "write {columns: {COLUMN: {relative: 1e-6}}, differing_rows: 0}, or {as: OUTPUT}",
        ));
    }
    if path.extension().is_none_or(|ending| ending != "csv") {
        let message = format!(
            "output `{name}` is {}, and tables are compared as CSV",
            path.display()
        );
        return Err(error(message).hint(format!(
            "write {{{AS}: OUTPUT}}, with the output that is the table in CSV"
        )));
    }
    let written: Written = typed::from_node(node)?;
    let mut tolerance = Tolerance {
        differing_rows: written.differing_rows,
        ..Tolerance::default()
    };
    for (column, WrittenWithin { relative, absolute }) in written.columns {
        let is_good = |x: f64| x.is_finite() && x >= 0.0;
        if !is_good(relative) || !is_good(absolute) || relative >= 1.0 || relative + absolute == 0.0
        {
            let message = format!(
                "column `{column}` of `{name}`: relative is from 0 to below 1, absolute from 0, and one of them above 0"
            );
            return Err(error(message));
        }
        tolerance
            .columns
            .insert(column, Within { relative, absolute });
    }
    if tolerance == Tolerance::default() {
        let message = format!("the tolerance of `{name}` allows nothing");
        return Err(error(message)
            .hint("give a column one, or say how many rows may differ; or take it away"));
    }
    Ok(Basis::Table(tolerance))
}

/// Makes sure that only what may vary has a tolerance, and everything that follows from it.
///
/// # Errors
/// A stage that must not have one, one that lacks it, or a column that is not there.
pub fn check(stages: &[Stage], kinds: &[Box<dyn Kind>]) -> Result<()> {
    for stage in stages {
        let error = |message: String| {
            Error::config(format!("stage `{}`: {message}", stage.id)).at(&stage.place)
        };
        let varies = |source: &Source| match source {
            Source::Output { stage, output } => stages[*stage]
                .compare
                .contains_key(output)
                .then(|| (stages[*stage].id.clone(), output.clone())),
            Source::File(_) | Source::Recorded { .. } => None,
        };
        let read = stage.inputs.iter().find_map(|input| varies(&input.source));
        let kind = &kinds[stage.kind];
        match (stage.compare.is_empty(), read) {
            (true, Some((maker, output))) => {
                let message = format!(
                    "it reads `{maker}.{output}`, which stage `{maker}` compares within a tolerance, and says not how its own outputs compare"
                );
                return Err(error(message).hint("write `compare` in it too: its tables by columns, what is drawn from one {as: OUTPUT}"));
            }
            (false, None) if !kind.may_vary() && !stage.job.may_vary() => {
                let message = format!(
                    "kind `{}` gives the same bytes everywhere, and it reads nothing that is compared within a tolerance",
                    kind.name()
                );
                return Err(error(message).hint("take `compare` away"));
            }
            _ => {}
        }
        for (output, basis) in &stage.compare {
            let (Basis::Table(tolerance), Some(known)) = (basis, stage.job.columns(output)) else {
                continue;
            };
            if let Some(column) = tolerance.columns.keys().find(|c| !known.contains(c)) {
                let message = format!("output `{output}` has no column `{column}`");
                return Err(error(message).suggest(column, known.iter().map(String::as_str)));
            }
        }
    }
    Ok(())
}
