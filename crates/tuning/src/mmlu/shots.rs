//! Which items are shown as solved samples before a query.
//!
//! Of the query's subject; filled up from its category; never the query itself. Does not know how they look.

use crate::mmlu::items::Item;
use icl::math::stream::Stream;

/// Places in the pool of `n` shots for a query, in the order in which they are shown. The first of more shots are those of fewer. A
/// draw belongs to (seed, the query's id).
///
/// # Errors
/// Fewer items of the category that `fits` admits.
pub fn choose(
    pool: &[Item],
    query: &Item,
    n: usize,
    seed: u64,
    fits: impl Fn(&Item) -> Result<bool, String>,
) -> Result<Vec<usize>, String> {
    let mut stream = Stream::new(seed, "mmlu shots", &[query.id]);
    let category = query.subject.category();
    let mut chosen = Vec::with_capacity(n);
    // What fits is asked of those that are drawn alone: to ask is to count tokens.
    for same_subject in [true, false] {
        let places = 0..pool.len();
        let mut left: Vec<usize> = places
            .filter(|&at| pool[at].id != query.id && pool[at].subject.category() == category)
            .filter(|&at| (pool[at].subject == query.subject) == same_subject)
            .collect();
        while chosen.len() < n && !left.is_empty() {
            let at = left.swap_remove(stream.index(left.len()));
            if fits(&pool[at])? {
                chosen.push(at);
            }
        }
    }
    match chosen.len() == n {
        true => Ok(chosen),
        false => Err(format!(
            "item {} asks for {n} shots, its category {} has {} that can be used",
            query.id,
            category.name(),
            chosen.len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mmlu::items::tests::item;

    /// Three subjects of two categories; the second has few.
    fn pool() -> Vec<Item> {
        let of = |id: u64| match id {
            0..10 => item(id, "astronomy", &format!("{id}")),
            10..12 => item(id, "machine_learning", &format!("{id}")),
            _ => item(id, "virology", &format!("{id}")),
        };
        (0..20).map(of).collect()
    }

    #[test]
    fn a_query_is_never_among_its_shots_and_its_subject_comes_first() {
        let pool = pool();
        for query in &pool[..12] {
            for seed in 0..20 {
                let all = choose(&pool, query, 11, seed, |_| Ok(true)).unwrap();
                let same = { all.iter() }.filter(|&&at| pool[at].subject == query.subject);
                let same = same.count();
                assert_eq!(same, if query.id < 10 { 9 } else { 1 });
                assert!({ all[..same].iter() }.all(|&at| pool[at].subject == query.subject));
                let category = query.subject.category();
                assert!(
                    all.iter()
                        .all(|&at| pool[at].subject.category() == category)
                );
                assert!(all.iter().all(|&at| pool[at].id != query.id));
                let mut once = all.clone();
                once.sort_unstable();
                once.dedup();
                assert_eq!(once.len(), 11);
                // Nested.
                let few = choose(&pool, query, 3, seed, |_| Ok(true)).unwrap();
                assert_eq!(few, all[..3]);
            }
        }
    }

    #[test]
    fn draws_depend_on_seed_and_query() {
        let pool = pool();
        let of = |query: usize, seed| choose(&pool, &pool[query], 5, seed, |_| Ok(true)).unwrap();
        assert_ne!(of(0, 0), of(0, 1));
        assert_ne!(of(0, 0), of(1, 0));
        assert_eq!(of(0, 0), of(0, 0));
    }

    #[test]
    fn too_few_that_fit_are_told() {
        let pool = pool();
        let even = |item: &Item| Ok(item.id.is_multiple_of(2));
        let all = choose(&pool, &pool[1], 6, 0, even).unwrap();
        assert!(all.iter().all(|&at| pool[at].id.is_multiple_of(2)));
        let told = choose(&pool, &pool[1], 7, 0, even).unwrap_err();
        assert_eq!(
            told,
            "item 1 asks for 7 shots, its category stem has 6 that can be used"
        );
    }
}
