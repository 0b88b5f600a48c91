//! Packing of stages into tasks: small pipelines by hand, and random graphs.

use proptest::prelude::*;
use retrace::resolve::resources::Resources;
use retrace::work::pack::{Item, pack};
use std::collections::{BTreeMap, BTreeSet};

fn item(before: &[usize], seconds: f64, cores: u64) -> Item {
    let class = Resources {
        cores,
        ..Resources::default()
    };
    Item {
        before: before.to_vec(),
        seconds,
        class,
    }
}

#[test]
fn short_pipelines_are_one_task_and_long_stages_tasks_of_their_own() {
    let diamond = |seconds| {
        [
            item(&[], seconds, 1),
            item(&[0], seconds, 1),
            item(&[0], seconds, 1),
            item(&[1, 2], seconds, 1),
        ]
    };
    let tasks = pack(&diamond(1.0), 10.0);
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].items, [0, 1, 2, 3]);
    let tasks = pack(&diamond(20.0), 10.0);
    let after: Vec<&[usize]> = tasks.iter().map(|task| &*task.after).collect();
    assert_eq!(after, [&[][..], &[0], &[0], &[1, 2]]);
}

#[test]
fn chains_stay_together_and_classes_apart() {
    let two_chains = [
        item(&[], 4.0, 1),
        item(&[], 4.0, 1),
        item(&[0], 4.0, 1),
        item(&[1], 4.0, 1),
        item(&[2], 4.0, 2),
    ];
    let tasks = pack(&two_chains, 8.0);
    let items: Vec<&[usize]> = tasks.iter().map(|task| &*task.items).collect();
    assert_eq!(items, [&[0, 2][..], &[1, 3], &[4]]);
    assert_eq!(tasks[2].after, [0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_stage_is_in_one_task_and_no_task_waits_for_a_later_one(
        raw in prop::collection::vec((prop::collection::vec(any::<prop::sample::Index>(), 0..4), 0.1_f64..20.0, 1_u64..3), 1..60),
        limit in 1.0_f64..60.0,
    ) {
        let items: Vec<Item> = raw.iter().enumerate().map(|(at, (before, seconds, cores))| {
            let before: BTreeSet<usize> = match at {
                0 => BTreeSet::new(),
                _ => before.iter().map(|index| index.index(at)).collect(),
            };
            item(&before.into_iter().collect::<Vec<_>>(), *seconds, *cores)
        }).collect();
        let tasks = pack(&items, limit);
        prop_assert_eq!(&tasks, &pack(&items, limit));
        let mut task_of = BTreeMap::new();
        for (number, task) in tasks.iter().enumerate() {
            prop_assert!(task.after.iter().all(|&after| after < number));
            prop_assert!(task.items.len() == 1 || task.seconds <= limit + 1e-9);
            let classes: BTreeSet<Resources> = task.items.iter().map(|&i| items[i].class).collect();
            prop_assert_eq!(classes.len(), 1);
            for &item in &task.items {
                prop_assert!(task_of.insert(item, number).is_none());
            }
        }
        prop_assert_eq!(task_of.len(), items.len());
        // Edges are those of the stages: none is missing, none is made up.
        let mut edges = BTreeSet::new();
        for (at, item) in items.iter().enumerate() {
            let place = |item: usize| tasks[task_of[&item]].items.iter().position(|&i| i == item);
            for &before in &item.before {
                match task_of[&before] == task_of[&at] {
                    true => prop_assert!(place(before) < place(at)),
                    false => drop(edges.insert((task_of[&before], task_of[&at]))),
                }
            }
        }
        let stated: BTreeSet<(usize, usize)> = tasks.iter().enumerate()
            .flat_map(|(number, task)| task.after.iter().map(move |&after| (after, number)))
            .collect();
        prop_assert_eq!(&edges, &stated);
        // What is done one after the other anyway is one task, as far as the time allows.
        for &(a, b) in &edges {
            let alone = tasks[b].after == [a] && edges.iter().filter(|(from, _)| *from == a).count() == 1;
            let same = items[tasks[a].items[0]].class == items[tasks[b].items[0]].class;
            prop_assert!(!(alone && same) || tasks[a].seconds + tasks[b].seconds > limit);
        }
    }
}
