//! How well a language model answers: whether greedy decoding gives the right answer, and how probable that is.
//!
//! Queries are put in groups that share examples, so a model reads those once for each. Greedy decoding gives an answer just when
//! each of its tokens, the line's end included, is the most probable one after those before it; so one pass tells, without decoding. (A
//! model that spells the answer in other tokens than the tokenizer counts as wrong.) Does not know how a model was trained.

use crate::language::items::Item;
use crate::language::letters::{deal, lettered};
use crate::language::split::{Split, shuffle};
use crate::language::tasks::{Tasks, Writer};
use crate::transformer::decode::{Asked, Continuation, Decoder};
use icl::math::stream::Stream;
use icl::math::tensor::float::Float;
use std::collections::BTreeMap;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// A task's items of a split.
    Task { name: String, split: Split },
    /// Words of a task whose answers are classes; each group deals letters to so many classes anew.
    Letters { classes_of: String, classes: usize },
}

/// How much is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// At most so many queries, of a task that has fewer all.
    pub queries: usize,
    /// Groups, of about as many queries each.
    pub groups: usize,
}

/// Prompts with their answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// Examples in a prompt.
    pub shots: usize,
    groups: Vec<Group>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    prefix: Vec<u32>,
    continuations: Vec<Continuation>,
}

/// Means over queries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// Share of queries whose answer greedy decoding does not give.
    pub error: f64,
    /// ln p(answer), its line's end included.
    pub log_probability: f64,
    pub queries: usize,
}

impl Evaluation {
    /// The same seed asks the same queries for every number of shots, and shows examples that continue those of shorter
    /// prompts. Examples are items of training.
    ///
    /// # Errors
    /// Tasks that there are none of, or that have too few items.
    pub fn new(
        question: &Question,
        shots: usize,
        Size { queries, groups }: Size,
        tasks: &Tasks,
        writer: Writer<'_>,
        seed: u64,
    ) -> Result<Evaluation, String> {
        if queries == 0 || groups == 0 {
            return Err("an evaluation has at least one query and one group".into());
        }
        let groups: Vec<(Vec<Item>, Vec<Item>)> = match question {
            Question::Task { name, split } => {
                let mut stream = Stream::new(seed, &format!("language queries of {name}"), &[]);
                let all = tasks.items(name, *split)?.len();
                let asked = tasks.draw(name, *split, all.min(queries), &mut stream)?;
                let chunks = asked.chunks(asked.len().div_ceil(groups));
                let group = |(at, asked): (usize, &[Item])| {
                    let purpose = format!("language shots of {name}");
                    let mut stream = Stream::new(seed, &purpose, &[at as u64]);
                    Ok((
                        tasks.draw(name, Split::Train, shots, &mut stream)?,
                        asked.to_vec(),
                    ))
                };
                chunks
                    .enumerate()
                    .map(group)
                    .collect::<Result<_, String>>()?
            }
            Question::Letters {
                classes_of,
                classes,
            } => (0..groups)
                .map(|at| {
                    let mut stream = Stream::new(seed, "language letters", &[at as u64]);
                    letters(
                        tasks,
                        classes_of,
                        *classes,
                        [shots, queries.div_ceil(groups)],
                        &mut stream,
                    )
                })
                .collect::<Result<_, _>>()?,
        };
        let group = |(shots, asked): (Vec<Item>, Vec<Item>)| {
            let lines = asked.iter().map(|item| {
                let line = writer.line(item)?;
                Ok(Continuation {
                    tokens: line.tokens,
                    scored_from: line.response,
                })
            });
            Ok(Group {
                prefix: writer.prefix(&shots)?,
                continuations: lines.collect::<Result<_, String>>()?,
            })
        };
        let groups = groups
            .into_iter()
            .map(group)
            .collect::<Result<_, String>>()?;
        Ok(Evaluation { shots, groups })
    }

    /// What stands before the queries of each group, and the queries with their answers.
    pub fn prompts(&self) -> impl Iterator<Item = (&[u32], impl Iterator<Item = &[u32]>)> {
        self.groups.iter().map(|group| {
            let lines = group
                .continuations
                .iter()
                .map(|line| line.tokens.as_slice());
            (group.prefix.as_slice(), lines)
        })
    }

    /// Queries that are asked.
    pub fn queries(&self) -> usize {
        self.groups
            .iter()
            .map(|group| group.continuations.len())
            .sum()
    }

    /// Tokens of the longest prompt with its answer.
    pub fn longest(&self) -> usize {
        let of = |group: &Group| {
            let longest = group.continuations.iter().map(|one| one.tokens.len()).max();
            group.prefix.len() + longest.unwrap_or(0)
        };
        self.groups.iter().map(of).max().unwrap_or(0)
    }
}

/// The scores of each evaluation; a model reads all of them at once.
///
/// # Errors
/// Tokens that the model does not have.
#[inline(never)]
pub fn score<T: Float>(
    evaluations: &[Evaluation],
    decoder: &mut Decoder<'_, T>,
) -> Result<Vec<Scored>, String> {
    let groups = || evaluations.iter().flat_map(|one| &one.groups);
    let prefixes: Vec<Vec<u32>> = groups().map(|group| group.prefix.clone()).collect();
    let prefixes = decoder.read_each(&prefixes)?;
    let asked = prefixes.iter().zip(groups()).map(|(prefix, group)| Asked {
        prefix,
        continuations: &group.continuations,
    });
    let mut scores = decoder.score(&asked.collect::<Vec<_>>())?.into_iter();
    let of = |one: &Evaluation| {
        let queries = one.queries();
        let (mut wrong, mut log_probability) = (0, 0.0);
        for scores in scores.by_ref().take(queries) {
            wrong += usize::from(!scores.iter().all(|score| score.is_first));
            log_probability += scores
                .iter()
                .map(|score| score.log_probability)
                .sum::<f64>();
        }
        let count = queries as f64;
        let (error, log_probability) = (wrong as f64 / count, log_probability / count);
        Scored {
            error,
            log_probability,
            queries,
        }
    };
    Ok(evaluations.iter().map(of).collect())
}

/// Examples and queries of one group: words of classes that are dealt letters. Examples take classes in turn.
fn letters(
    tasks: &Tasks,
    classes_of: &str,
    classes: usize,
    [shots, queries]: [usize; 2],
    stream: &mut Stream,
) -> Result<(Vec<Item>, Vec<Item>), String> {
    let by_class = |split: Split| -> Result<BTreeMap<&str, Vec<&Item>>, String> {
        let mut by: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
        for item in tasks.items(classes_of, split)? {
            by.entry(&item.answer).or_default().push(item);
        }
        Ok(by)
    };
    let (shown, asked) = (by_class(Split::Train)?, by_class(Split::Test)?);
    let mut names: Vec<&str> = shown
        .keys()
        .copied()
        .filter(|name| asked.contains_key(name))
        .collect();
    // Shuffled first: with fewer examples the same classes come.
    shuffle(&mut names, stream);
    let most = shots.div_ceil(classes.max(1));
    names.retain(|name| shown[name].len() >= most);
    if names.len() < classes {
        let found = names.len();
        return Err(format!(
            "{found} classes of `{classes_of}` have {most} words for examples and one to ask, {classes} are asked for"
        ));
    }
    names.truncate(classes);
    let dealt = deal(&names, stream).map_err(|e| e.to_string())?;
    let mut pools: Vec<Vec<&Item>> = names.iter().map(|name| shown[name].clone()).collect();
    pools.iter_mut().for_each(|pool| shuffle(pool, stream));
    let examples = (0..shots).map(|at| pools[at % classes][at / classes]);
    let mut open: Vec<&Item> = names.iter().flat_map(|name| asked[name].clone()).collect();
    shuffle(&mut open, stream);
    open.truncate(queries);
    let letter = |item: &Item| lettered(item, &dealt).map_err(|e| e.to_string());
    let examples = examples.map(letter).collect::<Result<_, _>>()?;
    Ok((
        examples,
        open.into_iter().map(letter).collect::<Result<_, _>>()?,
    ))
}
