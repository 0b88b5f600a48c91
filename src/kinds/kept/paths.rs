//! Paths of fine-tuning as a table has them, in long form, brought into columns by variant and measure.
//!
//! Columns of the table: `variant`, `step` (0 is the pretrained model), `measure`, `n_shots`, `error` (null once a
//! training has diverged). Knows what must be there. Does not know what is made of it.

use crate::kinds::exchange::table::read_table;
use retrace::base::error::{Error, Result};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tables::table::{Column, Table};

/// The paths of all variants of one draw.
pub struct Paths {
    pub variants: Vec<Variant>,
    /// What was measured with examples, in the order of the table.
    pub measures: Vec<String>,
}

/// One variant at its checkpoints, the pretrained model first.
pub struct Variant {
    pub name: String,
    pub steps: Vec<i64>,
    /// Error on the target without examples.
    pub zero_shot: Vec<f64>,
    /// For each measure the error with examples.
    pub few_shot: Vec<Vec<f64>>,
}

/// What a paths table is asked for.
pub struct Asked<'a> {
    /// The measure that zero-shot errors are of.
    pub target: &'a str,
    /// n of the few-shot errors.
    pub shots: i64,
}

/// Error and its row, by step, measure and number of shots.
type Cells<'a> = BTreeMap<(i64, &'a str, i64), f64>;

/// The columns of one file.
struct Rows {
    variant: Vec<String>,
    step: Vec<i64>,
    measure: Vec<String>,
    n_shots: Vec<i64>,
    error: Vec<f64>,
}

impl Paths {
    /// Reads files of one draw and joins their variants.
    ///
    /// # Errors
    /// Columns or rows that are missing or stand twice, variants that start from different models.
    pub fn read(files: &[(String, PathBuf)], asked: &Asked) -> Result<Paths> {
        let mut rows: Vec<Rows> = Vec::new();
        for (label, path) in files {
            let read = Rows::of(&read_table(path)?);
            rows.push(read.map_err(|why| Error::failed(named(label, &why)))?);
        }
        let mut variants: Vec<(&str, Cells)> = Vec::new();
        for rows in &rows {
            rows.sort_into(&mut variants)?;
        }
        let keys = || variants.iter().flat_map(|(_, cells)| cells.keys());
        if variants.is_empty() {
            return Err(Error::failed("there are no rows: no variant was measured"));
        }
        if !keys().any(|(_, measure, _)| *measure == asked.target) {
            let message = format!("nothing was measured on `{}`", asked.target);
            let known = keys().map(|(_, measure, _)| *measure);
            return Err(Error::failed(message).suggest(asked.target, known));
        }
        if !keys().any(|(_, _, n)| *n == asked.shots) {
            let mut known: Vec<i64> = keys().map(|(_, _, n)| *n).collect();
            known.sort_unstable();
            known.dedup();
            let known: Vec<String> = known.iter().map(i64::to_string).collect();
            let message = format!("nothing was measured with {} shots", asked.shots);
            let hint = format!("numbers of shots that were: {}", known.join(", "));
            return Err(Error::failed(message).hint(hint));
        }
        let mut measures: Vec<&str> = Vec::new();
        for rows in &rows {
            let with = rows.measure.iter().zip(&rows.n_shots);
            for (measure, _) in with.filter(|(_, n)| **n == asked.shots) {
                if !measures.contains(&measure.as_str()) {
                    measures.push(measure);
                }
            }
        }
        let read = variants
            .iter()
            .map(|(name, cells)| Variant::of(name, cells, &measures, asked));
        let paths = Paths {
            variants: read.collect::<Result<_>>()?,
            measures: measures.iter().map(|&name| name.to_owned()).collect(),
        };
        paths.one_start()?;
        Ok(paths)
    }

    /// A variant by its name.
    ///
    /// # Errors
    /// There is none; the hint has the nearest, or those that there are.
    pub fn find(&self, name: &str) -> Result<&Variant> {
        let found = self.variants.iter().find(|variant| variant.name == name);
        found.ok_or_else(|| {
            let known = self.variants.iter().map(|variant| variant.name.as_str());
            Error::failed(format!("there is no variant `{name}`")).suggest(name, known)
        })
    }

    /// Variants are compared with one pretrained model: with another start they are of another draw.
    fn one_start(&self) -> Result<()> {
        let start = |variant: &Variant| -> Vec<u64> {
            let columns = std::iter::once(&variant.zero_shot).chain(&variant.few_shot);
            columns.map(|errors| errors[0].to_bits()).collect()
        };
        let first = &self.variants[0];
        match self.variants.iter().find(|v| start(v) != start(first)) {
            None => Ok(()),
            Some(other) => {
                let message = format!(
                    "`{}` and `{}` differ at step 0, where all variants are the pretrained model",
                    first.name, other.name
                );
                Err(Error::failed(message)
                    .hint("give paths of one draw: one pretrained model, measured once"))
            }
        }
    }
}

impl Rows {
    fn of(table: &Table) -> std::result::Result<Rows, String> {
        let texts = |name: &str| table.texts(name).map(<[String]>::to_vec);
        let whole = |name: &str| match table.column(name).map_err(|e| e.to_string())? {
            Column::Int(values) => Ok(values.clone()),
            _ => Err(format!("column `{name}` does not hold whole numbers alone")),
        };
        Ok(Rows {
            variant: texts("variant").map_err(|e| e.to_string())?,
            step: whole("step")?,
            measure: texts("measure").map_err(|e| e.to_string())?,
            n_shots: whole("n_shots")?,
            error: table.floats("error").map_err(|e| e.to_string())?,
        })
    }

    fn sort_into<'a>(&'a self, variants: &mut Vec<(&'a str, Cells<'a>)>) -> Result<()> {
        for row in 0..self.error.len() {
            let name = self.variant[row].as_str();
            let at = variants.iter().position(|(known, _)| *known == name);
            let at = at.unwrap_or_else(|| {
                variants.push((name, Cells::new()));
                variants.len() - 1
            });
            let (step, measure, n) = (
                self.step[row],
                self.measure[row].as_str(),
                self.n_shots[row],
            );
            if variants[at]
                .1
                .insert((step, measure, n), self.error[row])
                .is_some()
            {
                let message =
                    format!("`{name}` has two rows for `{measure}` at step {step} with {n} shots");
                return Err(Error::failed(message)
                    .hint("a variant stands in one file, each of its checkpoints once"));
            }
        }
        Ok(())
    }
}

impl Variant {
    fn of(name: &str, cells: &Cells, measures: &[&str], asked: &Asked) -> Result<Variant> {
        let mut steps: Vec<i64> = cells.keys().map(|(step, ..)| *step).collect();
        steps.dedup();
        match steps.first() {
            Some(0) => {}
            first => {
                let first =
                    first.map_or_else(|| "nothing".to_owned(), |step| format!("step {step}"));
                let message = format!(
                    "`{name}` begins with {first}: step 0, the pretrained model, is missing"
                );
                return Err(Error::failed(message));
            }
        }
        let column = |measure: &str, n: i64| -> Result<Vec<f64>> {
            let errors = steps.iter().map(|&step| {
                let error = cells.get(&(step, measure, n)).copied();
                error.ok_or_else(|| {
                    Error::failed(format!(
                        "`{name}` has no row for `{measure}` at step {step} with {n} shots"
                    ))
                })
            });
            errors.collect()
        };
        let few_shot = measures.iter().map(|measure| column(measure, asked.shots));
        Ok(Variant {
            name: name.to_owned(),
            zero_shot: column(asked.target, 0)?,
            few_shot: few_shot.collect::<Result<_>>()?,
            steps,
        })
    }
}

/// A message about one of several files.
fn named(label: &str, why: &str) -> String {
    match label.is_empty() {
        true => why.to_owned(),
        false => format!("`{label}`: {why}"),
    }
}
