//! Reads a sentence letter by letter, and says where it is when it cannot go on.
//!
//! Does not know what the words mean.

use crate::claims::query::expression::is_plain;
use retrace::base::error::nearest_name;

/// A place in a sentence.
#[derive(Clone)]
pub struct Scan<'a> {
    text: &'a str,
    /// In bytes.
    at: usize,
}

/// Why a sentence is not understood, with the column.
pub type Result<T> = std::result::Result<T, String>;

impl<'a> Scan<'a> {
    /// At the start.
    pub fn new(text: &'a str) -> Self {
        Scan { text, at: 0 }
    }

    /// What is wrong here.
    pub fn error<T>(&self, message: impl AsRef<str>) -> Result<T> {
        let column = self.text[..self.at].chars().count() + 1;
        Err(format!(
            "column {column} of `{}`: {}",
            self.text,
            message.as_ref()
        ))
    }

    /// A word that says nothing here, with the nearest of those that would.
    pub fn unknown<T>(&self, what: &str, word: &str, known: &[&str]) -> Result<T> {
        self.error(unknown(what, word, known))
    }

    /// What is left, without the space before it.
    pub fn rest(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        &self.text[self.at..]
    }

    /// Whether nothing is left.
    pub fn is_done(&mut self) -> bool {
        self.rest().is_empty()
    }

    /// Takes a sign, if it comes next.
    pub fn takes(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    /// Takes a sign that must come next.
    pub fn expect(&mut self, sign: &str) -> Result<()> {
        match self.takes(sign) {
            true => Ok(()),
            false => {
                let found = self.found();
                self.error(format!("`{sign}` is missing before {found}"))
            }
        }
    }

    /// The word that comes next; empty where there is none. Names may have hyphens inside, for a minus
    /// has spaces around it.
    pub fn peek(&mut self) -> &'a str {
        let rest = self.rest();
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        if !rest.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return "";
        }
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        rest[..end].trim_end_matches('-')
    }

    /// Takes that word.
    pub fn word(&mut self, what: &str) -> Result<&'a str> {
        let word = self.peek();
        if word.is_empty() {
            let found = self.found();
            return self.error(format!("{what} is missing before {found}"));
        }
        self.at += word.len();
        Ok(word)
    }

    /// Takes a word, if it comes next.
    pub fn takes_word(&mut self, word: &str) -> bool {
        let found = self.peek() == word;
        if found {
            self.at += word.len();
        }
        found
    }

    /// Takes a number, if one comes next.
    pub fn number(&mut self) -> Result<Option<f64>> {
        let rest = self.rest();
        if !rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return Ok(None);
        }
        let bytes = rest.as_bytes();
        let is_part = |i: usize| {
            let sign = matches!(bytes[i], b'+' | b'-') && matches!(bytes[i - 1], b'e' | b'E');
            bytes[i].is_ascii_alphanumeric() || bytes[i] == b'.' || sign
        };
        let end = (1..bytes.len())
            .find(|&i| !is_part(i))
            .unwrap_or(bytes.len());
        match rest[..end].parse::<f64>().ok().filter(|x| x.is_finite()) {
            Some(number) => {
                self.at += end;
                Ok(Some(number))
            }
            None => self.error(format!("`{}` is no number", &rest[..end])),
        }
    }

    /// Takes a value of a filter: text in quotes, or letters up to a sign of the language.
    pub fn value(&mut self) -> Result<(&'a str, bool)> {
        let rest = self.rest();
        if let Some(quoted) = rest.strip_prefix('"') {
            let Some(end) = quoted.find('"') else {
                return self.error("the quotes are not closed");
            };
            self.at += end + 2;
            return Ok((&quoted[..end], true));
        }
        let end = rest.find(|c| !is_plain(c)).unwrap_or(rest.len());
        if end == 0 {
            let found = self.found();
            return self.error(format!("a value is missing before {found}"));
        }
        self.at += end;
        Ok((&rest[..end], false))
    }

    /// What comes next, in words.
    pub fn found(&mut self) -> String {
        match self.peek() {
            "" => match self.rest().chars().next() {
                Some(letter) => format!("`{letter}`"),
                None => "the end".to_owned(),
            },
            word => format!("`{word}`"),
        }
    }
}

/// `there is no WHAT `x`: did you mean `y`?`, or all that there are.
pub fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    let start = format!("there is no {what} `{name}`");
    match nearest_name(name, known.iter().copied()) {
        Some(near) => format!("{start}: did you mean `{near}`?"),
        None if known.is_empty() => start,
        None => format!("{start}; there are {}", known.join(", ")),
    }
}
