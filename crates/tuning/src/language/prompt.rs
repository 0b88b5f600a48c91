//! The text of prompts: `go -> went`, an item a line, and the query's line up to its arrow.
//!
//! ```text
//! go -> went
//! see -> saw
//! sing ->
//! ```
//!
//! Byte-pair tokenisers put a blank with the word after it. So a query ends with the arrow, without a blank, and the
//! answer is a blank, the word and the line's end: the tokens of a query, then those of its answer, are those of the
//! whole line. The line's end tells that the answer is complete, and ends greedy decoding. Does not know which items
//! stand in a prompt, nor a tokeniser.

use crate::language::items::{ARROW, Item};

/// A query's text, `sing ->`.
pub fn query(item: &Item) -> String {
    format!("{} {ARROW}", item.question)
}

/// What is to follow a query, ` sang` and the line's end.
pub fn answer(item: &Item) -> String {
    format!(" {}\n", item.answer)
}

/// Lines of examples, each a query and its answer, in this order.
pub fn shots<'a>(items: impl IntoIterator<Item = &'a Item>) -> String {
    let line = |item| query(item) + &answer(item);
    items.into_iter().map(line).collect()
}

/// Whether the first line of what a model wrote after the query is the answer, blanks around it aside. Capitals count.
pub fn is_right(item: &Item, written: &str) -> bool {
    let first = written.split('\n').next().unwrap_or_default();
    first.trim() == item.answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(question: &str, answer: &str) -> Item {
        Item {
            task: "past".into(),
            question: question.into(),
            answer: answer.into(),
            rank: 1,
        }
    }

    #[test]
    fn a_prompt_is_lines_and_a_query() {
        let items = [item("go", "went"), item("Peru", "South America")];
        assert_eq!(shots(&items), "go -> went\nPeru -> South America\n");
        assert_eq!(shots([]), "");
        assert_eq!(query(&items[0]), "go ->");
        assert_eq!(answer(&items[0]), " went\n");
        assert_eq!(query(&items[0]) + &answer(&items[0]), shots(&items[..1]));
    }

    #[test]
    fn the_first_line_counts_and_all_of_it() {
        let went = item("go", "went");
        for right in [" went\n", "went", " went\nsee -> saw", " went \r\n"] {
            assert!(is_right(&went, right), "{right:?}");
        }
        for wrong in ["", "\nwent", " went home", " Went", " wen", " gone\n went"] {
            assert!(!is_right(&went, wrong), "{wrong:?}");
        }
    }
}
