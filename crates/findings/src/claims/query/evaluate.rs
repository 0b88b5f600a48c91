//! What a quantity comes to: one number for each unit, a combination of values of the random columns.
//!
//! Arithmetic alone: what is expected of the numbers is decided elsewhere.

use crate::claims::query::evidence::{Evidence, Key};
use crate::claims::query::expression::{Aggregate, Along, By, Expression, Function, Operator};
use crate::claims::query::inherit::spelled_out;
use crate::claims::query::rows::{Rows, paired};
use crate::claims::query::select::select;

/// The number of every unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Units {
    /// The random columns that the quantity varies with; none for an exact number.
    pub factors: Vec<String>,
    /// Which values of the factors.
    pub keys: Vec<Vec<Key>>,
    pub values: Vec<f64>,
}

/// A quantity on the evidence; `random` are the columns whose values are draws.
///
/// # Errors
/// Something that is not there, rows that find no partner, or more than one number for a unit.
pub fn evaluate(
    quantity: &Expression,
    evidence: &Evidence,
    random: &[String],
) -> Result<Units, String> {
    let rows = Evaluation { evidence, random }.rows(&spelled_out(quantity))?;
    let is_random = |name: &str| random.iter().any(|random| random == name);
    let (factors, units) = rows.groups(is_random);
    let mut values = Vec::with_capacity(units.len());
    for (keys, rows_of) in &units {
        let [row] = rows_of.as_slice() else {
            let varies = rows.varying().into_iter().filter(|name| !is_random(name));
            let varies: Vec<&str> = varies.collect();
            let unit = super::rows::named(&factors, keys);
            let unit = if unit.is_empty() {
                unit
            } else {
                format!(" for {unit}")
            };
            return Err(format!(
                "{quantity} is {} numbers{unit}, which differ in {}: fix these by filters, or take min(...), max(...) or mean(...)",
                rows_of.len(),
                if varies.is_empty() {
                    "decimals".to_owned()
                } else {
                    varies.join(", ")
                }
            ));
        };
        values.push(rows.values[*row]);
    }
    let keys = units.into_iter().map(|(keys, _)| keys).collect();
    Ok(Units {
        factors,
        keys,
        values,
    })
}

struct Evaluation<'a> {
    evidence: &'a Evidence,
    random: &'a [String],
}

impl Evaluation<'_> {
    fn rows(&self, expression: &Expression) -> Result<Rows, String> {
        match expression {
            Expression::Number(number) => Ok(Rows::number(*number)),
            Expression::Constant(name) => Ok(Rows::number(self.evidence.constant(name)?.value)),
            Expression::Select(selector) => select(selector, self.evidence, self.random),
            Expression::Negative(of) => Ok(self.rows(of)?.map(|x| -x)),
            Expression::Map(function, of) => Ok(self.rows(of)?.map(mapped(*function))),
            Expression::Binary(operator, left, right) => {
                let found = paired(self.rows(left)?, self.rows(right)?, combined(*operator));
                found.map_err(|why| format!("{expression}: {why}"))
            }
            Expression::Aggregate(aggregate, of, over) => {
                self.aggregate(*aggregate, of, over.as_deref())
            }
            Expression::Along(along, of, by) => {
                let found = self
                    .rows(of)
                    .and_then(|rows| self.along(*along, &rows, by))?;
                Ok(found)
            }
            Expression::Rank(of, column, value) => rank(&self.rows(of)?, column, value),
        }
    }

    fn aggregate(
        &self,
        aggregate: Aggregate,
        of: &[Expression],
        over: Option<&[String]>,
    ) -> Result<Rows, String> {
        let mut found: Option<Rows> = None;
        let mut numbers: Vec<Vec<f64>> = Vec::new();
        for part in of {
            let rows = self.rows(part)?;
            if let Some(missing) =
                over.and_then(|over| over.iter().find(|name| !rows.columns.contains(name)))
            {
                let known: Vec<&str> = rows.columns.iter().map(String::as_str).collect();
                return Err(format!(
                    "{part} does not vary in `{missing}`, but in {}",
                    if known.is_empty() {
                        "nothing".to_owned()
                    } else {
                        known.join(", ")
                    }
                ));
            }
            let keep = |name: &str| match over {
                Some(over) => !over.iter().any(|over| over == name),
                None => self.random.iter().any(|random| random == name),
            };
            let (columns, groups) = rows.groups(keep);
            let (keys, members): (Vec<_>, Vec<_>) = groups.into_iter().unzip();
            let of_group = |rows_of: Vec<usize>| -> Vec<f64> {
                rows_of.into_iter().map(|row| rows.values[row]).collect()
            };
            let members: Vec<Vec<f64>> = members.into_iter().map(of_group).collect();
            match &found {
                None => {
                    numbers = members;
                    found = Some(Rows {
                        columns,
                        keys,
                        ..Rows::default()
                    });
                }
                Some(first) => {
                    let same = first.columns == columns && first.keys.len() == keys.len();
                    let place = |key: &Vec<Key>| first.keys.iter().position(|known| known == key);
                    let places: Option<Vec<usize>> = keys.iter().map(place).collect();
                    let Some(places) = places.filter(|_| same) else {
                        return Err(format!("{part} is of other units than {}", of[0]));
                    };
                    for (place, more) in places.into_iter().zip(members) {
                        numbers[place].extend(more);
                    }
                }
            }
        }
        let mut rows = found.ok_or("a function of nothing")?;
        rows.values = numbers
            .iter()
            .map(|numbers| aggregated(aggregate, numbers))
            .collect();
        Ok(rows)
    }

    fn along(&self, along: Along, rows: &Rows, by: &By) -> Result<Rows, String> {
        let Some(column) = rows.columns.iter().position(|name| *name == by.column) else {
            return Err(format!(
                "`{}` does not vary here, but {}: leave it out of the filter",
                by.column,
                rows.columns.join(", ")
            ));
        };
        let (columns, groups) = rows.groups(|name| name != by.column);
        let mut found = Rows {
            columns,
            ..Rows::default()
        };
        let steps = matches!(along, Along::Steps);
        if steps {
            found.columns.push(by.column.clone());
        }
        for (keys, members) in groups {
            let mut points = Vec::with_capacity(members.len());
            for row in members {
                let Key::Int(x) = rows.keys[row][column] else {
                    return Err(format!("`{}` holds text, which has no order", by.column));
                };
                points.push((x, rows.values[row]));
            }
            points.sort_by_key(|(x, _)| *x);
            if points.windows(2).any(|pair| pair[0].0 == pair[1].0) {
                return Err(format!("there are several rows at one `{}`", by.column));
            }
            if points.len() < 2 {
                return Err(format!("there is only one `{}`", by.column));
            }
            if steps {
                for pair in points.windows(2) {
                    let at = Key::Int(pair[1].0);
                    found.keys.push(keys.iter().cloned().chain([at]).collect());
                    found.values.push(pair[1].1 - pair[0].1);
                }
                continue;
            }
            let place = |x: i64| {
                if by.log {
                    libm::log(x as f64)
                } else {
                    x as f64
                }
            };
            let points: Vec<(f64, f64)> = points.iter().map(|&(x, y)| (place(x), y)).collect();
            found.values.push(match along {
                Along::Slope => slope(&points),
                Along::ArgMax => at_extreme(&points, |y, best| y > best),
                _ => at_extreme(&points, |y, best| y < best),
            });
            found.keys.push(keys);
        }
        Ok(found)
    }
}

fn mapped(function: Function) -> fn(f64) -> f64 {
    match function {
        Function::Abs => f64::abs,
        Function::Log => libm::log,
        Function::Exp => libm::exp,
        Function::Sqrt => f64::sqrt,
    }
}

fn combined(operator: Operator) -> fn(f64, f64) -> f64 {
    // Of what is no number, no question has an answer.
    fn asked(x: f64, y: f64, answer: bool) -> f64 {
        match x.is_nan() || y.is_nan() {
            true => f64::NAN,
            false => f64::from(u8::from(answer)),
        }
    }
    match operator {
        Operator::Add => |x, y| x + y,
        Operator::Subtract => |x, y| x - y,
        Operator::Multiply => |x, y| x * y,
        Operator::Divide => |x, y| x / y,
        Operator::Above => |x, y| asked(x, y, x > y),
        Operator::Below => |x, y| asked(x, y, x < y),
        Operator::Differs => |x, y| asked(x, y, x != y),
    }
}

/// What is no number makes the whole none.
fn aggregated(aggregate: Aggregate, numbers: &[f64]) -> f64 {
    if numbers.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    let sum = || numbers.iter().fold(0.0, |sum, x| sum + x);
    let count = numbers.len() as f64;
    match aggregate {
        Aggregate::Min => numbers.iter().fold(f64::INFINITY, |least, &x| least.min(x)),
        Aggregate::Max => numbers
            .iter()
            .fold(f64::NEG_INFINITY, |most, &x| most.max(x)),
        Aggregate::Mean | Aggregate::Share => sum() / count,
        Aggregate::Sum | Aggregate::Count => sum(),
        Aggregate::Median => statistics::clusters::median(numbers),
    }
}

/// Of the straight line nearest in squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let mean = |part: fn(&(f64, f64)) -> f64| points.iter().map(part).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let both: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let along: f64 = points.iter().map(|p| (p.0 - x) * (p.0 - x)).sum();
    both / along
}

/// Where the best number is, the first of several.
fn at_extreme(points: &[(f64, f64)], better: fn(f64, f64) -> bool) -> f64 {
    if points.iter().any(|p| p.1.is_nan()) {
        return f64::NAN;
    }
    let best = points
        .iter()
        .copied()
        .reduce(|best, p| if better(p.1, best.1) { p } else { best });
    best.map_or(f64::NAN, |p| p.0)
}

/// 1 for the least of the numbers that differ in a column, 2 for the next.
fn rank(rows: &Rows, column: &str, value: &str) -> Result<Rows, String> {
    let Some(at) = rows.columns.iter().position(|name| name == column) else {
        return Err(format!(
            "`rank`: `{column}` does not vary here, but {}",
            rows.columns.join(", ")
        ));
    };
    let (columns, groups) = rows.groups(|name| name != column);
    let mut found = Rows {
        columns,
        ..Rows::default()
    };
    for (keys, members) in groups {
        let is_own = |row: &&usize| rows.keys[**row][at].to_string() == value;
        let own: Vec<&usize> = members.iter().filter(is_own).collect();
        let [own] = own.as_slice() else {
            let known: Vec<String> = members
                .iter()
                .map(|&row| rows.keys[row][at].to_string())
                .collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            return Err(match own.len() {
                0 => super::scan::unknown(column, value, &known),
                _ => format!("`rank`: there are several rows with {column}={value}"),
            });
        };
        let own = rows.values[**own];
        let missing = members.iter().any(|&row| rows.values[row].is_nan());
        let before = members
            .iter()
            .filter(|&&row| rows.values[row] < own)
            .count();
        found.values.push(if missing {
            f64::NAN
        } else {
            before as f64 + 1.0
        });
        found.keys.push(keys);
    }
    Ok(found)
}
