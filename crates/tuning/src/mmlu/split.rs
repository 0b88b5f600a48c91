//! Items for tests and items for training: disjoint, and balanced over categories.
//!
//! Does not know what the items are used for.

use crate::mmlu::items::Item;
use crate::mmlu::subjects::Category;
use icl::math::stream::Stream;

/// So many items, divided among categories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    pub items: usize,
    /// Each once.
    pub categories: Vec<Category>,
}

/// Places of the items, each list increasing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    pub training: Vec<usize>,
    pub test: Vec<usize>,
}

impl Share {
    /// Items of a category: as many in each, and one more in the first ones where the number does not divide.
    pub fn of(&self, category: Category) -> usize {
        let n = self.categories.len();
        let Some(at) = self.categories.iter().position(|&one| one == category) else {
            return 0;
        };
        self.items / n + usize::from(at < self.items % n)
    }

    /// # Errors
    /// No category, one that stands twice, or fewer items than categories; `name` begins the message.
    pub fn check(&self, name: &str) -> Result<(), String> {
        let twice = self.categories.iter().enumerate();
        let twice = { twice }.find(|(at, one)| self.categories[..*at].contains(one));
        match (self.items, self.categories.len(), twice) {
            (_, 0, _) => Err(format!("{name}: no category is named")),
            (items, n, _) if items < n => Err(format!(
                "{name}: {items} items cannot be divided among {n} categories"
            )),
            (_, _, Some((_, one))) => Err(format!("{name}: {} stands twice", one.name())),
            _ => Ok(()),
        }
    }
}

/// Draws without replacement in each category by itself: test items first, so that they do not depend on how many are
/// for training.
///
/// # Errors
/// A share without a category or that names one twice; a category with fewer items than both shares ask for.
pub fn split(items: &[Item], training: &Share, test: &Share, seed: u64) -> Result<Split, String> {
    training.check("training")?;
    test.check("test")?;
    let mut found = Split {
        training: Vec::new(),
        test: Vec::new(),
    };
    for (at, category) in Category::ALL.into_iter().enumerate() {
        let (for_test, for_training) = (test.of(category), training.of(category));
        let wanted = for_test + for_training;
        let places = 0..items.len();
        let mut places: Vec<usize> = places
            .filter(|&place| items[place].subject.category() == category)
            .collect();
        if places.len() < wanted {
            let (name, n) = (category.name(), places.len());
            return Err(format!(
                "category {name} has {n} items, {wanted} are asked for: {for_test} for tests and {for_training} for training"
            ));
        }
        let mut stream = Stream::new(seed, "mmlu split", &[at as u64]);
        for place in 0..wanted {
            let other = place + stream.index(places.len() - place);
            places.swap(place, other);
        }
        found.test.extend(&places[..for_test]);
        found.training.extend(&places[for_test..wanted]);
    }
    found.test.sort_unstable();
    found.training.sort_unstable();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mmlu::items::tests::item;

    fn items(each: usize) -> Vec<Item> {
        let subjects = ["astronomy", "philosophy", "sociology", "virology"];
        let id = |at: usize| (at as u64, subjects[at % 4]);
        let item = |at| (id(at).0, item(id(at).0, id(at).1, &format!("answer {at}"))).1;
        (0..4 * each).map(item).collect()
    }

    fn share(items: usize, categories: &[Category]) -> Share {
        Share {
            items,
            categories: categories.to_vec(),
        }
    }

    #[test]
    fn splits_are_disjoint_and_balanced() {
        let items = items(30);
        for (seed, n_training, n_test) in [(0, 40, 40), (1, 41, 42), (1234, 7, 5), (9, 43, 74)] {
            let training = share(n_training, &Category::ALL);
            let test = share(n_test, &Category::ALL);
            let split = split(&items, &training, &test, seed).unwrap();
            assert_eq!(
                (split.training.len(), split.test.len()),
                (n_training, n_test)
            );
            assert!(split.training.iter().all(|at| !split.test.contains(at)));
            for (places, n) in [(&split.training, n_training), (&split.test, n_test)] {
                assert!(places.windows(2).all(|two| two[0] < two[1]));
                for category in Category::ALL {
                    let of = |&&at: &&usize| items[at].subject.category() == category;
                    let count = places.iter().filter(of).count();
                    assert!((n / 4..=n.div_ceil(4)).contains(&count), "{count} of {n}");
                }
            }
        }
    }

    #[test]
    fn tests_stay_when_training_changes_and_seeds_differ() {
        let items = items(30);
        let test = share(20, &Category::ALL);
        let of = |training: &Share, seed| split(&items, training, &test, seed).unwrap();
        let all = of(&share(40, &Category::ALL), 3);
        let humanities = of(&share(12, &[Category::Humanities]), 3);
        assert_eq!(all.test, humanities.test);
        let category = |&at: &usize| items[at].subject.category() == Category::Humanities;
        assert!(humanities.training.iter().all(category));
        assert_ne!(of(&share(40, &Category::ALL), 4).test, all.test);
    }

    #[test]
    fn what_cannot_be_split_is_said() {
        let all = share(8, &Category::ALL);
        let error =
            |training: &Share, test: &Share| split(&items(3), training, test, 0).unwrap_err();
        assert_eq!(
            error(&all, &all),
            "category stem has 3 items, 4 are asked for: 2 for tests and 2 for training"
        );
        let told = error(&share(3, &Category::ALL), &all);
        assert_eq!(
            told,
            "training: 3 items cannot be divided among 4 categories"
        );
        assert_eq!(error(&all, &share(4, &[])), "test: no category is named");
        let twice = share(4, &[Category::Stem, Category::Stem]);
        assert_eq!(error(&twice, &all), "training: stem stands twice");
    }
}
