//! Rows of tables of the kinds `kept` and `kept-of-models`, each with its world, group and draw.
//!
//! Does not know what the numbers are.

use crate::kinds::exchange::table::{failed, read_table};
use retrace::base::error::{Error, Result};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Numbers with what tells them apart.
pub struct Row {
    pub world: String,
    /// The world, with the values of its labels that are not random.
    pub group: String,
    /// The values of the random labels, in their order.
    pub draw: Vec<String>,
    pub variant: String,
    /// `matched`, `end`, or a step.
    pub place: String,
    pub measure: String,
    pub numbers: Vec<f64>,
}

/// What the labels of inputs mean.
#[derive(Clone, Copy)]
pub struct Layout<'a> {
    /// For each world the names of its labels.
    pub labels: &'a BTreeMap<String, Vec<String>>,
    pub random: &'a [String],
}

/// All rows of all files; `place` and `numbers` are names of columns.
///
/// # Errors
/// A world that has no labels, or others than its input; a column that is not there.
pub fn read(
    files: &[(String, PathBuf)],
    place: &str,
    numbers: &[&str],
    layout: Layout,
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (label, path) in files {
        let (world, of_label) = label.split_once('@').unwrap_or((label, ""));
        let table = read_table(path)?;
        let wrong = |why: &dyn std::fmt::Display| Error::failed(format!("`{label}`: {why}"));
        let texts = |name: &str| table.texts(name).map_err(|e| wrong(&e));
        let (variant, measure) = (texts("variant")?, texts("measure")?);
        let places = table.column(place).map_err(|e| wrong(&e))?;
        let numbers = numbers.iter().map(|name| table.floats(name));
        let numbers: Vec<Vec<f64>> = numbers
            .collect::<std::result::Result<_, _>>()
            .map_err(failed)?;
        // A table of several draws says for each row which one it is of.
        let draws = match table.columns().iter().any(|(name, _)| name == "draw") {
            true => Some(texts("draw")?),
            false => None,
        };
        for row in 0..table.rows() {
            let values = draws.map_or(of_label, |draws| &draws[row]);
            let (group, draw) = layout.split(world, values)?;
            rows.push(Row {
                world: world.to_owned(),
                group,
                draw,
                variant: variant[row].clone(),
                place: places.text(row),
                measure: measure[row].clone(),
                numbers: numbers.iter().map(|column| column[row]).collect(),
            });
        }
    }
    Ok(rows)
}

impl Layout<'_> {
    /// Group and draw of what the `*` of an input stands for.
    fn split(self, world: &str, values: &str) -> Result<(String, Vec<String>)> {
        let labels = self.labels.get(world).ok_or_else(|| {
            let message = format!("`labels` does not say what the `*` of `{world}` stands for");
            Error::failed(message).suggest(world, self.labels.keys().map(String::as_str))
        })?;
        let parts: Vec<&str> = values.split(',').filter(|part| !part.is_empty()).collect();
        if parts.len() != labels.len() {
            return Err(Error::failed(format!(
                "labels.{world}: they are {}: {}; the input `{world}@{values}` has {}",
                labels.len(),
                labels.join(", "),
                parts.len()
            )));
        }
        let (mut fixed, mut draw) = (Vec::new(), Vec::new());
        for (label, part) in labels.iter().zip(parts) {
            match self.random.contains(label) {
                true => draw.push(part.to_owned()),
                false => fixed.push(part),
            }
        }
        let group = match fixed.is_empty() {
            true => world.to_owned(),
            false => format!("{world}@{}", fixed.join(",")),
        };
        Ok((group, draw))
    }
}
