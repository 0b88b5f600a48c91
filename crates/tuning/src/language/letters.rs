//! Arbitrary letters: words whose class has a letter that each prompt deals anew, so that only its examples tell it.
//!
//! `horse -> B`, `oak -> A`, `wolf -> B`, and the query `elm ->`. Without examples nothing is better than chance. Does
//! not know where words and classes come from: an item's answer is the class of its question.

use crate::language::items::Item;
use crate::language::split::shuffle;
use icl::math::stream::Stream;
use std::collections::BTreeMap;
use std::fmt;

/// The letters that are dealt; a prompt of two classes has the first two.
pub const LETTERS: [&str; 4] = ["A", "B", "C", "D"];

/// The task of lettered items.
pub const TASK: &str = "arbitrary_letters";

/// Examples and the query of a prompt, all answers letters.
#[derive(Debug, Clone, PartialEq)]
pub struct LetterPrompt {
    pub shots: Vec<Item>,
    pub query: Item,
}

/// Why letters cannot be dealt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LettersError {
    /// Not two to four classes in a prompt.
    Classes { asked: usize },
    /// Too few classes have so many words as a prompt takes of one.
    Words {
        classes: usize,
        enough: usize,
        words: usize,
    },
    /// A class that is dealt two letters.
    Twice { class: String },
    /// A word whose class got no letter.
    NoLetter { word: String, class: String },
}

impl fmt::Display for LettersError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            LettersError::Classes { asked } => {
                let most = LETTERS.len();
                write!(f, "a prompt has 2 to {most} classes, not {asked}")
            }
            LettersError::Words {
                classes,
                enough,
                words,
            } => write!(
                f,
                "a prompt of {classes} classes needs {words} words of each, which {enough} have"
            ),
            LettersError::Twice { class } => write!(f, "class `{class}` is dealt two letters"),
            LettersError::NoLetter { word, class } => {
                write!(f, "the class `{class}` of `{word}` has no letter")
            }
        }
    }
}

impl std::error::Error for LettersError {}

/// A letter for each class: the first letters, in an order drawn uniformly.
///
/// # Errors
/// Not two to four classes, and a class named twice.
pub fn deal<'a>(
    classes: &[&'a str],
    stream: &mut Stream,
) -> Result<BTreeMap<&'a str, &'static str>, LettersError> {
    let asked = classes.len();
    if !(2..=LETTERS.len()).contains(&asked) {
        return Err(LettersError::Classes { asked });
    }
    let mut letters = LETTERS[..asked].to_vec();
    shuffle(&mut letters, stream);
    let mut dealt = BTreeMap::new();
    for (class, letter) in classes.iter().zip(letters) {
        if dealt.insert(*class, letter).is_some() {
            let class = (*class).to_owned();
            return Err(LettersError::Twice { class });
        }
    }
    Ok(dealt)
}

/// The item with its class's letter for an answer.
///
/// # Errors
/// A class without a letter.
pub fn lettered(item: &Item, dealt: &BTreeMap<&str, &str>) -> Result<Item, LettersError> {
    match dealt.get(item.answer.as_str()) {
        Some(letter) => Ok(Item {
            task: TASK.to_owned(),
            question: item.question.clone(),
            answer: (*letter).to_owned(),
            rank: item.rank,
        }),
        None => Err(LettersError::NoLetter {
            word: item.question.clone(),
            class: item.answer.clone(),
        }),
    }
}

/// A prompt of so many classes and examples, its classes, letters, words and their order drawn by the stream.
///
/// Each class has as many examples as the others or one less; no word comes twice; the query is a word of one of the
/// classes, each as likely. The order of `words` counts.
///
/// # Errors
/// Not two to four classes, and too few classes with enough words.
pub fn letter_prompt(
    words: &[Item],
    classes: usize,
    shots: usize,
    stream: &mut Stream,
) -> Result<LetterPrompt, LettersError> {
    if !(2..=LETTERS.len()).contains(&classes) {
        return Err(LettersError::Classes { asked: classes });
    }
    // Of one class: its examples, and perhaps the query.
    let most = shots.div_ceil(classes) + 1;
    let mut by_class: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
    for word in words {
        by_class.entry(&word.answer).or_default().push(word);
    }
    by_class.retain(|_, words| words.len() >= most);
    if by_class.len() < classes {
        return Err(LettersError::Words {
            classes,
            enough: by_class.len(),
            words: most,
        });
    }
    let mut names: Vec<&str> = by_class.keys().copied().collect();
    shuffle(&mut names, stream);
    names.truncate(classes);
    let dealt = deal(&names, stream)?;
    let asked = stream.index(classes);
    let (mut examples, mut query) = (Vec::new(), None);
    for (place, name) in names.iter().enumerate() {
        let mut of_class = by_class[name].clone();
        shuffle(&mut of_class, stream);
        let mut of_class = of_class.into_iter();
        if place == asked {
            query = of_class.next();
        }
        // The first classes have the examples that are left over.
        let n = shots / classes + usize::from(place < shots % classes);
        examples.extend(of_class.take(n));
    }
    shuffle(&mut examples, stream);
    let examples = examples.into_iter().map(|item| lettered(item, &dealt));
    let Some(query) = query else {
        return Err(LettersError::Classes { asked: classes });
    };
    Ok(LetterPrompt {
        shots: examples.collect::<Result<_, _>>()?,
        query: lettered(query, &dealt)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn stream(index: u64) -> Stream {
        Stream::new(0, "letters", &[index])
    }

    fn words() -> Vec<Item> {
        let mut words = Vec::new();
        for (class, n) in [("animal", 8), ("plant", 6), ("food", 5), ("tool", 2)] {
            for at in 0..n {
                words.push(Item {
                    task: "class".into(),
                    question: format!("{class}{at}"),
                    answer: class.into(),
                    rank: at + 1,
                });
            }
        }
        words
    }

    #[test]
    fn every_dealing_is_as_likely() {
        let classes = ["animal", "plant", "food"];
        let mut counts: BTreeMap<Vec<&str>, u32> = BTreeMap::new();
        for index in 0..3000 {
            let dealt = deal(&classes, &mut stream(index)).unwrap();
            let letters = classes.iter().map(|class| dealt[class]).collect();
            *counts.entry(letters).or_default() += 1;
        }
        assert_eq!(counts.len(), 6);
        // 500 each; five standard deviations.
        assert!(
            counts.values().all(|count| (398..=602).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn a_prompt_has_classes_in_equal_parts_and_no_word_twice() {
        let words = words();
        let mut queries = BTreeSet::new();
        for index in 0..200 {
            let prompt = letter_prompt(&words, 3, 8, &mut stream(index)).unwrap();
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            let mut questions = BTreeSet::from([&prompt.query.question]);
            let mut letter_of: BTreeMap<String, &str> = BTreeMap::new();
            for item in prompt.shots.iter().chain([&prompt.query]) {
                let class = item.question.trim_end_matches(char::is_numeric);
                let letter = letter_of.entry(class.into()).or_insert(&item.answer);
                assert_eq!(*letter, item.answer);
                assert_eq!(item.task, TASK);
            }
            for shot in &prompt.shots {
                assert!(questions.insert(&shot.question), "{prompt:?}");
                *counts.entry(&shot.answer).or_default() += 1;
            }
            let mut counts: Vec<usize> = counts.into_values().collect();
            counts.sort();
            assert_eq!(counts, [2, 3, 3]);
            queries.insert(prompt.query.answer.clone());
            assert_eq!(
                prompt,
                letter_prompt(&words, 3, 8, &mut stream(index)).unwrap()
            );
        }
        assert_eq!(queries.len(), 3);
        let none = letter_prompt(&words, 2, 0, &mut stream(0)).unwrap();
        assert_eq!(none.shots, []);
    }

    #[test]
    fn what_cannot_be_dealt_is_told() {
        let told = |classes, shots| {
            letter_prompt(&words(), classes, shots, &mut stream(0))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(told(1, 4), "a prompt has 2 to 4 classes, not 1");
        assert_eq!(told(5, 4), "a prompt has 2 to 4 classes, not 5");
        assert_eq!(
            told(4, 8),
            "a prompt of 4 classes needs 3 words of each, which 3 have"
        );
        let error = deal(&["plant", "plant"], &mut stream(0)).unwrap_err();
        assert_eq!(error.to_string(), "class `plant` is dealt two letters");
        let dealt = deal(&["plant", "food"], &mut stream(0)).unwrap();
        let error = lettered(&words()[0], &dealt).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the class `animal` of `animal0` has no letter"
        );
    }
}
