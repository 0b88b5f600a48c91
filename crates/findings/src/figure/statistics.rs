//! From rows to the numbers behind each point of a curve: columns read, means and medians of
//! consecutive rows taken, standard errors and exact values found beside.
//!
//! Knows the names of columns that tables of errors have. Does not know how rows were picked, nor what
//! is drawn of the numbers.

use crate::figure::query::tables::{Named, Rows};
use retrace::base::error::Result;
use tables::table::Column;

/// Columns that tables of errors have: the standard error and the exact value beside the estimate.
const ERROR: &str = "error";
const STD_ERROR: &str = "std_error";
const EXACT: &str = "exact";

/// The numbers behind one point; a missing one is NaN.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The value that tells its curve from others.
    pub key: String,
    /// Its row, in a panel of rows; then it has no y.
    pub row: String,
    pub x: f64,
    pub y: f64,
    /// One standard error, drawn or not.
    pub std_error: f64,
    pub exact: f64,
}

/// Which consecutive rows give one point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bins {
    /// Every row gives one.
    Rows,
    /// So many rows give their means.
    Means(usize),
    /// So many rows give their medians: for losses that a rare prompt makes huge.
    Medians(usize),
}

impl Bins {
    fn size(self) -> usize {
        match self {
            Bins::Rows => 1,
            Bins::Means(size) | Bins::Medians(size) => size,
        }
    }

    /// Of an even number of values the median is the mean of the middle two.
    fn centre(self, values: &[f64], rows: &[usize]) -> f64 {
        let mut values: Vec<f64> = rows.iter().map(|&row| values[row]).collect();
        if matches!(self, Bins::Medians(_)) {
            values.sort_by(f64::total_cmp);
            let half = (values.len() - 1) / 2;
            values = values[half..values.len() - half].to_vec();
        }
        values.iter().sum::<f64>() / values.len() as f64
    }
}

/// The columns of one table that a curve is read from.
pub struct Columns<'t> {
    x: Vec<f64>,
    y: Y<'t>,
    errors: Option<Vec<f64>>,
    exact: Option<Vec<f64>>,
}

/// Numbers, or the keys of a panel's rows.
enum Y<'t> {
    Numbers(Vec<f64>),
    Keys(&'t Column),
}

impl<'t> Columns<'t> {
    /// The columns that `from` names; `path` is where it stands.
    ///
    /// # Errors
    /// A column that is not there, or holds text where numbers are drawn.
    pub fn read(named: Named<'t>, from: &Rows, on_rows: bool, path: &str) -> Result<Self> {
        let numbers = |name: &str, param: &str| named.numbers(name, &format!("{path}.{param}"));
        let beside = |column: &str| match named.table.column(column) {
            Ok(Column::Float(values)) => Some(values.clone()),
            _ => None,
        };
        Ok(Columns {
            x: numbers(&from.x, "x")?,
            y: match on_rows {
                true => Y::Keys(named.column(&from.y, &format!("{path}.y"))?),
                false => Y::Numbers(numbers(&from.y, "y")?),
            },
            errors: match &from.std_error {
                Some(name) => Some(numbers(name, "std_error")?),
                None if from.y == ERROR => beside(STD_ERROR),
                None => beside(&format!("{}_{STD_ERROR}", from.y)),
            },
            exact: match from.y == ERROR {
                true => beside(EXACT),
                false => None,
            },
        })
    }

    /// The readings of the curve whose rows are these.
    pub fn readings(&self, key: &str, rows: &[usize], bins: Bins) -> Vec<Reading> {
        let of = |values: &Option<Vec<f64>>, rows: &[usize]| {
            let values = values.as_ref();
            values.map_or(f64::NAN, |values| bins.centre(values, rows))
        };
        let reading = |rows: &[usize]| Reading {
            key: key.to_owned(),
            row: match &self.y {
                Y::Keys(column) => column.text(rows[0]),
                Y::Numbers(_) => String::new(),
            },
            x: bins.centre(&self.x, rows),
            y: match &self.y {
                Y::Keys(_) => f64::NAN,
                Y::Numbers(values) => bins.centre(values, rows),
            },
            std_error: of(&self.errors, rows),
            exact: of(&self.exact, rows),
        };
        rows.chunks(bins.size()).map(reading).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_do_not_follow_one_huge_value() {
        let values = [1.0, 2.0, 900.0, 4.0];
        assert_eq!(Bins::Means(3).centre(&values, &[0, 1, 2]), 301.0);
        assert_eq!(Bins::Medians(3).centre(&values, &[0, 1, 2]), 2.0);
        assert_eq!(Bins::Medians(4).centre(&values, &[0, 1, 2, 3]), 3.0);
        assert_eq!(Bins::Rows.centre(&values, &[2]), 900.0);
    }
}
