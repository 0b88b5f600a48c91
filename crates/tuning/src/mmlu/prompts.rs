//! Prompts and responses as text.
//!
//! A prompt is shots and a query; each repeats the instruction under [`NEXT`], then subject, question and choices. The
//! structure is the authors'; the words of the instructions are ours, as theirs are not published. Does not know tokens.

use crate::mmlu::answer::{MARK, NEXT, line};
use crate::mmlu::items::{CHOICES, Item, Letter};
use crate::mmlu::word_count;

/// What is asked about an item's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Its own question.
    Question,
    /// The words of the question's last sentence.
    WordCount,
}

impl Task {
    pub const ALL: [Task; 2] = [Task::Question, Task::WordCount];

    /// As tables and pipeline.yaml write it.
    pub fn name(self) -> &'static str {
        match self {
            Task::Question => "question",
            Task::WordCount => "word_count",
        }
    }

    /// The right choice.
    pub fn answer(self, item: &Item) -> Letter {
        match self {
            Task::Question => item.answer,
            Task::WordCount => word_count::answer(&item.question),
        }
    }

    fn choices(self, item: &Item) -> [&str; CHOICES] {
        match self {
            Task::Question => item.choices.each_ref().map(String::as_str),
            Task::WordCount => word_count::CHOICES,
        }
    }
}

/// What a response consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Reasoning, then the answer.
    Reasoned,
    /// The answer alone.
    Direct,
}

/// Between a shot and what follows it.
pub const BETWEEN: &str = "\n\n";

fn instruction(task: Task, style: Style) -> String {
    let what = match task {
        Task::Question => "Solve this multiple-choice question.",
        Task::WordCount => {
            "Leave aside what this question asks: say how many words its last sentence has."
        }
    };
    let how = match style {
        Style::Reasoned => "First give your reasoning. Then finish with the line",
        Style::Direct => "Reply with nothing but the line",
    };
    format!(
        "{what} {how} \"{MARK} <choice>\", with A, B, C or D as the choice. Any solved samples above show what is wanted: study them first."
    )
}

/// A query, or a shot without its response.
pub fn query(item: &Item, task: Task, style: Style) -> String {
    let subject = item.subject.words();
    let question = item.question.trim();
    let instruction = instruction(task, style);
    let mut text = format!("{NEXT}\n{instruction}\n\nSubject: {subject}\nQuestion: {question}");
    for (letter, choice) in Letter::ALL.into_iter().zip(task.choices(item)) {
        text += &format!("\n{letter}) {}", choice.trim());
    }
    text
}

/// What should be said: the letter, with the reasoning before it where there is one.
pub fn response(answer: Letter, reasoning: Option<&str>) -> String {
    match reasoning {
        None => line(answer),
        Some(reasoning) => format!("Reasoning: {}\n{}", reasoning.trim(), line(answer)),
    }
}

/// A solved sample, without [`BETWEEN`].
pub fn shot(item: &Item, task: Task, reasoning: Option<&str>) -> String {
    let style = match reasoning {
        Some(_) => Style::Reasoned,
        None => Style::Direct,
    };
    let query = query(item, task, style);
    format!("{query}\n{}", response(task.answer(item), reasoning))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mmlu::subjects::Subject;

    fn item() -> Item {
        Item {
            id: 5,
            subject: Subject::find("high_school_geography").unwrap(),
            question: " It is long. Which river is it? ".into(),
            choices: ["Nile", "Rhine ", "Elbe", "Oder"].map(str::to_owned),
            answer: Letter::of('B').unwrap(),
        }
    }

    #[test]
    fn a_reasoned_shot_reads_so() {
        let expected = "[Query]\n\
            Solve this multiple-choice question. First give your reasoning. Then finish with the line \"Answer: <choice>\", \
            with A, B, C or D as the choice. Any solved samples above show what is wanted: study them first.\n\n\
            Subject: high school geography\n\
            Question: It is long. Which river is it?\n\
            A) Nile\nB) Rhine\nC) Elbe\nD) Oder\n\
            Reasoning: Wine grows there.\nAnswer: B";
        let found = shot(&item(), Task::Question, Some("Wine grows there. "));
        assert_eq!(found, expected);
    }

    #[test]
    fn the_words_of_a_sentence_are_asked_of_the_same_text() {
        let found = shot(&item(), Task::WordCount, None);
        let end = "Subject: high school geography\n\
            Question: It is long. Which river is it?\n\
            A) 0-9\nB) 10-19\nC) 20-29\nD) 30 or more\n\
            Answer: A";
        assert!(found.ends_with(end), "{found}");
        assert!(found.contains("nothing but the line"));
        assert!(!query(&item(), Task::Question, Style::Direct).contains("last sentence"));
    }

    /// An example of the form of the answer is no answer.
    #[test]
    fn the_instruction_itself_answers_nothing() {
        for task in Task::ALL {
            for style in [Style::Reasoned, Style::Direct] {
                let words = instruction(task, style);
                assert_eq!(crate::mmlu::answer::letter(&words), None);
            }
        }
    }
}
