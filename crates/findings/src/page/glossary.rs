//! Terms of the page, and links to them where its text has them.
//!
//! Plain text in, HTML out, escaped here. Does not know what the text is about, nor where it stands.

use crate::page::params::Term;
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering};

/// The terms, and which of them the page has linked so far.
#[derive(Default)]
pub struct Glossary {
    /// Longest first: "ZS (V)" is no ZS.
    spellings: Vec<Spelling>,
    entries: Vec<Entry>,
}

struct Spelling {
    term: usize,
    text: String,
    /// How much of it is linked, in bytes.
    linked: usize,
    used: AtomicBool,
}

/// A term as the page lists it.
#[derive(Clone, Serialize)]
pub struct Entry {
    pub id: String,
    pub term: String,
    pub means: String,
}

impl Glossary {
    pub fn new(terms: &[Term]) -> Glossary {
        let mut spellings = Vec::new();
        for (number, term) in terms.iter().enumerate() {
            let own = match term.spelled.is_empty() {
                true => std::slice::from_ref(&term.term),
                false => &term.spelled[..],
            };
            spellings.extend(own.iter().map(|text| Spelling {
                term: number,
                text: text.clone(),
                linked: text.strip_suffix(" =").unwrap_or(text).len(),
                used: AtomicBool::new(false),
            }));
        }
        spellings.sort_by_key(|spelling| std::cmp::Reverse(spelling.text.len()));
        let entry = |(at, term): (usize, &Term)| Entry {
            id: format!("term-{}", at + 1),
            term: term.term.clone(),
            means: term.means.clone(),
        };
        Glossary {
            spellings,
            entries: terms.iter().enumerate().map(entry).collect(),
        }
    }

    /// The terms in order.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.clone()
    }

    /// `text` as HTML, the first place of each term a link to it.
    pub fn linked(&self, text: &str) -> String {
        let mut html = String::with_capacity(text.len() * 2);
        let mut done = vec![false; self.entries.len()];
        let mut at = 0;
        while let Some(next) = text[at..].chars().next() {
            let before = text[..at].chars().next_back();
            let found = self.spellings.iter().find(|spelling| {
                let after = text[at..].strip_prefix(spelling.text.as_str());
                after.is_some_and(|after| apart(before, &spelling.text, after.chars().next()))
            });
            let Some(spelling) = found else {
                escape(&mut html, next);
                at += next.len_utf8();
                continue;
            };
            spelling.used.store(true, Ordering::Relaxed);
            let words = &text[at..at + spelling.linked];
            let open = !std::mem::replace(&mut done[spelling.term], true);
            if open {
                let id = &self.entries[spelling.term].id;
                html += &format!("<a class=\"term\" href=\"#{id}\">");
            }
            words.chars().for_each(|c| escape(&mut html, c));
            if open {
                html += "</a>";
            }
            at += spelling.linked;
        }
        html
    }

    /// The first spelling that no text had, with the place of its term.
    pub fn unused(&self) -> Option<(usize, &str)> {
        let mut unused = self.spellings.iter();
        let unused = unused.find(|spelling| !spelling.used.load(Ordering::Relaxed))?;
        Some((unused.term, &unused.text))
    }
}

/// Whether what stands before and after a spelling leaves it a word of its own.
fn apart(before: Option<char>, spelling: &str, after: Option<char>) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '*';
    let joins = |edge: Option<char>, beside: Option<char>| {
        edge.is_some_and(is_word) && beside.is_some_and(is_word)
    };
    // A minus sign or a plus before it makes it another thing: −θ₀, ZS+FS.
    let is_part = before.is_some_and(|c| matches!(c, '−' | '+' | '-' | '/'));
    let continues = after.is_some_and(|c| matches!(c, '+'));
    !is_part
        && !continues
        && !joins(spelling.chars().next(), before)
        && !joins(spelling.chars().next_back(), after)
}

fn escape(html: &mut String, c: char) {
    match c {
        '&' => html.push_str("&amp;"),
        '<' => html.push_str("&lt;"),
        '>' => html.push_str("&gt;"),
        '"' => html.push_str("&quot;"),
        '\'' => html.push_str("&#39;"),
        c => html.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glossary(terms: &[(&str, &[&str])]) -> Glossary {
        let term = |(term, spelled): &(&str, &[&str])| Term {
            term: (*term).to_owned(),
            means: format!("what {term} means"),
            spelled: spelled.iter().map(|s| (*s).to_owned()).collect(),
        };
        Glossary::new(&terms.iter().map(term).collect::<Vec<_>>())
    }

    #[test]
    fn the_first_place_of_the_longest_term_is_linked_and_text_is_escaped() {
        let terms = glossary(&[("ZS", &[]), ("ZS (V)", &[]), ("n", &["n ="]), ("θ₀", &[])]);
        assert_eq!(
            terms.linked("ZS (V) < ZS, at n = 2 and n = 3"),
            "<a class=\"term\" href=\"#term-2\">ZS (V)</a> &lt; <a class=\"term\" href=\"#term-1\">ZS</a>, \
             at <a class=\"term\" href=\"#term-3\">n</a> = 2 and n = 3"
        );
        assert_eq!(terms.unused(), Some((3, "θ₀")));
        for other in ["ZS+FS", "the n-th", "ZSX", "−θ₀", "\"an = 1\""] {
            assert!(!terms.linked(other).contains("<a"), "{other}");
        }
    }
}
