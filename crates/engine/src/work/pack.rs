//! Packs stages into tasks: few enough that a scheduler is not kept busy with them, many enough that machines are.
//!
//! Knows numbers only: which stage reads which, about how long each takes, and a class of resources that tasks
//! do not mix. The same input gives the same tasks, and no task waits for itself through others:
//!
//! 1. What is done one after the other anyway, a stage with one reader that reads nothing else, stays together.
//! 2. Such chains have levels, by the longest way to them; levels that together are short enough become one
//!    band. Chains of one band and one class are packed in order until a task is long enough.
//! 3. A task with one reader that waits for nothing else is put together with it, if both are short enough.
//!
//! A band comes wholly after those before it, and (1) and (3) join what is joined by one edge alone, so no step
//! closes a circle.

use crate::resolve::resources::Resources;
use std::collections::{BTreeMap, BTreeSet};

/// A stage, as packing sees it.
#[derive(Clone, Debug)]
pub struct Item {
    /// The stages that must end before, by their places in the list, each smaller than its own.
    pub before: Vec<usize>,
    /// About how long it takes.
    pub seconds: f64,
    /// Stages of different classes are in different tasks.
    pub class: Resources,
}

/// Stages that one job does, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Packed {
    /// In the order in which they are done.
    pub items: Vec<usize>,
    /// The tasks that must end before, in ascending order, each smaller than its own place.
    pub after: Vec<usize>,
    pub seconds: f64,
}

/// Packs stages into tasks of about `limit` seconds; a stage that takes longer is a task of its own.
///
/// Every stage is in one task, and wherever a stage waits for one of another task, its task waits for that task.
pub fn pack(items: &[Item], limit: f64) -> Vec<Packed> {
    let chains = joined(items, &singles(items), limit);
    let packed = banded(items, &chains, limit);
    let joined = joined(items, &packed, limit);
    in_order(items, &joined)
}

/// A partition of the items: of each item the number of its part, and the parts, their items ascending.
struct Parts {
    of: Vec<usize>,
    parts: Vec<Vec<usize>>,
}

impl Parts {
    fn new(n_items: usize, parts: Vec<Vec<usize>>) -> Self {
        let mut of = vec![0; n_items];
        for (number, part) in parts.iter().enumerate() {
            part.iter().for_each(|&item| of[item] = number);
        }
        Parts { of, parts }
    }

    /// For each part the parts that come before it.
    fn before(&self, items: &[Item]) -> Vec<BTreeSet<usize>> {
        let before = |(number, part): (usize, &Vec<usize>)| {
            let parts = part.iter().flat_map(|&item| &items[item].before);
            let parts = parts.map(|&item| self.of[item]);
            parts.filter(|&other| other != number).collect()
        };
        self.parts.iter().enumerate().map(before).collect()
    }

    fn seconds(&self, items: &[Item], part: usize) -> f64 {
        self.parts[part]
            .iter()
            .map(|&item| items[item].seconds)
            .sum()
    }
}

/// The parts that read each part.
fn readers(before: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    let mut readers = vec![Vec::new(); before.len()];
    for (part, needs) in before.iter().enumerate() {
        needs.iter().for_each(|&need| readers[need].push(part));
    }
    readers
}

fn singles(items: &[Item]) -> Parts {
    Parts::new(
        items.len(),
        (0..items.len()).map(|item| vec![item]).collect(),
    )
}

/// Joins each part with its only reader where that waits for nothing else, of one class, as far as the time
/// allows.
fn joined(items: &[Item], parts: &Parts, limit: f64) -> Parts {
    let before = parts.before(items);
    let readers = readers(&before);
    let class = |part: usize| items[parts.parts[part][0]].class;
    let mut merged: Vec<Vec<usize>> = Vec::new();
    let mut seconds: Vec<f64> = Vec::new();
    // Of each part, where it went.
    let mut place: BTreeMap<usize, usize> = BTreeMap::new();
    for part in sorted(&before) {
        let own = parts.seconds(items, part);
        let only = before[part].first().filter(|_| before[part].len() == 1);
        let joins = only.filter(|&&only| {
            let fits = || seconds[place[&only]] + own <= limit;
            readers[only].len() == 1 && class(only) == class(part) && fits()
        });
        let target = match joins {
            Some(only) => place[only],
            None => {
                merged.push(Vec::new());
                seconds.push(0.0);
                merged.len() - 1
            }
        };
        merged[target].extend(&parts.parts[part]);
        seconds[target] += own;
        place.insert(part, target);
    }
    merged.iter_mut().for_each(|part| part.sort_unstable());
    Parts::new(items.len(), merged)
}

/// The parts in an order in which they can be done, the one with the smallest number first.
fn sorted(before: &[BTreeSet<usize>]) -> Vec<usize> {
    let readers = readers(before);
    let mut missing: Vec<usize> = before.iter().map(BTreeSet::len).collect();
    let mut ready: BTreeSet<usize> = (0..before.len())
        .filter(|&part| missing[part] == 0)
        .collect();
    let mut order = Vec::with_capacity(before.len());
    while let Some(part) = ready.pop_first() {
        order.push(part);
        for &reader in &readers[part] {
            missing[reader] -= 1;
            if missing[reader] == 0 {
                ready.insert(reader);
            }
        }
    }
    order
}

/// Packs parts into tasks, band by band.
fn banded(items: &[Item], parts: &Parts, limit: f64) -> Parts {
    let before = parts.before(items);
    let mut level = vec![0; parts.parts.len()];
    for part in sorted(&before) {
        let deepest = before[part].iter().map(|&need| level[need] + 1).max();
        level[part] = deepest.unwrap_or(0);
    }
    let mut levels: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (part, &level) in level.iter().enumerate() {
        levels.entry(level).or_default().push(part);
    }
    let mut tasks: Vec<Vec<usize>> = Vec::new();
    // The task of each part that is packed already.
    let mut task_of: BTreeMap<usize, usize> = BTreeMap::new();
    for band in bands(items, parts, levels.into_values().collect(), limit) {
        let mut sorted: Vec<(Resources, Option<usize>, usize)> = Vec::new();
        for part in band {
            let class = items[parts.parts[part][0]].class;
            // Those that wait for the same come together, so that a task waits for few.
            let first = before[part]
                .iter()
                .filter_map(|need| task_of.get(need))
                .min();
            sorted.push((class, first.copied(), part));
        }
        sorted.sort_unstable();
        let mut open: Option<(Resources, f64)> = None;
        for (class, _, part) in sorted {
            let seconds = parts.seconds(items, part);
            let filled = open.filter(|(of, filled)| *of == class && filled + seconds <= limit);
            if filled.is_none() {
                tasks.push(Vec::new());
            }
            let last = tasks.len() - 1;
            tasks[last].extend(&parts.parts[part]);
            task_of.insert(part, last);
            open = Some((class, filled.map_or(0.0, |(_, filled)| filled) + seconds));
        }
    }
    tasks.iter_mut().for_each(|task| task.sort_unstable());
    Parts::new(items.len(), tasks)
}

/// Puts levels together that follow each other, as long as the whole of them is short enough for one task.
fn bands(items: &[Item], parts: &Parts, levels: Vec<Vec<usize>>, limit: f64) -> Vec<Vec<usize>> {
    let mut bands: Vec<(Vec<usize>, f64, BTreeSet<Resources>)> = Vec::new();
    for level in levels {
        let seconds: f64 = level.iter().map(|&part| parts.seconds(items, part)).sum();
        let classes: BTreeSet<Resources> = level
            .iter()
            .map(|&part| items[parts.parts[part][0]].class)
            .collect();
        match bands.last_mut() {
            Some((band, filled, of))
                if *filled + seconds <= limit && of.len() == 1 && *of == classes =>
            {
                band.extend(level);
                *filled += seconds;
            }
            _ => bands.push((level, seconds, classes)),
        }
    }
    bands.into_iter().map(|(band, _, _)| band).collect()
}

/// The tasks in an order in which they can be done, with the tasks that each waits for.
fn in_order(items: &[Item], parts: &Parts) -> Vec<Packed> {
    let before = parts.before(items);
    let order = sorted(&before);
    let mut place = vec![0; order.len()];
    order
        .iter()
        .enumerate()
        .for_each(|(new, &old)| place[old] = new);
    let task = |&part: &usize| {
        let mut after: Vec<usize> = before[part].iter().map(|&need| place[need]).collect();
        after.sort_unstable();
        Packed {
            items: parts.parts[part].clone(),
            after,
            seconds: parts.seconds(items, part),
        }
    };
    order.iter().map(task).collect()
}
