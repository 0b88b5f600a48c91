//! Items of tasks: a question and its right answer, as lines of a text.
//!
//! Does not know what a task asks, nor what an item is for.

use std::collections::BTreeMap;

/// A question of a task and its one right answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub task: String,
    pub question: String,
    pub answer: String,
    /// Place among the task's questions by how common they are, from 1.
    pub rank: usize,
}

/// Between question and answer in a prompt, so no part of either.
pub const ARROW: &str = "->";

/// Reads lines of task, question, answer and rank with tabs between.
///
/// # Errors
/// Lines are counted from 1 in messages. Refused are: no UTF-8, no line, another number of columns, a field that is
/// empty, has blanks around it, a control character or an arrow, a rank that is no whole number above 0, and a
/// question or a rank that the task has twice (capitals make no other question).
pub fn parse(bytes: &[u8]) -> Result<Vec<Item>, String> {
    let text = std::str::from_utf8(bytes).map_err(|e| format!("it is no UTF-8: {e}"))?;
    let mut questions: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let mut ranks: BTreeMap<(&str, usize), usize> = BTreeMap::new();
    let mut items = Vec::new();
    for (line, fields) in text.lines().enumerate() {
        let line = line + 1;
        let fields: Vec<&str> = fields.split('\t').collect();
        let [task, question, answer, rank] = fields[..] else {
            let found = fields.len();
            return Err(format!(
                "line {line} has {found} columns, expected 4 with tabs between: task, question, answer, rank"
            ));
        };
        for (what, field) in [("task", task), ("question", question), ("answer", answer)] {
            if field.trim() != field || field.is_empty() || field.contains(char::is_control) {
                return Err(format!(
                    "line {line}: the {what} `{}` is empty, has blanks around it or a control character",
                    field.escape_debug()
                ));
            }
            if field.contains(ARROW) {
                return Err(format!(
                    "line {line}: the {what} `{field}` has `{ARROW}`, which stands between question and answer in prompts"
                ));
            }
        }
        let rank = match rank.parse() {
            Ok(rank) if rank > 0 => rank,
            _ => {
                let rank = rank.escape_debug();
                return Err(format!(
                    "line {line}: the rank `{rank}` is no whole number above 0"
                ));
            }
        };
        if let Some(first) = questions.insert((task, question.to_lowercase()), line) {
            return Err(format!(
                "line {line}: task `{task}` asks `{question}` already in line {first}"
            ));
        }
        if let Some(first) = ranks.insert((task, rank), line) {
            return Err(format!(
                "line {line}: task `{task}` has rank {rank} already in line {first}"
            ));
        }
        items.push(Item {
            task: task.to_owned(),
            question: question.to_owned(),
            answer: answer.to_owned(),
            rank,
        });
    }
    match items.is_empty() {
        true => Err("it has no lines".into()),
        false => Ok(items),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_items() {
        let items = parse("past\tgo\twent\t1\ncontinent\tPeru\tSouth America\t7\n".as_bytes());
        let expected = Item {
            task: "continent".into(),
            question: "Peru".into(),
            answer: "South America".into(),
            rank: 7,
        };
        assert_eq!(items.unwrap()[1], expected);
    }

    #[test]
    fn bad_lines_are_told_by_their_number() {
        let message = |text: &str| parse(text.as_bytes()).unwrap_err();
        assert_eq!(
            message("a\tb\tc\t1\na\tb\tc\n"),
            "line 2 has 3 columns, expected 4 with tabs between: task, question, answer, rank"
        );
        assert!(message("a\t\tc\t1\n").starts_with("line 1: the question `` is empty"));
        assert!(message("a\tb\t c\t1\n").contains("the answer ` c`"));
        assert!(message("a\tb\tc\u{1f}d\t1\n").contains("`c\\u{1f}d`"));
        assert!(message("a\tb -> c\tc\t1\n").contains("the question `b -> c` has `->`"));
        for rank in ["0", "-1", "1.5", "", "x"] {
            let text = format!("a\tb\tc\t{rank}\n");
            let expected = format!("line 1: the rank `{rank}` is no whole number above 0");
            assert_eq!(message(&text), expected);
        }
        assert_eq!(
            message("a\tBe\tc\t1\na\tbe\td\t2\n"),
            "line 2: task `a` asks `be` already in line 1"
        );
        assert_eq!(
            message("a\tb\tc\t1\na\td\te\t1\n"),
            "line 2: task `a` has rank 1 already in line 1"
        );
        assert_eq!(message(""), "it has no lines");
        assert!(parse(b"\xff").unwrap_err().starts_with("it is no UTF-8"));
        assert!(parse(b"a\tb\tc\t1\nb\tb\tc\t1\n").is_ok());
    }
}
