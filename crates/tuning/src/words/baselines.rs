//! What can be told without a trained model: naive Bayes over n-grams.
//!
//! Multinomial naive Bayes with add-alpha smoothing: a name with ids g has in class c the score
//!
//! sum over g of log((count of g in c + alpha) / (count of all ids in c + alpha V)),
//!
//! V the number of n-gram ids; the prior is uniform, as prompts are drawn, and of equal scores the first letter's wins.
//! Source: Manning, Raghavan and Schuetze, Introduction to Information Retrieval, section 13.2.
//! Knows no model and no table.

use crate::words::corpus::Split;
use crate::words::features::LETTERS;
use crate::words::prompts::Prompt;
use crate::words::tokens::Lexicon;
use std::collections::BTreeMap;

/// Where the counts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The prompt's shots: what can be learned from the context alone.
    Shots,
    /// All names for training of the prompt's languages, told which language has which letter: an
    /// oracle that even knows the languages that no training sees.
    Languages,
}

impl Source {
    pub const ALL: [Source; 2] = [Source::Shots, Source::Languages];

    /// As tables spell it.
    pub fn name(self) -> &'static str {
        match self {
            Source::Shots => "naive_bayes",
            Source::Languages => "oracle",
        }
    }
}

/// How often a class has each id.
#[derive(Debug, Clone, Default)]
struct Counts {
    ids: BTreeMap<u32, u32>,
    total: u64,
}

impl Counts {
    fn add(&mut self, bag: &[u32]) {
        for &id in bag {
            *self.ids.entry(id).or_default() += 1;
        }
        self.total += bag.len() as u64;
    }

    fn score(&self, bag: &[u32], alpha: f64, n_grams: usize) -> f64 {
        let total = libm::log(self.total as f64 + alpha * n_grams as f64);
        let count = |id| f64::from(self.ids.get(id).copied().unwrap_or(0));
        let terms = bag.iter().map(|id| libm::log(count(id) + alpha) - total);
        terms.fold(0.0, |sum, term| sum + term)
    }
}

/// Naive Bayes on the prompts of a corpus.
#[derive(Debug, Clone)]
pub struct NaiveBayes<'a> {
    lexicon: &'a Lexicon,
    alpha: f64,
    /// What each language has in training; nothing where the shots alone count.
    languages: Option<Vec<Counts>>,
}

impl<'a> NaiveBayes<'a> {
    /// `alpha` > 0; few examples want less of it than many.
    pub fn new(lexicon: &'a Lexicon, source: Source, alpha: f64) -> NaiveBayes<'a> {
        let counts = |language| {
            let mut counts = Counts::default();
            for bag in lexicon.bags(Split::Train, language) {
                counts.add(bag);
            }
            counts
        };
        let languages = match source {
            Source::Shots => None,
            Source::Languages => Some((0..lexicon.n_languages()).map(counts).collect()),
        };
        NaiveBayes {
            lexicon,
            alpha,
            languages,
        }
    }

    /// The place of the letter that a prompt's query is given.
    pub fn answer(&self, prompt: &Prompt) -> usize {
        let bag = self.lexicon.bag(prompt.split, &prompt.query);
        let n_grams = self.lexicon.vocabulary().n_grams();
        let score = |letter: usize| match &self.languages {
            Some(languages) => {
                let language = prompt.deal.languages[letter];
                languages[language].score(bag, self.alpha, n_grams)
            }
            None => {
                let mut counts = Counts::default();
                for shot in prompt.shots.iter().filter(|shot| shot.letter == letter) {
                    counts.add(self.lexicon.bag(prompt.split, shot));
                }
                counts.score(bag, self.alpha, n_grams)
            }
        };
        let scores: [f64; LETTERS] = std::array::from_fn(score);
        // The first of the largest.
        (1..LETTERS).fold(0, |best, letter| match scores[letter] > scores[best] {
            true => letter,
            false => best,
        })
    }

    /// Share of prompts that get a wrong letter.
    pub fn error(&self, prompts: &[Prompt]) -> f64 {
        let wrong = prompts
            .iter()
            .filter(|prompt| self.answer(prompt) != prompt.query.letter);
        wrong.count() as f64 / prompts.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::corpus::tests::made_up;
    use crate::words::evaluations::Evaluation;
    use crate::words::features::Vocabulary;
    use crate::words::prompts::Deal;

    #[test]
    fn scores_are_those_of_the_formula() {
        let mut counts = Counts::default();
        counts.add(&[1, 5]);
        counts.add(&[5]);
        // (2 + .5) / (3 + .5 10) and (0 + .5) / 8
        let expected = libm::log(2.5 / 8.0) + libm::log(0.5 / 8.0);
        assert!((counts.score(&[5, 7], 0.5, 10) - expected).abs() < 1e-14);
        // A class without examples gives every id 1 / V.
        let empty = Counts::default().score(&[5, 7], 0.5, 10);
        assert!((empty - 2.0 * libm::log(0.1)).abs() < 1e-14);
    }

    #[test]
    fn shots_beat_chance_on_unseen_languages_and_the_oracle_beats_shots() {
        let corpus = made_up();
        let lexicon = Lexicon::new(&corpus, Vocabulary::new(8192).unwrap());
        let target = Deal::target(&corpus, 0).unwrap();
        for evaluation in Evaluation::ALL {
            let errors = |n_shots, source| {
                let prompts = evaluation.prompts(&corpus, &target, n_shots, 500, 0);
                NaiveBayes::new(&lexicon, source, 0.1).error(&prompts.unwrap())
            };
            let shots = errors(16, Source::Shots);
            let oracle = errors(16, Source::Languages);
            // Chance errs in .75, standard deviation .02.
            assert!(shots < 0.6, "{evaluation:?}: {shots}");
            assert!(oracle < shots - 0.05, "{evaluation:?}: {oracle}, {shots}");
            let none = errors(0, Source::Shots);
            assert!((0.66..0.84).contains(&none), "{evaluation:?}: {none}");
            assert_eq!(
                errors(0, Source::Languages),
                oracle,
                "the queries are the same"
            );
        }
    }
}
