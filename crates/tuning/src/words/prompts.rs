//! Prompts: four languages with a letter each, names with their letters, and a name that asks.
//!
//! Does not know what prompts are for (see [`evaluations`](super::evaluations)) nor how a model reads
//! them (see [`tokens`](super::tokens)).

use crate::words::corpus::{Corpus, Name, Split, folded};
use crate::words::features::LETTERS;
use icl::math::stream::Stream;
use std::fmt;

/// Which language has which letter: the one at place 0 has letter A. Languages are places in a corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deal {
    pub languages: [usize; LETTERS],
}

/// A name of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    pub language: usize,
    /// Place among the language's names of the prompt's split.
    pub name: usize,
    /// Place of its letter.
    pub letter: usize,
}

/// Examples with their letters, and one that asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    pub split: Split,
    pub deal: Deal,
    pub shots: Vec<Example>,
    pub query: Example,
}

/// Which deals prompts may have.
#[derive(Debug, Clone, PartialEq)]
pub enum Deals<'a> {
    /// Always this one.
    Fixed(&'a Deal),
    /// The languages of this one, none with its own letter; uniform over all such.
    Deranged(&'a Deal),
    /// Four of these languages, in any order.
    AnyOf(&'a [usize]),
    /// Four of the languages of one list, each list as probable as another.
    OneList(&'a [Vec<usize>]),
    /// One of these, each as probable as another.
    OneOf(&'a [Deal]),
}

/// How many prompts, and of what.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan<'a> {
    pub deals: Deals<'a>,
    pub split: Split,
    pub n_shots: usize,
    pub n_prompts: usize,
}

/// Why prompts cannot be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptError {
    /// Fewer languages than letters.
    Languages { what: &'static str, found: usize },
    /// A language has fewer names than a prompt may take of it.
    Names {
        language: String,
        split: Split,
        found: usize,
        needed: usize,
    },
    /// No deal to choose from.
    NoDeals,
}

impl fmt::Display for PromptError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            PromptError::Languages { what, found } => {
                write!(
                    f,
                    "{found} {what} languages, {LETTERS} are needed for a prompt"
                )
            }
            PromptError::Names {
                language,
                split,
                found,
                needed,
            } => write!(
                f,
                "language `{language}` has {found} names of split `{}`, a prompt may need {needed}",
                split.name()
            ),
            PromptError::NoDeals => write!(f, "no task to draw prompts of"),
        }
    }
}

impl std::error::Error for PromptError {}

impl Deal {
    /// Four of these languages in random order. The list must have four; the first few of a Fisher-Yates
    /// shuffle, so one draw a letter.
    fn any_of(languages: &[usize], stream: &mut Stream) -> Deal {
        let mut left = languages.to_vec();
        Deal {
            languages: std::array::from_fn(|place| {
                let other = place + stream.index(left.len() - place);
                left.swap(place, other);
                left[place]
            }),
        }
    }

    /// The target task of a seed: four languages seen in pretraining, and letters that stay.
    ///
    /// # Errors
    /// When pretraining sees fewer than four languages.
    pub fn target(corpus: &Corpus, seed: u64) -> Result<Deal, PromptError> {
        enough("pretraining", corpus.pretraining().len())?;
        let mut stream = Stream::new(seed, "words target", &[]);
        Ok(Deal::any_of(corpus.pretraining(), &mut stream))
    }

    /// Tasks as pretraining has them: any four of its languages, any letters.
    ///
    /// # Errors
    /// When pretraining sees fewer than four languages.
    pub fn tasks(corpus: &Corpus, n_tasks: usize, seed: u64) -> Result<Vec<Deal>, PromptError> {
        enough("pretraining", corpus.pretraining().len())?;
        let task = |task| {
            let mut stream = Stream::new(seed, "words tasks", &[task as u64]);
            Deal::any_of(corpus.pretraining(), &mut stream)
        };
        Ok((0..n_tasks).map(task).collect())
    }

    /// The same languages, none with its letter: one of the nine such deals, by rejection.
    fn deranged(&self, stream: &mut Stream) -> Deal {
        loop {
            let other = Deal::any_of(&self.languages, stream);
            let pairs = self.languages.iter().zip(&other.languages);
            if pairs.clone().all(|(own, other)| own != other) {
                return other;
            }
        }
    }
}

impl Deals<'_> {
    fn draw(&self, stream: &mut Stream) -> Deal {
        match self {
            Deals::Fixed(deal) => **deal,
            Deals::Deranged(deal) => deal.deranged(stream),
            Deals::AnyOf(languages) => Deal::any_of(languages, stream),
            Deals::OneList(lists) => Deal::any_of(&lists[stream.index(lists.len())], stream),
            Deals::OneOf(deals) => deals[stream.index(deals.len())],
        }
    }

    /// Languages that may occur.
    fn languages(&self) -> Vec<usize> {
        match self {
            Deals::Fixed(deal) | Deals::Deranged(deal) => deal.languages.to_vec(),
            Deals::AnyOf(languages) => languages.to_vec(),
            Deals::OneList(lists) => lists.concat(),
            Deals::OneOf(deals) => deals.iter().flat_map(|deal| deal.languages).collect(),
        }
    }

    fn check(&self) -> Result<(), PromptError> {
        match self {
            Deals::Fixed(_) | Deals::Deranged(_) => Ok(()),
            Deals::AnyOf(languages) => enough("possible", languages.len()),
            Deals::OneList(lists) => {
                let sizes = lists.iter().map(Vec::len);
                enough("possible", sizes.min().unwrap_or(0))
            }
            Deals::OneOf([]) => Err(PromptError::NoDeals),
            Deals::OneOf(_) => Ok(()),
        }
    }
}

pub(super) fn enough(what: &'static str, found: usize) -> Result<(), PromptError> {
    match found < LETTERS {
        true => Err(PromptError::Languages { what, found }),
        false => Ok(()),
    }
}

/// Draws prompts. Prompt p has a stream of its own, (seed, purpose, index + \[p\]), in which the deal, the
/// query and then the shots are drawn: the first prompts of a longer list are the same, and so are the
/// first shots of a longer prompt. Languages of query and shots are uniform over the four; a language's
/// names are uniform over those of the split whose text is not yet in the prompt.
///
/// # Errors
/// When there are fewer than four languages, no deals, or a language with fewer than n_shots + 1 names.
pub fn draw(
    corpus: &Corpus,
    plan: &Plan,
    seed: u64,
    purpose: &str,
    index: &[u64],
) -> Result<Vec<Prompt>, PromptError> {
    plan.deals.check()?;
    let needed = plan.n_shots + 1;
    for language in plan.deals.languages() {
        let language = &corpus.languages()[language];
        let found = language.names(plan.split).len();
        if found < needed {
            return Err(PromptError::Names {
                language: language.tag.clone(),
                split: plan.split,
                found,
                needed,
            });
        }
    }
    let mut index = index.to_vec();
    index.push(0);
    let prompt = |at: usize| {
        if let Some(last) = index.last_mut() {
            *last = at as u64;
        }
        let mut stream = Stream::new(seed, purpose, &index);
        one(corpus, plan, &mut stream)
    };
    Ok((0..plan.n_prompts).map(prompt).collect())
}

fn one(corpus: &Corpus, plan: &Plan, stream: &mut Stream) -> Prompt {
    let deal = plan.deals.draw(stream);
    let mut texts: Vec<String> = Vec::with_capacity(plan.n_shots + 1);
    let mut example = || {
        let letter = stream.index(LETTERS);
        let language = deal.languages[letter];
        let names = corpus.languages()[language].names(plan.split);
        // Names of a language differ, and are more than the texts so far: one is always left.
        let name = loop {
            let name = stream.index(names.len());
            let text = folded(&names[name].text);
            if !texts.contains(&text) {
                texts.push(text);
                break name;
            }
        };
        Example {
            language,
            name,
            letter,
        }
    };
    let query = example();
    let shots = (0..plan.n_shots).map(|_| example()).collect();
    Prompt {
        split: plan.split,
        deal,
        shots,
        query,
    }
}

impl Prompt {
    /// An example's name.
    pub fn name<'a>(&self, corpus: &'a Corpus, example: &Example) -> &'a Name {
        &corpus.languages()[example.language].names(self.split)[example.name]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::corpus::tests::made_up;

    fn plan(deals: Deals) -> Plan {
        Plan {
            deals,
            split: Split::Train,
            n_shots: 16,
            n_prompts: 300,
        }
    }

    fn drawn(corpus: &Corpus, plan: &Plan) -> Vec<Prompt> {
        draw(corpus, plan, 1, "test", &[4]).unwrap()
    }

    fn examples(prompt: &Prompt) -> impl Iterator<Item = &Example> {
        prompt.shots.iter().chain([&prompt.query])
    }

    #[test]
    fn names_differ_and_letters_follow_the_deal() {
        let corpus = made_up();
        let deal = Deal::target(&corpus, 3).unwrap();
        for prompt in drawn(&corpus, &plan(Deals::Fixed(&deal))) {
            let mut texts: Vec<&str> = examples(&prompt)
                .map(|example| prompt.name(&corpus, example).text.as_str())
                .collect();
            texts.sort_unstable();
            texts.dedup();
            assert_eq!(texts.len(), 17);
            assert!(examples(&prompt).all(|e| deal.languages[e.letter] == e.language));
        }
    }

    #[test]
    fn longer_lists_and_longer_prompts_begin_alike() {
        let corpus = made_up();
        let long = drawn(&corpus, &plan(Deals::AnyOf(corpus.pretraining())));
        let short = Plan {
            n_shots: 5,
            n_prompts: 20,
            ..plan(Deals::AnyOf(corpus.pretraining()))
        };
        let short = drawn(&corpus, &short);
        assert_eq!(short.len(), 20);
        for (long, short) in long.iter().zip(&short) {
            assert_eq!(long.query, short.query);
            assert_eq!(long.shots[..5], short.shots);
        }
    }

    #[test]
    fn derangements_are_all_nine_and_no_letter_stays() {
        let corpus = made_up();
        let deal = Deal::target(&corpus, 3).unwrap();
        let mut found: Vec<Deal> = (0..400)
            .map(|at| deal.deranged(&mut Stream::new(at, "derangements", &[])))
            .collect();
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 9);
        for prompt in drawn(&corpus, &plan(Deals::Deranged(&deal))) {
            for example in examples(&prompt) {
                assert!(deal.languages.contains(&example.language));
                assert_ne!(deal.languages[example.letter], example.language);
            }
        }
    }

    #[test]
    fn deals_stay_within_their_lists() {
        let corpus = made_up();
        for prompt in drawn(&corpus, &plan(Deals::OneList(corpus.other_script()))) {
            let scripts = examples(&prompt).map(|e| &corpus.languages()[e.language].script);
            let mut scripts: Vec<&String> = scripts.collect();
            scripts.dedup();
            assert_eq!(scripts.len(), 1);
        }
        let tasks = Deal::tasks(&corpus, 2, 0).unwrap();
        for prompt in drawn(&corpus, &plan(Deals::OneOf(&tasks))) {
            let of =
                |task: &Deal| examples(&prompt).all(|e| task.languages[e.letter] == e.language);
            assert!(tasks.iter().any(of));
        }
    }

    #[test]
    fn languages_and_queries_are_uniform() {
        let corpus = made_up();
        let many = Plan {
            n_prompts: 4000,
            n_shots: 1,
            ..plan(Deals::AnyOf(corpus.pretraining()))
        };
        let mut letters = [0; LETTERS];
        let mut languages = [0; 12];
        for prompt in drawn(&corpus, &many) {
            letters[prompt.query.letter] += 1;
            languages[prompt.query.language] += 1;
        }
        // 1000 and 333 expected, standard deviations 27 and 17.
        assert!(
            letters.iter().all(|n| (865..1135).contains(n)),
            "{letters:?}"
        );
        assert!(
            languages.iter().all(|n| (248..418).contains(n)),
            "{languages:?}"
        );
    }

    #[test]
    fn what_cannot_be_drawn_is_told() {
        let corpus = made_up();
        let error = |plan: Plan| {
            draw(&corpus, &plan, 0, "test", &[])
                .unwrap_err()
                .to_string()
        };
        let few = plan(Deals::AnyOf(&[1, 2, 3]));
        assert_eq!(
            error(few),
            "3 possible languages, 4 are needed for a prompt"
        );
        let long = Plan {
            n_shots: 40,
            ..plan(Deals::AnyOf(corpus.pretraining()))
        };
        assert_eq!(
            error(long),
            "language `l00` has 40 names of split `train`, a prompt may need 41"
        );
        assert_eq!(error(plan(Deals::OneOf(&[]))), "no task to draw prompts of");
    }
}
