//! Multiple-choice items, what is wrong with one, and which of several with one answer is kept.
//!
//! Does not know where items come from: `id` is whatever tells them apart there.

use crate::mmlu::subjects::Subject;
use std::collections::BTreeMap;
use std::fmt;

/// Choices of an item.
pub const CHOICES: usize = 4;

/// One of the four choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Letter(usize);

impl Letter {
    pub const ALL: [Letter; CHOICES] = [Letter(0), Letter(1), Letter(2), Letter(3)];

    /// From its place, 0 to 3.
    pub fn at(place: usize) -> Option<Letter> {
        (place < CHOICES).then_some(Letter(place))
    }

    /// From `A` to `D`.
    pub fn of(letter: char) -> Option<Letter> {
        Letter::ALL.into_iter().find(|one| one.char() == letter)
    }

    pub fn char(self) -> char {
        ['A', 'B', 'C', 'D'][self.0]
    }

    /// 0 to 3.
    pub fn place(self) -> usize {
        self.0
    }
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.char())
    }
}

/// A question with four choices, of which one is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Tells items of one source apart: a row.
    pub id: u64,
    pub subject: Subject,
    pub question: String,
    pub choices: [String; CHOICES],
    pub answer: Letter,
}

impl Item {
    /// The text of the right choice, without blanks around it.
    pub fn right(&self) -> &str {
        self.choices[self.answer.place()].trim()
    }

    /// What makes it unusable by itself, in words that follow "item ... ": no text, or no single right choice.
    pub fn flaw(&self) -> Option<String> {
        if self.question.trim().is_empty() {
            return Some("has an empty question".into());
        }
        if let Some(empty) = Letter::ALL
            .into_iter()
            .find(|letter| self.choices[letter.place()].trim().is_empty())
        {
            return Some(format!("has an empty choice {empty}"));
        }
        let same = |letter: &Letter| {
            *letter != self.answer && self.choices[letter.place()].trim() == self.right()
        };
        let twin = Letter::ALL.into_iter().find(same)?;
        let answer = self.answer;
        Some(format!(
            "has no single right choice: {twin} says the same as {answer}"
        ))
    }

    /// What makes it the same question as another, whatever its answer.
    fn asked(&self) -> (Subject, &str, [&str; CHOICES]) {
        let choices = [0, 1, 2, 3].map(|at| self.choices[at].trim());
        (self.subject, self.question.trim(), choices)
    }
}

/// An item that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Place among the items.
    pub at: usize,
    /// In words that follow "item ... ".
    pub words: String,
}

/// Flaws of single items, and items that ask what an earlier one does; in the order of items, one each.
pub fn flaws(items: &[Item]) -> Vec<Flaw> {
    let mut first: BTreeMap<(Subject, &str, [&str; CHOICES]), usize> = BTreeMap::new();
    let mut found = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let earlier = first.get(&item.asked()).copied();
        let words = item.flaw().or_else(|| {
            let earlier = &items[earlier?];
            let (id, answer) = (earlier.id, earlier.answer);
            Some(match answer == item.answer {
                true => format!("repeats item {id}"),
                false => {
                    let other = item.answer;
                    format!(
                        "asks what item {id} asks, with another right choice: {other}, not {answer}"
                    )
                }
            })
        });
        match words {
            Some(words) => found.push(Flaw { at, words }),
            None => {
                first.insert(item.asked(), at);
            }
        }
    }
    found
}

/// One item, the first, for each subject and text of the right choice.
pub fn one_per_answer(items: Vec<Item>) -> Vec<Item> {
    let mut seen: BTreeMap<(Subject, String), ()> = BTreeMap::new();
    let mut kept = items;
    kept.retain(|item| {
        let answer = (item.subject, item.right().to_owned());
        seen.insert(answer, ()).is_none()
    });
    kept
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An item of a subject whose right choice says `right`.
    pub(crate) fn item(id: u64, subject: &str, right: &str) -> Item {
        let place = (id % 4) as usize;
        let mut choices = [1, 2, 3, 4].map(|wrong| format!("wrong {wrong} of {id}"));
        choices[place] = right.to_owned();
        Item {
            id,
            subject: Subject::find(subject).unwrap(),
            question: format!("What is number {id}?"),
            choices,
            answer: Letter::at(place).unwrap(),
        }
    }

    #[test]
    fn letters_are_four() {
        assert_eq!(Letter::ALL.map(Letter::char), ['A', 'B', 'C', 'D']);
        for letter in Letter::ALL {
            assert_eq!(Letter::of(letter.char()), Some(letter));
            assert_eq!(Letter::at(letter.place()), Some(letter));
        }
        assert_eq!((Letter::of('E'), Letter::of('a')), (None, None));
        assert_eq!(Letter::at(4), None);
    }

    #[test]
    fn the_first_of_one_answer_in_a_subject_stays() {
        let items = vec![
            item(1, "astronomy", "Mars"),
            item(2, "astronomy", " Mars "),
            item(3, "prehistory", "Mars"),
            item(4, "astronomy", "mars"),
        ];
        let kept: Vec<u64> = one_per_answer(items).iter().map(|item| item.id).collect();
        assert_eq!(kept, [1, 3, 4]);
    }

    #[test]
    fn what_is_wrong_with_an_item_is_said() {
        let good = item(1, "astronomy", "Mars");
        assert_eq!(good.flaw(), None);
        let mut empty = good.clone();
        empty.question = " \n".into();
        assert_eq!(empty.flaw().unwrap(), "has an empty question");
        let mut empty = good.clone();
        empty.choices[3] = " ".into();
        assert_eq!(empty.flaw().unwrap(), "has an empty choice D");
        let mut twice = good.clone();
        twice.choices[2] = "Mars ".into();
        let told = twice.flaw().unwrap();
        assert_eq!(told, "has no single right choice: C says the same as B");
        // Two wrong choices may say the same.
        let mut wrong = good.clone();
        wrong.choices[3] = wrong.choices[2].clone();
        assert_eq!(wrong.flaw(), None);
    }

    #[test]
    fn repeated_items_name_the_first() {
        let first = item(1, "astronomy", "Mars");
        let mut again = first.clone();
        (again.id, again.question) = (7, " What is number 1? ".into());
        let mut other = again.clone();
        (other.id, other.answer) = (8, Letter::at(0).unwrap());
        let mut elsewhere = first.clone();
        elsewhere.subject = Subject::find("virology").unwrap();
        let found = flaws(&[first, elsewhere, again, other]);
        let told: Vec<(usize, &str)> = found.iter().map(|f| (f.at, f.words.as_str())).collect();
        let conflict = "asks what item 1 asks, with another right choice: A, not B";
        assert_eq!(told, [(2, "repeats item 1"), (3, conflict)]);
    }
}
