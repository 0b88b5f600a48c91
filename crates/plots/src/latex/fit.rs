//! How a table fits a line: the form of each column, and which columns stand in one table together.
//!
//! Widths are counted in characters, of which a line of A4 with margins of 25 mm has room for so many. Does not
//! know LaTeX beyond the forms of columns.

use crate::latex::numeral::{Numeral, Room};
use crate::latex::table::{Align, Column, Group, Table};

/// Characters of a line, with the space between columns: of 10 points with 6 points at each side of a column, and of
/// 8 points with 3.
const LINE: usize = 84;
const SMALL_LINE: usize = 104;
const BETWEEN: usize = 2;

/// Half an em is a character's width, about.
const EM: f64 = 0.5;

/// The form of a column.
pub enum Spec {
    Plain(Align),
    /// Text in lines of so many characters.
    Wrapped(usize),
    Number(Room),
}

/// Columns that stand together.
pub struct Part {
    /// By their place in the table.
    pub columns: Vec<usize>,
    pub specs: Vec<Spec>,
    /// Words over so many columns.
    pub groups: Vec<(String, usize)>,
}

impl Part {
    /// How many lines its rows take, about.
    pub fn lines(&self, table: &Table) -> usize {
        let cell = |row: &[String], at: usize, spec: &Spec| match spec {
            Spec::Wrapped(width) => row[at].chars().count().div_ceil((*width).max(1)).max(1),
            Spec::Plain(_) | Spec::Number(_) => 1,
        };
        let lines = |row: &Vec<String>| {
            let cells = self.columns.iter().zip(&self.specs);
            cells.map(|(&at, spec)| cell(row, at, spec)).max()
        };
        table.rows.iter().filter_map(lines).sum()
    }
}

pub struct Fit {
    /// Whether it needs the small font.
    pub small: bool,
    pub parts: Vec<Part>,
}

impl Spec {
    pub fn text(&self) -> String {
        match self {
            Spec::Plain(Align::Left) => "l".to_owned(),
            Spec::Plain(Align::Right) => "r".to_owned(),
            Spec::Plain(Align::Center | Align::Decimal) => "c".to_owned(),
            Spec::Wrapped(width) => format!(
                ">{{\\raggedright\\arraybackslash}}p{{{:.1}em}}",
                *width as f64 * EM
            ),
            Spec::Number(room) => format!("S[table-format={}]", room.format()),
        }
    }
}

/// The whole of a table where a line holds it; else smaller, then with its words wrapped, then in parts.
pub fn fit(table: &Table) -> Fit {
    let all: Vec<usize> = (0..table.columns.len()).collect();
    let natural: Vec<usize> = all.iter().map(|&at| width(table, at)).collect();
    if total(&natural) <= LINE {
        return Fit {
            small: false,
            parts: vec![part(table, &all, &natural, &natural)],
        };
    }
    let mut widths = natural.clone();
    let floors: Vec<usize> = all
        .iter()
        .map(|&at| floor(table, at, natural[at]))
        .collect();
    while total(&widths) > SMALL_LINE {
        let widest = all.iter().filter(|&&at| widths[at] > floors[at]);
        match widest.max_by_key(|&&at| widths[at]) {
            Some(&at) => widths[at] -= 1,
            None => break,
        }
    }
    let parts = match total(&widths) <= SMALL_LINE {
        true => vec![all],
        false => parts(table, &widths),
    };
    let parts = parts.iter();
    let parts = parts.map(|columns| part(table, columns, &widths, &natural));
    Fit {
        small: true,
        parts: parts.collect(),
    }
}

/// The columns of each part: those that name the rows in every one, and groups that a line holds beside them.
fn parts(table: &Table, widths: &[usize]) -> Vec<Vec<usize>> {
    let names = table
        .columns
        .iter()
        .take_while(|column| column.align == Align::Left)
        .count();
    let stub: Vec<usize> = (0..names).collect();
    let room =
        |columns: &[usize]| -> usize { columns.iter().map(|&at| widths[at] + BETWEEN).sum() };
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let mut take = |columns: &[usize]| match parts.last_mut() {
        Some(last) if room(last) + room(columns) <= SMALL_LINE => last.extend(columns),
        _ => parts.push([&stub[..], columns].concat()),
    };
    for group in groups(table) {
        let columns: Vec<usize> = group.1.filter(|at| *at >= names).collect();
        match room(&stub) + room(&columns) <= SMALL_LINE {
            true if columns.is_empty() => {}
            true => take(&columns),
            // A group that no line holds is cut.
            false => columns.iter().for_each(|&at| take(&[at])),
        }
    }
    parts
}

/// The groups of a table; without any, each column is one.
fn groups(table: &Table) -> Vec<(&str, std::ops::Range<usize>)> {
    if table.groups.is_empty() {
        return (0..table.columns.len())
            .map(|at| ("", at..at + 1))
            .collect();
    }
    let mut first = 0;
    let group = |group: &'_ Group| {
        first += group.span;
        first - group.span..first
    };
    let ranges: Vec<std::ops::Range<usize>> = table.groups.iter().map(group).collect();
    let headers = table.groups.iter().map(|group| group.header.as_str());
    headers.zip(ranges).collect()
}

fn part(table: &Table, columns: &[usize], widths: &[usize], natural: &[usize]) -> Part {
    let spec = |&at: &usize| match table.columns[at].align {
        Align::Left if widths[at] < natural[at] => Spec::Wrapped(widths[at]),
        Align::Decimal => room(table, at).map_or(Spec::Plain(Align::Center), Spec::Number),
        align => Spec::Plain(align),
    };
    let mut over: Vec<(String, usize)> = Vec::new();
    if !table.groups.is_empty() {
        for (header, range) in groups(table) {
            let span = columns.iter().filter(|at| range.contains(at)).count();
            if span > 0 {
                over.push((header.to_owned(), span));
            }
        }
    }
    Part {
        columns: columns.to_vec(),
        specs: columns.iter().map(spec).collect(),
        groups: over,
    }
}

fn total(widths: &[usize]) -> usize {
    widths.iter().map(|width| width + BETWEEN).sum()
}

fn cells(table: &Table, at: usize) -> impl Iterator<Item = &str> {
    table.rows.iter().map(move |row| row[at].as_str())
}

/// The room for the numbers of a column; none where it has none.
fn room(table: &Table, at: usize) -> Option<Room> {
    let numerals = cells(table, at).filter_map(Numeral::read);
    numerals.fold(None, |room: Option<Room>, numeral| {
        Some(room.unwrap_or_default().with(&numeral))
    })
}

fn width(table: &Table, at: usize) -> usize {
    let Column { header, align } = &table.columns[at];
    let is_number = |cell: &&str| *align == Align::Decimal && Numeral::read(cell).is_some();
    let words = cells(table, at).filter(|cell| !is_number(cell));
    let words = words
        .chain([header.as_str()])
        .map(|cell| cell.chars().count());
    let numbers = match align {
        Align::Decimal => room(table, at).map_or(0, |room| room.width()),
        Align::Left | Align::Center | Align::Right => 0,
    };
    words.max().unwrap_or(0).max(numbers)
}

/// The least width of a column: that of its longest word, where it may be wrapped.
fn floor(table: &Table, at: usize, natural: usize) -> usize {
    let Column { header, align } = &table.columns[at];
    match align {
        Align::Left => {
            let words = cells(table, at).chain([header.as_str()]);
            let words = words.flat_map(|cell| cell.split_inclusive([' ', '-']));
            words
                .map(|word| word.trim_end().chars().count())
                .max()
                .unwrap_or(natural)
        }
        Align::Center | Align::Right | Align::Decimal => natural,
    }
}
