//! Scores of items by category and over all. Does not know what a score is.

use crate::mmlu::subjects::Category;

/// What all categories together are called.
pub const AVERAGE: &str = "average";

/// Scores of a category, or of all items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// A category's name, or [`AVERAGE`].
    pub category: &'static str,
    pub items: usize,
    /// Sum over items / items.
    pub mean: f64,
    /// Over items: sqrt(sum of (score - mean)^2 / (items - 1)); NaN of a single one.
    pub std: f64,
}

/// All items, then each category that has some.
pub fn by_category(scores: &[(Category, f64)]) -> Vec<Summary> {
    let of = |category: Option<Category>| {
        let these = { scores.iter() }.filter(|(one, _)| category.is_none_or(|c| c == *one));
        let these: Vec<f64> = these.map(|(_, score)| *score).collect();
        let n = these.len() as f64;
        let mean = these.iter().sum::<f64>() / n;
        let squares: f64 = { these.iter() }
            .map(|score| (score - mean) * (score - mean))
            .sum();
        Summary {
            category: category.map_or(AVERAGE, Category::name),
            items: these.len(),
            mean,
            std: (squares / (n - 1.0)).sqrt(),
        }
    };
    let categories = Category::ALL.into_iter().map(Some);
    let all = std::iter::once(None).chain(categories).map(of);
    all.filter(|summary| summary.items > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_standard_deviations_are_over_items() {
        let (stem, other) = (Category::Stem, Category::Other);
        let scores = [(stem, 1.0), (other, 0.5), (stem, 0.0), (stem, 0.5)];
        let found = by_category(&scores);
        let names: Vec<(&str, usize)> = found.iter().map(|s| (s.category, s.items)).collect();
        assert_eq!(names, [("average", 4), ("stem", 3), ("other", 1)]);
        assert_eq!((found[0].mean, found[1].mean), (0.5, 0.5));
        assert!((found[0].std - (0.5_f64 / 3.0).sqrt()).abs() < 1e-15);
        assert!((found[1].std - 0.5).abs() < 1e-15);
        assert!(found[2].std.is_nan() && found[2].mean == 0.5);
        assert!(by_category(&[]).is_empty());
    }
}
