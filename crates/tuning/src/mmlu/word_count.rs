//! The task that no fine-tuning sees: how many words has the last sentence of a question? Asked on the same text.
//!
//! Does not know how prompts look.

use crate::mmlu::items::Letter;

/// The choices, in the order of the letters.
pub const CHOICES: [&str; 4] = ["0-9", "10-19", "20-29", "30 or more"];

/// Words, divided by blanks, of the last sentence. A sentence ends with `.`, `?` or `!` before a blank or at the end, so that
/// `3.5` is no end; closing quotes and brackets may stand behind the mark.
pub fn last_sentence_words(text: &str) -> usize {
    let words: Vec<&str> = text.split_whitespace().collect();
    let ends = |word: &&str| {
        let word = word.trim_end_matches(['"', '\'', ')', ']', '”', '’']);
        word.ends_with(['.', '?', '!'])
    };
    let Some((_, before)) = words.split_last() else {
        return 0;
    };
    before.iter().rev().take_while(|word| !ends(word)).count() + 1
}

/// The right choice.
pub fn answer(question: &str) -> Letter {
    let tens = last_sentence_words(question) / 10;
    Letter::ALL[tens.min(Letter::ALL.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_last_sentence_are_counted() {
        for (text, words) in [
            ("", 0),
            (" \n", 0),
            ("Why?", 1),
            ("It is 3.5 m long. How long is it?", 4),
            ("He said \"no.\" Then he\nleft", 3),
            ("(It rains.) And now? ", 2),
            ("A question without an end", 5),
            ("It is _______.", 3),
        ] {
            assert_eq!(last_sentence_words(text), words, "{text}");
        }
    }

    #[test]
    fn choices_are_tens() {
        let of = |words: usize| answer(&vec!["word"; words].join(" ")).char();
        let at = [0, 9, 10, 19, 20, 29, 30, 400];
        assert_eq!(at.map(of), ['A', 'A', 'B', 'B', 'C', 'C', 'D', 'D']);
    }
}
