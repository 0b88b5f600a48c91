//! Splits items into training, development and tests, so that no test can be answered from training.
//!
//! Items are put together that would tell each other's answer: all that ask the same, in whatever tasks, and within a
//! task those of which one asks what another answers (hot, cold and cold, hot). What is put together is in one split.
//! Does not know what a task asks.

use crate::language::items::Item;
use icl::math::stream::Stream;
use std::collections::BTreeMap;
use std::fmt;

/// What an item is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Split {
    Train,
    /// For choices such as the learning rate.
    Development,
    Test,
}

impl Split {
    pub const ALL: [Split; 3] = [Split::Train, Split::Development, Split::Test];

    /// As tables spell it.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Development => "development",
            Split::Test => "test",
        }
    }
}

/// Shares of each task's items; what is left is for training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    pub development: f64,
    pub test: f64,
}

/// A task has no item of a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmptySplit {
    pub task: String,
    pub items: usize,
    pub split: Split,
}

impl fmt::Display for EmptySplit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (task, items, split) = (&self.task, self.items, self.split.name());
        write!(f, "task `{task}` of {items} items has none for {split}")
    }
}

impl std::error::Error for EmptySplit {}

/// The split of each item, drawn by the seed.
///
/// Tasks come one after the other, those of few items first and of as many by name; items that an earlier task has
/// put into a split count for it. The others are shuffled by the task's stream, and fill first the tests to round(share n)
/// items or, by what is put together, some more, then development, then training. The order of the items does not matter,
/// and neither do their ranks.
///
/// # Errors
/// A task without items of some split.
pub fn split(items: &[Item], shares: Shares, seed: u64) -> Result<Vec<Split>, EmptySplit> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by(|&a, &b| key(&items[a]).cmp(&key(&items[b])));
    let group_of = groups(items, &order);
    let mut tasks: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for &at in &order {
        tasks.entry(&items[at].task).or_default().push(at);
    }
    let mut turns: Vec<(&str, Vec<usize>)> = tasks.into_iter().collect();
    turns.sort_by_key(|(task, members)| (members.len(), *task));

    let mut chosen: BTreeMap<usize, Split> = BTreeMap::new();
    for (task, members) in &turns {
        let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
        let mut open = Vec::new();
        for &at in members {
            let group = group_of[at];
            let size = sizes.entry(group).or_default();
            *size += 1;
            if *size == 1 && !chosen.contains_key(&group) {
                open.push(group);
            }
        }
        shuffle(&mut open, &mut Stream::new(seed, &purpose(task), &[]));
        let filled = |chosen: &BTreeMap<usize, Split>, split: Split| -> usize {
            let of_split = sizes
                .iter()
                .filter(|(group, _)| chosen.get(group) == Some(&split));
            of_split.map(|(_, size)| size).sum()
        };
        let wanted = |share: f64| (share * members.len() as f64).round() as usize;
        for group in open {
            let split = if filled(&chosen, Split::Test) < wanted(shares.test) {
                Split::Test
            } else if filled(&chosen, Split::Development) < wanted(shares.development) {
                Split::Development
            } else {
                Split::Train
            };
            chosen.insert(group, split);
        }
        for split in Split::ALL {
            if filled(&chosen, split) == 0 {
                let (task, items) = ((*task).to_owned(), members.len());
                return Err(EmptySplit { task, items, split });
            }
        }
    }
    Ok(group_of.iter().map(|group| chosen[group]).collect())
}

fn purpose(task: &str) -> String {
    format!("language split of {task}")
}

fn key(item: &Item) -> (&str, &str) {
    (&item.task, &item.question)
}

/// The group of each item, named by one of its members.
fn groups(items: &[Item], order: &[usize]) -> Vec<usize> {
    let mut parents: Vec<usize> = (0..items.len()).collect();
    fn root(parents: &[usize], mut at: usize) -> usize {
        while parents[at] != at {
            at = parents[at];
        }
        at
    }
    let mut join = |a: usize, b: usize| {
        let (a, b) = (root(&parents, a), root(&parents, b));
        parents[b] = a;
    };
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    let mut in_task: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for &at in order {
        let question = items[at].question.to_lowercase();
        match asked.get(&question) {
            Some(&first) => join(first, at),
            None => {
                asked.insert(question.clone(), at);
            }
        }
        in_task.insert((&items[at].task, question), at);
    }
    for &at in order {
        // An item that answers with its own question in capitals tells of no other.
        let answer = (items[at].task.as_str(), items[at].answer.to_lowercase());
        if let Some(&other) = in_task.get(&answer) {
            join(other, at);
        }
    }
    (0..items.len()).map(|at| root(&parents, at)).collect()
}

/// Puts them in an order drawn uniformly from all orders.
pub(crate) fn shuffle<T>(all: &mut [T], stream: &mut Stream) {
    for place in 0..all.len() {
        let other = place + stream.index(all.len() - place);
        all.swap(place, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARES: Shares = Shares {
        development: 0.1,
        test: 0.3,
    };

    fn item(task: &str, question: &str, answer: &str) -> Item {
        Item {
            task: task.into(),
            question: question.into(),
            answer: answer.into(),
            rank: 1,
        }
    }

    /// Opposites in both directions, and two tasks of which one asks half of what the other asks.
    fn items() -> Vec<Item> {
        let mut items = Vec::new();
        for at in 0..50 {
            items.push(item("opposite", &format!("hot{at}"), &format!("cold{at}")));
            items.push(item("opposite", &format!("cold{at}"), &format!("hot{at}")));
            items.push(item("upper", &format!("word{at}"), &format!("WORD{at}")));
        }
        for at in 0..100 {
            items.push(item("first", &format!("Word{at}"), "w"));
        }
        items
    }

    fn count(items: &[Item], splits: &[Split], task: &str, split: Split) -> usize {
        let pairs = items.iter().zip(splits);
        pairs
            .filter(|(item, one)| item.task == task && **one == split)
            .count()
    }

    #[test]
    fn shares_are_met_and_nothing_leaks() {
        let items = items();
        let splits = split(&items, SHARES, 3).unwrap();
        assert_eq!(count(&items, &splits, "upper", Split::Test), 15);
        assert_eq!(count(&items, &splits, "upper", Split::Development), 5);
        for task in ["opposite", "first"] {
            assert_eq!(count(&items, &splits, task, Split::Test), 30, "{task}");
            assert_eq!(count(&items, &splits, task, Split::Development), 10);
            assert_eq!(count(&items, &splits, task, Split::Train), 60);
        }
        for (one, its) in items.iter().zip(&splits) {
            for (other, others) in items.iter().zip(&splits) {
                let same = one.question.to_lowercase() == other.question.to_lowercase();
                let told = one.task == other.task && one.answer == other.question;
                assert!(!(same || told) || its == others, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn the_seed_draws_and_the_order_of_items_does_not_matter() {
        let items = items();
        let splits = split(&items, SHARES, 3).unwrap();
        assert_ne!(split(&items, SHARES, 4).unwrap(), splits);
        let reversed: Vec<Item> = items.iter().rev().cloned().collect();
        let mut others = split(&reversed, SHARES, 3).unwrap();
        others.reverse();
        assert_eq!(others, splits);
    }

    #[test]
    fn a_task_without_items_of_a_split_is_told() {
        let few: Vec<Item> = items().into_iter().take(9).collect();
        let error = split(&few, SHARES, 3).unwrap_err();
        assert_eq!(
            error.to_string(),
            "task `upper` of 3 items has none for development"
        );
        let all = Shares {
            development: 0.5,
            test: 0.5,
        };
        let error = split(&items(), all, 3).unwrap_err();
        assert_eq!((error.items, error.split), (50, Split::Train));
    }

    #[test]
    fn orders_are_uniform() {
        let mut counts = [0_u32; 3];
        for index in 0..3000 {
            let mut order = [0, 1, 2];
            shuffle(&mut order, &mut Stream::new(1, "orders", &[index]));
            counts[order[0]] += 1;
        }
        // Five standard deviations of a binomial count.
        assert!(
            counts.iter().all(|&count| (871..=1129).contains(&count)),
            "{counts:?}"
        );
    }
}
