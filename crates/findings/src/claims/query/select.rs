//! A column of a table, of the rows that filters leave: everything that a filter names must be there.

use crate::claims::query::evidence::{Cells, Evidence, Named};
use crate::claims::query::expression::{Choice, Filter, Selector};
use crate::claims::query::rows::Rows;
use crate::claims::query::scan::unknown;
use std::collections::{BTreeMap, BTreeSet};

/// A choice of a filter, as a column compares it.
enum Wanted {
    Code(usize),
    Int(i64),
    Float(f64),
    Range(f64, f64),
}

/// A filter with its column.
struct Test<'a> {
    filter: &'a Filter,
    cells: &'a Cells,
    wanted: Vec<Wanted>,
}

/// The rows of a selector, whose filters are all said. Keys are its columns of text and of whole numbers
/// that no filter fixes to one value; `random` are those of which every value must have as many rows.
///
/// # Errors
/// A table, column or value that is not there, in words that name the nearest.
pub fn select(selector: &Selector, evidence: &Evidence, random: &[String]) -> Result<Rows, String> {
    let table = evidence.table(&selector.table)?;
    let column = table.column(&selector.column)?;
    if matches!(column, Cells::Text(..)) {
        return Err(format!(
            "`{}.{}` holds text: a quantity is of numbers, and text is for filters",
            selector.table, selector.column
        ));
    }
    let filters = selector.filters.iter();
    let tests: Vec<Test> = filters
        .map(|filter| test(filter, table))
        .collect::<Result<_, _>>()?;
    let taken: Vec<usize> = (0..table.rows)
        .filter(|&row| tests.iter().all(|t| t.takes(row)))
        .collect();
    all_there(&tests, &taken, table)?;

    let fixed = |name: &str| {
        let of_column = |filter: &&Filter| filter.column == name && !filter.others;
        let filter = selector.filters.iter().find(of_column);
        filter.is_some_and(|filter| matches!(filter.values.as_slice(), [Choice::Value(_)]))
    };
    let is_key = |(name, cells): &&(String, Cells)| {
        *name != selector.column && !matches!(cells, Cells::Float(_)) && !fixed(name)
    };
    let columns: Vec<&(String, Cells)> = table.columns.iter().filter(is_key).collect();
    let keys = |row: &usize| {
        columns
            .iter()
            .filter_map(|(_, cells)| cells.key(*row))
            .collect()
    };
    let rows = Rows {
        columns: columns.iter().map(|(name, _)| name.clone()).collect(),
        keys: taken.iter().map(keys).collect(),
        values: taken.iter().filter_map(|&row| column.number(row)).collect(),
        origin: Some(selection(selector)),
    };
    as_many_each(&rows, selector, random)?;
    Ok(rows)
}

/// The table and its filters.
fn selection(selector: &Selector) -> String {
    let rows = Selector {
        column: String::new(),
        ..selector.clone()
    };
    rows.to_string()
}

fn test<'a>(filter: &'a Filter, table: &'a Named) -> Result<Test<'a>, String> {
    let cells = table.column(&filter.column)?;
    let name = &filter.column;
    let wanted = |choice: &Choice| match (choice, cells) {
        (Choice::Range(first, last), Cells::Int(_) | Cells::Float(_)) => {
            Ok(Wanted::Range(*first, *last))
        }
        (Choice::Range(..), Cells::Text(..)) => Err(format!(
            "`{choice}`: `{name}` holds text, which has no ranges"
        )),
        (Choice::Value(value), Cells::Text(_, names)) => {
            let found = names.iter().position(|known| **known == **value);
            found.map(Wanted::Code).ok_or_else(|| {
                let known: Vec<&str> = names.iter().map(|name| &**name).collect();
                format!("in `{}` {}", table.name, unknown(name, value, &known))
            })
        }
        (Choice::Value(value), Cells::Int(_)) => {
            let found = value.parse().map(Wanted::Int);
            found.map_err(|_| format!("`{value}`: `{name}` holds whole numbers"))
        }
        (Choice::Value(value), Cells::Float(_)) => {
            let found = value.parse().map(Wanted::Float);
            found.map_err(|_| format!("`{value}`: `{name}` holds numbers"))
        }
        // Everything: said no more than without the filter.
        (Choice::All, _) => Ok(Wanted::Range(f64::NEG_INFINITY, f64::INFINITY)),
    };
    let wanted = filter.values.iter().map(wanted).collect::<Result<_, _>>()?;
    Ok(Test {
        filter,
        cells,
        wanted,
    })
}

impl Test<'_> {
    /// The choice that a row meets.
    fn met(&self, row: usize) -> Option<usize> {
        self.wanted
            .iter()
            .position(|wanted| match (wanted, self.cells) {
                (Wanted::Code(code), Cells::Text(codes, _)) => codes[row] == *code,
                (Wanted::Int(wanted), Cells::Int(values)) => values[row] == *wanted,
                (Wanted::Float(wanted), Cells::Float(values)) => values[row] == *wanted,
                (Wanted::Range(first, last), cells) => cells
                    .number(row)
                    .is_none_or(|x| (*first..=*last).contains(&x)),
                _ => false,
            })
    }

    fn takes(&self, row: usize) -> bool {
        self.met(row).is_some() != self.filter.others
    }
}

/// Refuses names that match nothing: every combination of choices has rows, and both ends of a range of
/// whole numbers are among them.
fn all_there(tests: &[Test], taken: &[usize], table: &Named) -> Result<(), String> {
    for test in tests.iter().filter(|test| test.filter.others) {
        let is_met = |at: usize| (0..table.rows).any(|row| test.met(row) == Some(at));
        if let Some(at) = (0..test.wanted.len()).find(|&at| !is_met(at)) {
            let (name, value) = (&test.filter.column, &test.filter.values[at]);
            return Err(format!("in `{}` no {name} is {value}", table.name));
        }
    }
    let tests: Vec<&Test> = tests.iter().filter(|test| !test.filter.others).collect();
    let mut met: BTreeMap<Vec<usize>, Vec<[f64; 2]>> = BTreeMap::new();
    for &row in taken {
        let choices: Vec<usize> = tests.iter().filter_map(|test| test.met(row)).collect();
        let ends = met
            .entry(choices)
            .or_insert_with(|| vec![[f64::INFINITY, f64::NEG_INFINITY]; tests.len()]);
        for (test, [least, most]) in tests.iter().zip(ends) {
            let number = test.cells.number(row).unwrap_or(f64::NAN);
            (*least, *most) = (least.min(number), most.max(number));
        }
    }
    let mut combinations = vec![Vec::new()];
    for test in &tests {
        let longer = |start: &Vec<usize>| -> Vec<Vec<usize>> {
            let choices = 0..test.wanted.len();
            choices
                .map(|choice| [start.as_slice(), &[choice]].concat())
                .collect()
        };
        combinations = combinations.iter().flat_map(longer).collect();
    }
    for choices in &combinations {
        let Some(ends) = met.get(choices) else {
            return Err(missing(&tests, choices, table));
        };
        for ((test, &choice), [least, most]) in tests.iter().zip(choices).zip(ends) {
            let (Wanted::Range(first, last), Cells::Int(_)) = (&test.wanted[choice], test.cells)
            else {
                continue;
            };
            for (end, found) in [(first, least), (last, most)] {
                if end != found && end.is_finite() {
                    return Err(not_at(&tests, choices, test, *end, table));
                }
            }
        }
    }
    Ok(())
}

/// No row meets these choices together.
fn missing(tests: &[&Test], choices: &[usize], table: &Named) -> String {
    // Where all others have rows, the last numeric filter is what they miss.
    for (at, test) in tests.iter().enumerate().rev() {
        let number = match &test.wanted[choices[at]] {
            Wanted::Int(number) => *number as f64,
            Wanted::Float(number) => *number,
            Wanted::Range(first, _) => *first,
            Wanted::Code(_) => continue,
        };
        if !rows_of(tests, choices, test, table).is_empty() {
            return not_at(tests, choices, test, number, table);
        }
    }
    let all = tests.iter().zip(choices).map(|(test, &at)| said(test, at));
    let all: Vec<String> = all.collect();
    format!("`{}` has no row with {}", table.name, all.join(", "))
}

fn said(test: &Test, choice: usize) -> String {
    format!("{}={}", test.filter.column, test.filter.values[choice])
}

/// The rows that meet all choices but one.
fn rows_of(tests: &[&Test], choices: &[usize], but: &Test, table: &Named) -> Vec<usize> {
    let meets = |row: &usize| {
        let mut others = tests
            .iter()
            .zip(choices)
            .filter(|(test, _)| !std::ptr::eq(**test, but));
        others.all(|(test, &choice)| test.met(*row) == Some(choice))
    };
    (0..table.rows).filter(meets).collect()
}

fn not_at(tests: &[&Test], choices: &[usize], at: &Test, wanted: f64, table: &Named) -> String {
    let others = tests
        .iter()
        .zip(choices)
        .filter(|(test, _)| !std::ptr::eq(**test, at));
    let others: Vec<String> = others.map(|(test, &choice)| said(test, choice)).collect();
    let place = match others.is_empty() {
        true => String::new(),
        false => format!(" with {}", others.join(", ")),
    };
    let rows = rows_of(tests, choices, at, table);
    let numbers = rows.iter().filter_map(|&row| at.cells.number(row));
    let away = |x: &f64| (x - wanted).abs();
    let nearest = numbers.min_by(|a, b| away(a).total_cmp(&away(b)));
    let name = &at.filter.column;
    let nearest = nearest.map_or_else(String::new, |x| format!("; the nearest is {x}"));
    format!(
        "`{}`{place} has nothing at {name} = {wanted}{nearest}",
        table.name
    )
}

/// Every combination of the random columns must have as many rows: else a quantity of one would be of
/// other rows than that of the next.
fn as_many_each(rows: &Rows, selector: &Selector, random: &[String]) -> Result<(), String> {
    let (names, units) = rows.groups(|name| random.iter().any(|random| random == name));
    let counts: BTreeSet<usize> = units.iter().map(|(_, rows)| rows.len()).collect();
    let (Some(fewest), Some(most)) = (counts.first(), counts.last()) else {
        return Err(format!("`{}` is empty", selector.table));
    };
    if fewest == most {
        return Ok(());
    }
    let of = |count: &usize| {
        let found = units.iter().find(|(_, rows)| rows.len() == *count);
        found.map_or_else(String::new, |(keys, _)| super::rows::named(&names, keys))
    };
    Err(format!(
        "{selector} has {fewest} rows for {} and {most} for {}: filter so that each has the same",
        of(fewest),
        of(most)
    ))
}
