//! Prompts as a transformer reads them: bags of ids, and reads of letters and languages.
//!
//! A prompt is \[start\], then for each shot \[name\] and \[name + letter\], then the query's \[name\]: 34 tokens at
//! 16 shots, 2 without. \[name\] is the bag of the name's n-grams, \[name + letter\] the same with the letter's
//! id. Separate tokens for name and letter are harder to learn from: then the letter's token must find its name first.
//! Knows no model.

use crate::transformer::model::batch::{Batch, Read, Target, Tokens};
use crate::words::corpus::{Corpus, Split};
use crate::words::features::{LETTERS, Vocabulary, drop_out};
use crate::words::prompts::{Example, Prompt};
use icl::math::stream::Stream;

/// What is wanted of a list of prompts: factors of mean losses. A factor of 0 for `earlier` and `language`
/// leaves their reads out; the query is always read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Of the mean over prompts of the query's loss: which letter?
    pub query: f64,
    /// Of the mean over all shots of the loss at their names, before their letters are told.
    pub earlier: f64,
    /// Of the mean over all names of the loss of the auxiliary task: which language of pretraining?
    /// Names of other languages are not asked.
    pub language: f64,
}

impl Weights {
    /// The query alone: the mean loss over prompts.
    pub const QUERY: Weights = Weights {
        query: 1.0,
        earlier: 0.0,
        language: 0.0,
    };
}

/// The ids of all names of a corpus.
#[derive(Debug, Clone)]
pub struct Lexicon {
    vocabulary: Vocabulary,
    /// By split, language and name.
    bags: [Vec<Vec<Vec<u32>>>; 2],
    /// Of each language, its place among those of pretraining.
    classes: Vec<Option<usize>>,
    n_classes: usize,
}

impl Lexicon {
    pub fn new(corpus: &Corpus, vocabulary: Vocabulary) -> Lexicon {
        let bags = Split::ALL.map(|split| {
            let languages = corpus.languages().iter();
            let bags = languages.map(|language| {
                let names = language.names(split).iter();
                names.map(|name| vocabulary.bag(&name.text)).collect()
            });
            bags.collect()
        });
        let mut classes = vec![None; corpus.languages().len()];
        for (class, &language) in corpus.pretraining().iter().enumerate() {
            classes[language] = Some(class);
        }
        Lexicon {
            vocabulary,
            bags,
            classes,
            n_classes: corpus.pretraining().len(),
        }
    }

    pub fn vocabulary(&self) -> Vocabulary {
        self.vocabulary
    }

    /// Outputs that a model needs: a letter each, then a language of pretraining each.
    pub fn n_outputs(&self) -> usize {
        LETTERS + self.n_classes
    }

    /// The n-grams of an example's name.
    pub fn bag(&self, split: Split, example: &Example) -> &[u32] {
        &self.bags[split as usize][example.language][example.name]
    }

    pub fn n_languages(&self) -> usize {
        self.classes.len()
    }

    /// The n-grams of all names of a language.
    pub fn bags(&self, split: Split, language: usize) -> &[Vec<u32>] {
        &self.bags[split as usize][language]
    }

    /// An empty batch.
    pub fn batch(&self) -> BatchBuilder<'_> {
        BatchBuilder {
            lexicon: self,
            lengths: Vec::new(),
            entries: Vec::new(),
            ends: Vec::new(),
            reads: Vec::new(),
        }
    }
}

/// A batch in the making. Several lists of prompts with weights of their own are one objective.
#[derive(Debug, Clone)]
pub struct BatchBuilder<'a> {
    lexicon: &'a Lexicon,
    lengths: Vec<usize>,
    entries: Vec<(u32, f64)>,
    ends: Vec<usize>,
    reads: Vec<Read>,
}

impl BatchBuilder<'_> {
    /// Adds prompts as they are.
    pub fn push(self, prompts: &[Prompt], weights: &Weights) -> Self {
        let mut unused = Stream::new(0, "no drop out", &[]);
        self.push_with_dropout(prompts, weights, 0.0, &mut unused)
    }

    /// Adds prompts whose names lose a share of their n-grams, the same in both tokens of a shot.
    pub fn push_with_dropout(
        mut self,
        prompts: &[Prompt],
        weights: &Weights,
        share: f64,
        stream: &mut Stream,
    ) -> Self {
        let shots: usize = prompts.iter().map(|prompt| prompt.shots.len()).sum();
        let mean = |factor: f64, n: usize| factor / n as f64;
        let query = mean(weights.query, prompts.len());
        let earlier = (weights.earlier != 0.0).then(|| mean(weights.earlier, shots));
        let language =
            (weights.language != 0.0).then(|| mean(weights.language, shots + prompts.len()));
        let lexicon = self.lexicon;
        let mut name = Vec::new();
        for prompt in prompts {
            let first = self.ends.len();
            self.token(&[lexicon.vocabulary.start()], None);
            for shot in &prompt.shots {
                name.clear();
                drop_out(lexicon.bag(prompt.split, shot), share, stream, &mut name);
                self.read(shot, earlier, language);
                self.token(&name, None);
                self.token(&name, Some(lexicon.vocabulary.letter(shot.letter)));
            }
            name.clear();
            let bag = lexicon.bag(prompt.split, &prompt.query);
            drop_out(bag, share, stream, &mut name);
            self.read(&prompt.query, Some(query), language);
            self.token(&name, None);
            self.lengths.push(self.ends.len() - first);
        }
        self
    }

    /// A set of n ids, each with weight 1 / sqrt(n), so that a sum of random vectors has the size of one; and a letter
    /// with weight 1, or it would be lost among them.
    fn token(&mut self, ids: &[u32], letter: Option<u32>) {
        let weight = 1.0 / (ids.len().max(1) as f64).sqrt();
        self.entries.extend(ids.iter().map(|&id| (id, weight)));
        self.entries.extend(letter.map(|letter| (letter, 1.0)));
        self.ends.push(self.entries.len());
    }

    /// Reads at the token that comes next.
    fn read(&mut self, example: &Example, letter: Option<f64>, language: Option<f64>) {
        let token = self.ends.len();
        if let Some(weight) = letter {
            let target = Target::Class {
                from: 0,
                to: LETTERS,
                class: example.letter,
            };
            self.reads.push(Read {
                token,
                target,
                weight,
            });
        }
        if let (Some(weight), Some(class)) = (language, self.lexicon.classes[example.language]) {
            let target = Target::Class {
                from: LETTERS,
                to: self.lexicon.n_outputs(),
                class: LETTERS + class,
            };
            self.reads.push(Read {
                token,
                target,
                weight,
            });
        }
    }

    pub fn finish(self) -> Batch {
        let (entries, ends) = (self.entries, self.ends);
        Batch {
            lengths: self.lengths,
            tokens: Tokens::Bags { entries, ends },
            reads: self.reads,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::corpus::tests::made_up;
    use crate::words::evaluations::{Evaluation, Training};
    use crate::words::prompts::Deal;

    fn lexicon(corpus: &Corpus) -> Lexicon {
        Lexicon::new(corpus, Vocabulary::new(8192).unwrap())
    }

    fn bag(batch: &Batch, token: usize) -> Vec<u32> {
        let Tokens::Bags { entries, ends } = &batch.tokens else {
            panic!("words are bags");
        };
        let first = token.checked_sub(1).map_or(0, |before| ends[before]);
        entries[first..ends[token]]
            .iter()
            .map(|(id, _)| *id)
            .collect()
    }

    #[test]
    fn a_prompt_is_pairs_of_tokens() {
        let corpus = made_up();
        let lexicon = lexicon(&corpus);
        let prompts = Training::Random.prompts(&corpus, 16, 3, (0, "test", 0));
        let prompts = prompts.unwrap();
        let weights = Weights {
            query: 0.25,
            earlier: 0.75,
            language: 0.5,
        };
        let batch = lexicon.batch().push(&prompts, &weights).finish();
        assert_eq!(batch.lengths, [34, 34, 34]);
        assert_eq!(bag(&batch, 34), [lexicon.vocabulary().start()]);
        let shot = &prompts[1].shots[2];
        let mut expected = lexicon.bag(Split::Train, shot).to_vec();
        assert_eq!(bag(&batch, 34 + 5), expected);
        expected.push(lexicon.vocabulary().letter(shot.letter));
        assert_eq!(bag(&batch, 34 + 6), expected);
        assert_eq!(
            bag(&batch, 67),
            lexicon.bag(Split::Train, &prompts[1].query)
        );
        // A letter and a language at each of 17 names of 3 prompts.
        assert_eq!(batch.reads.len(), 2 * 17 * 3);
        let sum: f64 = batch.reads.iter().map(|read| read.weight).sum();
        assert!((sum - 1.5).abs() < 1e-12, "{sum}");
        assert!(batch.reads.is_sorted_by_key(|read| read.token));
        let last = &batch.reads[batch.reads.len() - 2..];
        let letter = prompts[2].query.letter;
        let (from, to) = (0, LETTERS);
        assert_eq!(last[0].token, 3 * 34 - 1);
        assert_eq!(
            last[0].target,
            Target::Class {
                from,
                to,
                class: letter
            }
        );
        let class = LETTERS + prompts[2].query.language;
        let (from, to) = (LETTERS, LETTERS + 12);
        assert_eq!(last[1].target, Target::Class { from, to, class });
    }

    #[test]
    fn prompts_without_shots_and_of_unseen_languages_ask_the_letter_alone() {
        let corpus = made_up();
        let lexicon = lexicon(&corpus);
        let target = Deal::target(&corpus, 0).unwrap();
        let prompts = Evaluation::Unseen.prompts(&corpus, &target, 0, 5, 0);
        let weights = Weights {
            query: 1.0,
            earlier: 1.0,
            language: 1.0,
        };
        let batch = lexicon.batch().push(&prompts.unwrap(), &weights).finish();
        assert_eq!(batch.lengths, [2; 5]);
        let tokens: Vec<usize> = batch.reads.iter().map(|read| read.token).collect();
        assert_eq!(tokens, [1, 3, 5, 7, 9]);
        assert!(batch.reads.iter().all(|read| read.weight == 0.2));
    }

    #[test]
    fn parts_follow_each_other() {
        let corpus = made_up();
        let lexicon = lexicon(&corpus);
        let prompts = |n_shots| {
            let prompts = Training::Random.prompts(&corpus, n_shots, 2, (0, "test", 0));
            prompts.unwrap()
        };
        let one = lexicon.batch().push(&prompts(3), &Weights::QUERY).finish();
        let both = lexicon
            .batch()
            .push(&prompts(0), &Weights::QUERY)
            .push(&prompts(3), &Weights::QUERY)
            .finish();
        assert_eq!(both.lengths, [2, 2, 8, 8]);
        for token in 0..16 {
            assert_eq!(bag(&both, 4 + token), bag(&one, token));
        }
        assert_eq!(both.reads[2].token, 4 + one.reads[0].token);
    }

    #[test]
    fn dropout_is_the_same_in_both_tokens() {
        let corpus = made_up();
        let lexicon = lexicon(&corpus);
        let prompts = Training::Random.prompts(&corpus, 8, 4, (0, "test", 0));
        let prompts = prompts.unwrap();
        let batch = |seed| {
            let mut stream = Stream::new(seed, "dropout", &[]);
            let batch = lexicon.batch();
            batch.push_with_dropout(&prompts, &Weights::QUERY, 0.3, &mut stream)
        };
        let batch = |seed| batch(seed).finish();
        assert_eq!(batch(0), batch(0));
        assert_ne!(batch(0), batch(1));
        let (some, mut lost) = (batch(0), 0);
        for (at, prompt) in prompts.iter().enumerate() {
            for (place, shot) in prompt.shots.iter().enumerate() {
                let name = bag(&some, at * 18 + 1 + 2 * place);
                let pair = bag(&some, at * 18 + 2 + 2 * place);
                assert_eq!(pair[..pair.len() - 1], name);
                let whole = lexicon.bag(Split::Train, shot);
                assert!(name.iter().all(|id| whole.contains(id)));
                lost += whole.len() - name.len();
            }
        }
        assert!(lost > 50, "{lost}");
    }

    /// Pins the bits of prompts: when this fails, every result on words changes.
    #[test]
    fn golden_batch() {
        let corpus = made_up();
        let lexicon = lexicon(&corpus);
        let prompts = Training::Random.prompts(&corpus, 16, 64, (7, "golden", 3));
        let mut stream = Stream::new(7, "golden dropout", &[3]);
        let batch = lexicon.batch();
        let batch = batch.push_with_dropout(&prompts.unwrap(), &Weights::QUERY, 0.3, &mut stream);
        let Tokens::Bags { entries, ends } = batch.finish().tokens else {
            panic!("words are bags");
        };
        let mut hasher = blake3::Hasher::new();
        for (id, weight) in entries {
            hasher.update(&id.to_le_bytes());
            hasher.update(&weight.to_le_bytes());
        }
        for end in ends {
            hasher.update(&(end as u64).to_le_bytes());
        }
        assert_eq!(&hasher.finalize().to_hex()[..16], GOLDEN);
    }

    const GOLDEN: &str = "6e9c59b0d1782698";
}
