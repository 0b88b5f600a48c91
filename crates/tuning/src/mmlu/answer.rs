//! Answers as text: which letter one gives, when a model has said enough, and which rationales are right.
//!
//! Knows neither prompts nor models.

use crate::mmlu::items::Letter;

/// Begins the next prompt: whatever a model says behind it is no answer.
pub const NEXT: &str = "[Query]";

/// Before the letter.
pub const MARK: &str = "Answer:";

/// The line that gives a letter.
pub fn line(letter: Letter) -> String {
    format!("{MARK} {letter}")
}

/// The letter that a text gives: of the last [`MARK`] that one of the four follows, before any [`NEXT`]. Blanks, stars and a
/// bracket may stand between; a word that begins with a letter, as `Answer: Because`, is none.
pub fn letter(text: &str) -> Option<Letter> {
    let (text, _) = text.split_once(NEXT).unwrap_or((text, ""));
    let ends = text.match_indices(MARK).map(|(at, mark)| at + mark.len());
    let found = ends.filter_map(|end| first_letter(&text[end..]).map(|(letter, _)| letter));
    found.last()
}

/// The letter at the beginning, and whether something stands behind it.
fn first_letter(text: &str) -> Option<(Letter, bool)> {
    let rest = text.trim_start_matches([' ', '*', '(']);
    let mut rest = rest.chars();
    let letter = Letter::of(rest.next()?)?;
    match rest.next() {
        None => Some((letter, false)),
        Some(next) if next.is_alphanumeric() => None,
        Some(_) => Some((letter, true)),
    }
}

/// Whether a model has said enough: it begins another prompt, or a letter is given and something stands behind it. A
/// letter at the very end may still become a word.
pub fn is_complete(text: &str) -> bool {
    let ends = text.match_indices(MARK).map(|(at, mark)| at + mark.len());
    let mut ended = ends.filter_map(|end| first_letter(&text[end..]));
    text.contains(NEXT) || ended.any(|(_, ended)| ended)
}

/// The reasoning of a rationale whose last line gives the right letter; that line is left out.
///
/// # Errors
/// Words that follow "the rationale ": another letter, none, or nothing before it.
pub fn reasoning(rationale: &str, right: Letter) -> Result<&str, String> {
    let text = rationale.trim_end();
    let (before, last) = text.rsplit_once('\n').unwrap_or(("", text));
    match letter(last) {
        None => return Err(format!("does not end with a line `{MARK} <letter>`")),
        Some(found) if found != right => return Err(format!("says {found}, right is {right}")),
        Some(_) => {}
    }
    let before = before.trim();
    let before = before
        .strip_prefix("Reasoning:")
        .unwrap_or(before)
        .trim_start();
    if before.contains(NEXT) {
        return Err(format!("contains `{NEXT}`, which begins a prompt"));
    }
    match before.is_empty() {
        true => Err("has no line before the answer".into()),
        false => Ok(before),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<char> {
        letter(text).map(Letter::char)
    }

    #[test]
    fn the_last_answer_counts() {
        assert_eq!(read("Answer: B"), Some('B'));
        assert_eq!(read("Answer: B\nNo.\nAnswer: C."), Some('C'));
        assert_eq!(read("Answer: B\nAnswer: none"), Some('B'));
        assert_eq!(read("Answer:D"), Some('D'));
        assert_eq!(read("**Answer: (A)**"), Some('A'));
        assert_eq!(read("Answer: **D**"), Some('D'));
        assert_eq!(read("Answer: A\n\n[Query]\nAnswer: D"), Some('A'));
    }

    #[test]
    fn what_is_no_answer_gives_none() {
        for text in [
            "",
            "B",
            "answer: B",
            "Answer: E",
            "Answer: Because",
            "Answer: b",
            "[Query] Answer: A",
            "Answer:\nB",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_model_has_said_enough_when_something_follows_the_letter() {
        for (text, complete) in [
            ("Reasoning: it is", false),
            ("Answer:", false),
            ("Answer: A", false),
            ("Answer: Al", false),
            ("Answer: A\n", true),
            ("Answer: A.", true),
            ("so [Query]", true),
            ("so [Quer", false),
        ] {
            assert_eq!(is_complete(text), complete, "{text}");
        }
    }

    #[test]
    fn rationales_are_kept_when_their_last_line_is_right() {
        let b = Letter::of('B').unwrap();
        let text = "Reasoning: It is red.\nSo Mars.\n**Answer: (B)**\n\n";
        assert_eq!(reasoning(text, b).unwrap(), "It is red.\nSo Mars.");
        let wrong = |text| reasoning(text, b).unwrap_err();
        assert_eq!(wrong("It is red.\nAnswer: A"), "says A, right is B");
        let none = "does not end with a line `Answer: <letter>`";
        assert_eq!(wrong("Answer: B\nIt is red."), none);
        assert_eq!(wrong(""), none);
        assert_eq!(
            wrong("Reasoning:\nAnswer: B"),
            "has no line before the answer"
        );
        assert!(wrong("[Query] again\nAnswer: B").contains("begins a prompt"));
    }
}
