//! A quantity as a tree, and its one way of being written.
//!
//! `min(errors.error{model=zs, n_shots=1..40} - errors.error{model=pretrained})`. Does not know how text
//! becomes a tree, nor what a tree comes to.

use std::fmt::{self, Display, Formatter};

/// What a quantity is.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    Number(f64),
    /// A number by its name: a closed form.
    Constant(String),
    Select(Selector),
    Negative(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    /// Of each row.
    Map(Function, Box<Expression>),
    /// Of many rows, one.
    Aggregate(Aggregate, Vec<Expression>, Option<Vec<String>>),
    /// Along a column of numbers.
    Along(Along, Box<Expression>, By),
    /// The place of one row among those that differ from it in a column.
    Rank(Box<Expression>, String, String),
}

/// A column of a table, of the rows that filters leave.
#[derive(Debug, Clone, PartialEq)]
pub struct Selector {
    pub table: String,
    pub column: String,
    pub filters: Vec<Filter>,
}

/// `model=zs|zs_v`, or with `!=` all others.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    pub column: String,
    pub others: bool,
    pub values: Vec<Choice>,
}

/// What a filter names.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    Value(String),
    /// Both ends count.
    Range(f64, f64),
    /// `*`: also what the selector before it did not take.
    All,
}

/// The column along which, `n_shots` or `log(n_shots)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    pub column: String,
    pub log: bool,
}

/// Of two numbers. A comparison is 1 where it is true and 0 where it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Above,
    Below,
    Differs,
}

/// Of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    Abs,
    Log,
    Exp,
    Sqrt,
}

/// Of all rows that a unit has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    Min,
    Max,
    Mean,
    Median,
    Sum,
    /// Of rows where a comparison is true, how many.
    Count,
    /// The same as a share of all rows.
    Share,
}

/// Of rows in the order of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Along {
    /// The slope of a straight line by least squares.
    Slope,
    /// The value of the column at the least row.
    ArgMin,
    /// At the greatest.
    ArgMax,
    /// From each row to the next.
    Steps,
}

/// Names in sentences.
pub const FUNCTIONS: [(&str, Function); 4] = [
    ("abs", Function::Abs),
    ("log", Function::Log),
    ("exp", Function::Exp),
    ("sqrt", Function::Sqrt),
];
pub const AGGREGATES: [(&str, Aggregate); 7] = [
    ("min", Aggregate::Min),
    ("max", Aggregate::Max),
    ("mean", Aggregate::Mean),
    ("median", Aggregate::Median),
    ("sum", Aggregate::Sum),
    ("count", Aggregate::Count),
    ("share", Aggregate::Share),
];
pub const ALONG: [(&str, Along); 4] = [
    ("slope", Along::Slope),
    ("argmin", Along::ArgMin),
    ("argmax", Along::ArgMax),
    ("steps", Along::Steps),
];

/// What has a name.
pub fn named<T: Copy>(name: &str, all: &[(&str, T)]) -> Option<T> {
    let found = all.iter().find(|(known, _)| *known == name);
    found.map(|(_, found)| *found)
}

/// The name of something.
fn word<T: PartialEq>(of: &T, all: &'static [(&'static str, T)]) -> &'static str {
    let found = all.iter().find(|(_, known)| known == of);
    found.map_or("", |(word, _)| word)
}

impl Operator {
    /// Whether it asks a question.
    pub fn compares(self) -> bool {
        matches!(self, Operator::Above | Operator::Below | Operator::Differs)
    }

    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Above => ">",
            Operator::Below => "<",
            Operator::Differs => "!=",
        }
    }

    /// How tightly it binds.
    fn strength(self) -> u8 {
        match self {
            Operator::Multiply | Operator::Divide => 2,
            Operator::Add | Operator::Subtract => 1,
            _ => 0,
        }
    }
}

impl Expression {
    /// Every selector, in the order in which they are written.
    pub fn selectors(&self) -> Vec<&Selector> {
        match self {
            Expression::Number(_) | Expression::Constant(_) => Vec::new(),
            Expression::Select(selector) => vec![selector],
            _ => self
                .parts()
                .into_iter()
                .flat_map(Expression::selectors)
                .collect(),
        }
    }

    /// Every name of a constant.
    pub fn constants(&self) -> Vec<&str> {
        match self {
            Expression::Constant(name) => vec![name],
            _ => self
                .parts()
                .into_iter()
                .flat_map(Expression::constants)
                .collect(),
        }
    }

    fn parts(&self) -> Vec<&Expression> {
        match self {
            Expression::Number(_) | Expression::Constant(_) | Expression::Select(_) => Vec::new(),
            Expression::Negative(of) | Expression::Map(_, of) => vec![of],
            Expression::Along(_, of, _) | Expression::Rank(of, ..) => vec![of],
            Expression::Binary(_, left, right) => vec![left, right],
            Expression::Aggregate(_, of, _) => of.iter().collect(),
        }
    }

    fn strength(&self) -> u8 {
        match self {
            Expression::Binary(operator, ..) => operator.strength(),
            Expression::Negative(_) => 3,
            _ => 4,
        }
    }
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let within = |f: &mut Formatter, part: &Expression, least: u8| match part.strength() < least
        {
            true => write!(f, "({part})"),
            false => write!(f, "{part}"),
        };
        match self {
            Expression::Number(number) => write!(f, "{number}"),
            Expression::Constant(name) => f.write_str(name),
            Expression::Select(selector) => write!(f, "{selector}"),
            Expression::Negative(of) => {
                f.write_str("-")?;
                within(f, of, 4)
            }
            Expression::Binary(operator, left, right) => {
                let own = operator.strength();
                within(f, left, own)?;
                write!(f, " {} ", operator.sign())?;
                within(f, right, own + 1)
            }
            Expression::Map(function, of) => write!(f, "{}({of})", word(function, &FUNCTIONS)),
            Expression::Aggregate(aggregate, of, over) => {
                write!(f, "{}(", word(aggregate, &AGGREGATES))?;
                for (i, of) in of.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    write!(f, "{comma}{of}")?;
                }
                if let Some(over) = over {
                    write!(f, " over {}", over.join(", "))?;
                }
                f.write_str(")")
            }
            Expression::Along(along, of, by) => write!(f, "{}({of} by {by})", word(along, &ALONG)),
            Expression::Rank(of, column, value) => {
                write!(f, "rank({of} of {column}={})", written(value))
            }
        }
    }
}

impl Display for By {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self.log {
            true => write!(f, "log({})", self.column),
            false => f.write_str(&self.column),
        }
    }
}

impl Display for Selector {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "{}.{}", self.table, self.column)?;
        if self.filters.is_empty() {
            return Ok(());
        }
        let filters: Vec<String> = self.filters.iter().map(Filter::to_string).collect();
        write!(f, "{{{}}}", filters.join(", "))
    }
}

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let values: Vec<String> = self.values.iter().map(Choice::to_string).collect();
        let sign = if self.others { "!=" } else { "=" };
        write!(f, "{}{sign}{}", self.column, values.join("|"))
    }
}

impl Display for Choice {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self {
            Choice::Value(value) => f.write_str(&written(value)),
            Choice::Range(first, last) => write!(f, "{first}..{last}"),
            Choice::All => f.write_str("*"),
        }
    }
}

/// A value as it is written in a filter: in quotes where it has signs of the language.
fn written(value: &str) -> String {
    match value.is_empty() || value == "*" || value.contains("..") || !value.chars().all(is_plain) {
        true => format!("\"{value}\""),
        false => value.to_owned(),
    }
}

/// Whether a letter can stand in a value without quotes.
pub fn is_plain(letter: char) -> bool {
    !letter.is_whitespace() && !"{}()|,=!\"".contains(letter)
}
