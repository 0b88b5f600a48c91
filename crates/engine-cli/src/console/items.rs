//! The items of a matrix in one line: `finetune@* (18)` in place of eighteen lines that say the same.

use std::collections::BTreeMap;

/// A stage's id without its items.
pub fn name(id: &str) -> &str {
    id.split('@').next().unwrap_or(id)
}

/// Text in which every stage of a matrix stands for all of them: `after pretrain@0, tasks@1` becomes
/// `after pretrain@*, tasks@*`. Ids hold no spaces; what ends a word in a sentence stays.
pub fn starred(text: &str) -> String {
    let word = |word: &str| match word.split_once('@') {
        Some((name, item)) if !name.is_empty() && !item.is_empty() => {
            let bare = item.trim_end_matches([',', ';', ')', ':']);
            format!("{name}@*{}", &item[bare.len()..])
        }
        _ => word.to_owned(),
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// What is said of several stages at once.
#[derive(Debug, PartialEq, Eq)]
pub struct Fold<T> {
    /// The id of one, or `name@* (count)`.
    pub shown: String,
    /// Places in what was folded, the first first.
    pub members: Vec<usize>,
    /// What they share.
    pub same: T,
}

/// Stages with what is said of each; those of one matrix of which the same is said become one, in the
/// place of the first. What is the same of two stages is for the caller to say, [`starred`] helps.
pub fn fold<'a, T: Ord + Clone>(lines: impl Iterator<Item = (&'a str, T)>) -> Vec<Fold<T>> {
    let mut folds: Vec<(&str, Fold<T>)> = Vec::new();
    let mut known: BTreeMap<(&str, T), usize> = BTreeMap::new();
    for (at, (id, same)) in lines.enumerate() {
        let place = *known.entry((name(id), same.clone())).or_insert(folds.len());
        match folds.get_mut(place) {
            Some((_, fold)) => fold.members.push(at),
            None => {
                let shown = id.to_owned();
                let members = vec![at];
                folds.push((
                    name(id),
                    Fold {
                        shown,
                        members,
                        same,
                    },
                ));
            }
        }
    }
    let named = |(name, mut fold): (&str, Fold<T>)| {
        if fold.members.len() > 1 {
            fold.shown = format!("{name}@* ({})", fold.members.len());
        }
        fold
    };
    folds.into_iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_become_stars_and_other_words_stay() {
        for (text, expected) in [
            ("pretrain@0", "pretrain@*"),
            (
                "after finetune@0,zs <- tasks@1 (param a: 1 -> 2)",
                "after finetune@* <- tasks@* (param a: 1 -> 2)",
            ),
            ("a@0, b@1,c; d", "a@*, b@*; d"),
            ("@ x@ @y", "@ x@ @y"),
            ("", ""),
        ] {
            assert_eq!(starred(text), expected);
        }
    }

    #[test]
    fn stages_of_a_matrix_of_which_the_same_is_said_are_one() {
        let lines = [
            ("a@0", "stale"),
            ("b", "fresh"),
            ("a@1", "stale"),
            ("a@2", "fresh"),
            ("ab@0", "stale"),
        ];
        let folds = fold(lines.into_iter());
        let shown: Vec<(&str, &[usize])> = folds
            .iter()
            .map(|fold| (&*fold.shown, &*fold.members))
            .collect();
        assert_eq!(
            shown,
            [
                ("a@* (2)", &[0, 2][..]),
                ("b", &[1]),
                ("a@2", &[3]),
                ("ab@0", &[4]),
            ]
        );
    }
}
