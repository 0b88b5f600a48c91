//! From text to a quantity: arithmetic of columns of tables, by recursive descent.
//!
//! Does not know the tables. Which words are names of constants, it may be told; else any word that stands alone is one.

use crate::claims::query::expression::{
    AGGREGATES, ALONG, Aggregate, By, Choice, Expression, FUNCTIONS, Filter, Operator, Selector,
    named,
};
use crate::claims::query::scan::{Result, Scan};

/// Deeper nesting is a mistake, and would use up the stack.
const DEEPEST: usize = 32;

/// Reads quantities.
pub struct Reader<'a> {
    pub scan: Scan<'a>,
    /// The numbers that have names, if that is known.
    constants: Option<&'a [&'a str]>,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// At the start of a text.
    pub fn new(text: &'a str, constants: Option<&'a [&'a str]>) -> Self {
        Reader {
            scan: Scan::new(text),
            constants,
            depth: 0,
        }
    }

    /// A sum of products.
    pub fn expression(&mut self) -> Result<Expression> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self
                .scan
                .error(format!("more than {DEEPEST} parts lie in each other"));
        }
        let mut left = self.product()?;
        loop {
            let operator = match () {
                () if self.scan.takes("+") => Operator::Add,
                () if self.scan.takes("-") || self.scan.takes("−") => Operator::Subtract,
                () => break,
            };
            let right = self.product()?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn product(&mut self) -> Result<Expression> {
        let mut left = self.factor()?;
        loop {
            let operator = match () {
                () if self.scan.takes("*") => Operator::Multiply,
                () if self.scan.takes("/") => Operator::Divide,
                () => return Ok(left),
            };
            let right = self.factor()?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    fn factor(&mut self) -> Result<Expression> {
        if self.scan.takes("-") || self.scan.takes("−") {
            // A number keeps its sign.
            return Ok(match self.factor()? {
                Expression::Number(number) => Expression::Number(-number),
                of => Expression::Negative(Box::new(of)),
            });
        }
        if self.scan.takes("(") {
            let inside = self.expression()?;
            self.scan.expect(")")?;
            return Ok(inside);
        }
        if let Some(number) = self.scan.number()? {
            return Ok(Expression::Number(number));
        }
        let before = self.scan.clone();
        let word = self.scan.word("a column, a number or a function")?;
        if self.scan.takes(".") {
            return self.selector(word).map(Expression::Select);
        }
        if self.scan.takes("(") {
            return self.call(word, &before);
        }
        match self.constants {
            Some([]) => before.error(format!(
                "`{word}` is neither TABLE.COLUMN, nor a function with (, nor a number"
            )),
            Some(known) if known.contains(&word) => Ok(Expression::Constant(word.to_owned())),
            Some(known) if word.contains('-') => before.unknown("closed form", word, known),
            Some(known) => before.error(format!(
                "`{word}` is neither TABLE.COLUMN, nor a function with (, nor a closed form; closed forms are {}",
                known.join(", ")
            )),
            None => Ok(Expression::Constant(word.to_owned())),
        }
    }

    fn selector(&mut self, table: &str) -> Result<Selector> {
        let column = self.scan.word("the name of a column")?.to_owned();
        let mut filters: Vec<Filter> = Vec::new();
        if self.scan.takes("{") {
            loop {
                let before = self.scan.clone();
                let filter = self.filter()?;
                if filters.iter().any(|known| known.column == filter.column) {
                    return before.error(format!("`{}` is filtered twice", filter.column));
                }
                filters.push(filter);
                if !self.scan.takes(",") {
                    break;
                }
            }
            self.scan.expect("}")?;
        }
        Ok(Selector {
            table: table.to_owned(),
            column,
            filters,
        })
    }

    fn filter(&mut self) -> Result<Filter> {
        let column = self.scan.word("the name of a column")?.to_owned();
        let others = self.scan.takes("!=");
        if !others {
            self.scan.expect("=")?;
        }
        let mut values = vec![self.choice()?];
        while self.scan.takes("|") {
            values.push(self.choice()?);
        }
        Ok(Filter {
            column,
            others,
            values,
        })
    }

    fn choice(&mut self) -> Result<Choice> {
        let before = self.scan.clone();
        let (value, quoted) = self.scan.value()?;
        if quoted {
            return Ok(Choice::Value(value.to_owned()));
        }
        if value == "*" {
            return Ok(Choice::All);
        }
        let Some((first, last)) = value.split_once("..") else {
            return Ok(Choice::Value(value.to_owned()));
        };
        let number = |text: &str| text.parse::<f64>().ok().filter(|x| x.is_finite());
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Choice::Range(first, last)),
            _ => before.error(format!("`{value}` is no range: write 1..40")),
        }
    }

    /// A function, its name and the parenthesis read.
    fn call(&mut self, name: &str, before: &Scan<'a>) -> Result<Expression> {
        if let Some(function) = named(name, &FUNCTIONS) {
            let of = Box::new(self.expression()?);
            self.scan.expect(")")?;
            return Ok(Expression::Map(function, of));
        }
        if let Some(aggregate) = named(name, &AGGREGATES) {
            return self.aggregate(aggregate, name);
        }
        if let Some(along) = named(name, &ALONG) {
            let of = Box::new(self.expression()?);
            self.word("by")?;
            let by = self.by()?;
            self.scan.expect(")")?;
            return Ok(Expression::Along(along, of, by));
        }
        if name == "rank" {
            let of = Box::new(self.expression()?);
            self.word("of")?;
            let column = self.scan.word("the name of a column")?.to_owned();
            self.scan.expect("=")?;
            let (value, _) = self.scan.value()?;
            self.scan.expect(")")?;
            return Ok(Expression::Rank(of, column, value.to_owned()));
        }
        let known = [
            FUNCTIONS.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            AGGREGATES.iter().map(|(name, _)| *name).collect(),
            ALONG.iter().map(|(name, _)| *name).collect(),
            vec!["rank"],
        ];
        before.unknown("function", name, &known.concat())
    }

    fn aggregate(&mut self, aggregate: Aggregate, word: &str) -> Result<Expression> {
        let mut of = Vec::new();
        loop {
            let before = self.scan.clone();
            let part = self.compared()?;
            let asks = matches!(part, Expression::Binary(operator, ..) if operator.compares());
            if matches!(aggregate, Aggregate::Count | Aggregate::Share) && !asks {
                return before.error(format!(
                    "`{word}` needs a comparison, as in {word}(x > 0.1)"
                ));
            }
            of.push(part);
            if !self.scan.takes(",") {
                break;
            }
        }
        let mut over = None;
        if self.scan.takes_word("over") {
            let over: &mut Vec<String> = over.insert(Vec::new());
            loop {
                over.push(self.scan.word("the name of a column")?.to_owned());
                if !self.scan.takes(",") {
                    break;
                }
            }
        }
        self.scan.expect(")")?;
        Ok(Expression::Aggregate(aggregate, of, over))
    }

    /// An expression, or two with a comparison between.
    fn compared(&mut self) -> Result<Expression> {
        let left = self.expression()?;
        let operators = [Operator::Above, Operator::Below, Operator::Differs];
        for operator in operators {
            if self.scan.takes(operator.sign()) {
                let right = self.expression()?;
                return Ok(Expression::Binary(
                    operator,
                    Box::new(left),
                    Box::new(right),
                ));
            }
        }
        Ok(left)
    }

    fn by(&mut self) -> Result<By> {
        let word = self.scan.word("the name of a column")?;
        if word == "log" && self.scan.takes("(") {
            let column = self.scan.word("the name of a column")?.to_owned();
            self.scan.expect(")")?;
            return Ok(By { column, log: true });
        }
        Ok(By {
            column: word.to_owned(),
            log: false,
        })
    }

    /// Takes a word that must come next.
    pub fn word(&mut self, word: &str) -> Result<()> {
        match self.scan.takes_word(word) {
            true => Ok(()),
            false => {
                let found = self.scan.found();
                self.scan
                    .error(format!("`{word}` is missing before {found}"))
            }
        }
    }
}
