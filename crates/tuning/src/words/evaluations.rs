//! What a model of words is trained and tested on: which prompts, of which languages and letters.
//!
//! Does not know models.

use crate::words::corpus::{Corpus, Split};
use crate::words::features::LETTERS;
use crate::words::prompts::{Deal, Deals, Plan, Prompt, PromptError, draw, enough};

/// A set of test prompts. All names in them are those of things that no training sees in any language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evaluation {
    /// The target's languages with the target's letters.
    Target,
    /// The target's languages, in each prompt with letters of which none is the target's.
    OtherLetters,
    /// Four other languages of pretraining, languages and letters anew in each prompt.
    OtherTrained,
    /// Four languages that pretraining does not see, anew in each prompt.
    Unseen,
    /// Four languages of one other script, anew in each prompt; each script as probable as another.
    OtherScript,
}

impl Evaluation {
    pub const ALL: [Evaluation; 5] = [
        Evaluation::Target,
        Evaluation::OtherLetters,
        Evaluation::OtherTrained,
        Evaluation::Unseen,
        Evaluation::OtherScript,
    ];

    /// As tables spell it; also the purpose of its streams.
    pub fn name(self) -> &'static str {
        match self {
            Evaluation::Target => "target",
            Evaluation::OtherLetters => "other_letters",
            Evaluation::OtherTrained => "other_trained",
            Evaluation::Unseen => "unseen",
            Evaluation::OtherScript => "other_script",
        }
    }

    /// All but those that a corpus has no languages for: other scripts, where none has four.
    pub fn possible(corpus: &Corpus) -> Vec<Evaluation> {
        let scripts = corpus.other_script().iter();
        let has_script = { scripts }.any(|list| list.len() >= LETTERS);
        let all = Evaluation::ALL.into_iter();
        all.filter(|one| *one != Evaluation::OtherScript || has_script)
            .collect()
    }

    /// Test prompts. The same seed gives the same queries for every number of shots, and shots that continue
    /// those of shorter prompts, so that curves over shots and differences of models vary little.
    ///
    /// # Errors
    /// When there are fewer than four languages of the kind, or fewer names in one than a prompt may need.
    pub fn prompts(
        self,
        corpus: &Corpus,
        target: &Deal,
        n_shots: usize,
        n_prompts: usize,
        seed: u64,
    ) -> Result<Vec<Prompt>, PromptError> {
        let others: Vec<usize> = { corpus.pretraining().iter().copied() }
            .filter(|language| !target.languages.contains(language))
            .collect();
        // A script of fewer languages makes no prompt of its own.
        let scripts = corpus.other_script().iter();
        let scripts: Vec<Vec<usize>> = scripts
            .filter(|list| list.len() >= LETTERS)
            .cloned()
            .collect();
        let deals = match self {
            Evaluation::Target => Deals::Fixed(target),
            Evaluation::OtherLetters => Deals::Deranged(target),
            Evaluation::OtherTrained => {
                enough("other pretraining", others.len())?;
                Deals::AnyOf(&others)
            }
            Evaluation::Unseen => {
                enough("unseen", corpus.unseen().len())?;
                Deals::AnyOf(corpus.unseen())
            }
            Evaluation::OtherScript => {
                let most = corpus.other_script().iter().map(Vec::len).max();
                enough("same other script's", most.unwrap_or(0))?;
                Deals::OneList(&scripts)
            }
        };
        let plan = Plan {
            deals,
            split: Split::Test,
            n_shots,
            n_prompts,
        };
        draw(corpus, &plan, seed, &format!("words {}", self.name()), &[])
    }
}

/// What a training step draws its prompts from. Training things only, pretraining languages only.
#[derive(Debug, Clone, PartialEq)]
pub enum Training<'a> {
    /// Any four languages of pretraining with letters anew: pretraining itself, and replay of random tasks.
    Random,
    /// The target's languages with the target's letters.
    Target(&'a Deal),
    /// One of these tasks, each with its letters: replay of a few.
    Tasks(&'a [Deal]),
}

impl Training<'_> {
    /// The prompts of a step; `purpose` tells apart the draws of several parts of one objective.
    ///
    /// # Errors
    /// When there are fewer than four languages, no tasks, or fewer names than a prompt may need.
    pub fn prompts(
        &self,
        corpus: &Corpus,
        n_shots: usize,
        n_prompts: usize,
        (seed, purpose, step): (u64, &str, u64),
    ) -> Result<Vec<Prompt>, PromptError> {
        let deals = match self {
            Training::Random => {
                enough("pretraining", corpus.pretraining().len())?;
                Deals::AnyOf(corpus.pretraining())
            }
            Training::Target(deal) => Deals::Fixed(deal),
            Training::Tasks(deals) => Deals::OneOf(deals),
        };
        let plan = Plan {
            deals,
            split: Split::Train,
            n_shots,
            n_prompts,
        };
        draw(corpus, &plan, seed, purpose, &[step])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::corpus::tests::made_up;
    use crate::words::corpus::{Role, folded};
    use std::collections::BTreeSet;

    fn texts<'a>(corpus: &'a Corpus, prompts: &'a [Prompt]) -> impl Iterator<Item = String> + 'a {
        prompts.iter().flat_map(|prompt| {
            let all = prompt.shots.iter().chain([&prompt.query]);
            all.map(|example| folded(&prompt.name(corpus, example).text))
        })
    }

    #[test]
    fn no_test_name_and_no_unseen_language_is_trained_on() {
        let corpus = made_up();
        let target = Deal::target(&corpus, 0).unwrap();
        let tasks = Deal::tasks(&corpus, 3, 0).unwrap();
        let kinds = [
            Training::Random,
            Training::Target(&target),
            Training::Tasks(&tasks),
        ];
        let mut trained = BTreeSet::new();
        for kind in kinds {
            for step in 0..50 {
                let prompts = kind.prompts(&corpus, 16, 8, (0, "test", step)).unwrap();
                trained.extend(texts(&corpus, &prompts));
                for prompt in &prompts {
                    for example in prompt.shots.iter().chain([&prompt.query]) {
                        let role = corpus.languages()[example.language].role;
                        assert_eq!(role, Role::Pretraining);
                    }
                }
            }
        }
        assert!(trained.len() > 400, "{}", trained.len());
        for evaluation in Evaluation::ALL {
            let prompts = evaluation.prompts(&corpus, &target, 16, 100, 0).unwrap();
            assert!(texts(&corpus, &prompts).all(|text| !trained.contains(&text)));
        }
    }

    #[test]
    fn evaluations_have_the_languages_that_they_name() {
        let corpus = made_up();
        let target = Deal::target(&corpus, 0).unwrap();
        for evaluation in Evaluation::ALL {
            for prompt in evaluation.prompts(&corpus, &target, 16, 100, 0).unwrap() {
                for example in prompt.shots.iter().chain([&prompt.query]) {
                    let of_target = target.languages.contains(&example.language);
                    let own_letter = target.languages[example.letter] == example.language;
                    let role = corpus.languages()[example.language].role;
                    let right = match evaluation {
                        Evaluation::Target => own_letter,
                        Evaluation::OtherLetters => of_target && !own_letter,
                        Evaluation::OtherTrained => role == Role::Pretraining && !of_target,
                        Evaluation::Unseen => role == Role::Unseen,
                        Evaluation::OtherScript => role == Role::OtherScript,
                    };
                    assert!(right, "{evaluation:?}: {example:?}");
                }
            }
        }
    }

    #[test]
    fn steps_and_parts_have_draws_of_their_own() {
        let corpus = made_up();
        let draw = |purpose, step| {
            let stream = (0, purpose, step);
            Training::Random.prompts(&corpus, 4, 2, stream).unwrap()
        };
        assert_eq!(draw("a", 0), draw("a", 0));
        assert_ne!(draw("a", 0), draw("a", 1));
        assert_ne!(draw("a", 0), draw("b", 0));
    }
}
