//! Means, medians and shares of values that belong to several crossed groups, such as splits and targets.
//!
//! Values of one group may depend on each other, so the spread of a mean is not that of independent
//! values. Does not know what the groups are.

use crate::beta;
use crate::stream::Stream;
use crate::student;
use std::collections::BTreeMap;

/// Values with their groups: for each factor the level of each value.
#[derive(Debug, Clone, Copy)]
pub struct Crossed<'a> {
    pub values: &'a [f64],
    pub levels: &'a [Vec<usize>],
}

impl Crossed<'_> {
    /// How many levels the factor with the fewest has.
    pub fn fewest_levels(&self) -> usize {
        self.levels
            .iter()
            .map(|levels| count(levels))
            .min()
            .unwrap_or_default()
    }

    /// The variance of the mean of n values under clustering by every factor, from 0 up.
    ///
    /// Formula: for a grouping with G groups V = G/(G-1) sum over groups of (sum over the group of (x - mean))^2 / n^2.
    /// For one factor that is it; where each value is a group of its own it is s^2/n. For two factors
    /// V_a + V_b - V_ab, where ab groups by both, and so on by inclusion and exclusion; it can come
    /// out too small, so not below the largest of the factors' own.
    ///
    /// Source: Cameron, Gelbach and Miller, Robust Inference With Multiway Clustering,
    /// doi:10.1198/jbes.2010.07136.
    pub fn variance_of_mean(&self) -> f64 {
        let n = self.values.len() as f64;
        let mean = self.values.iter().fold(0.0, |sum, x| sum + x) / n;
        let grouped = |factors: &[&Vec<usize>]| {
            let mut sums: BTreeMap<Vec<usize>, f64> = BTreeMap::new();
            for (i, x) in self.values.iter().enumerate() {
                let group = factors.iter().map(|levels| levels[i]).collect();
                *sums.entry(group).or_default() += x - mean;
            }
            let groups = sums.len() as f64;
            let squares = sums.values().fold(0.0, |sum, x| sum + x * x);
            groups / (groups - 1.0) * squares / (n * n)
        };
        let floor = self
            .levels
            .iter()
            .map(|levels| grouped(&[levels]))
            .fold(0.0, f64::max);
        let subsets = 1..1_usize << self.levels.len();
        let sum = subsets.fold(0.0, |sum, subset| {
            let chosen = (0..self.levels.len()).filter(|i| subset >> i & 1 == 1);
            let factors: Vec<&Vec<usize>> = chosen.map(|i| &self.levels[i]).collect();
            let sign = if factors.len() % 2 == 1 { 1.0 } else { -1.0 };
            sum + sign * grouped(&factors)
        });
        sum.max(floor)
    }

    /// The variance of the median when the levels of each factor are drawn again, independently of the
    /// other factors' and with replacement; a value counts as often as the product of its levels. With two
    /// factors this errs to the large side.
    ///
    /// Source: Owen, The pigeonhole bootstrap, doi:10.1214/07-AOAS122.
    pub fn bootstrap_variance_of_median(&self, resamples: usize, seed: u64) -> f64 {
        let mut order: Vec<usize> = (0..self.values.len()).collect();
        order.sort_by(|&a, &b| self.values[a].total_cmp(&self.values[b]));
        let mut found = Vec::with_capacity(resamples);
        for resample in 0..resamples {
            let mut stream = Stream::new(seed, "pigeonhole bootstrap", &[resample as u64]);
            let draws: Vec<Vec<usize>> = self
                .levels
                .iter()
                .map(|levels| drawn(count(levels), &mut stream))
                .collect();
            let weight = |i: usize| {
                let factors = self.levels.iter().zip(&draws);
                factors.fold(1, |weight, (levels, times)| weight * times[levels[i]])
            };
            let weights: Vec<usize> = (0..self.values.len()).map(weight).collect();
            // Not every combination of levels need have a value.
            if let Some(median) = weighted_median(self.values, &weights, &order) {
                found.push(median);
            }
        }
        let n = found.len() as f64;
        let mean = found.iter().sum::<f64>() / n;
        found.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0)
    }

    /// One-sided bounds, each missed with chance `tail`, for the share of values that are 1, all others
    /// being 0.
    ///
    /// Formula: those of Clopper and Pearson, with n replaced by the number of independent values that would
    /// spread as much, p(1-p)/V, times (t_{n-1}/t_{df})^2 for df = fewest levels - 1; where all are equal, by the
    /// fewest levels.
    ///
    /// Source: Korn and Graubard, Survey Methodology 24 (1998), 193-201.
    pub fn share_bounds(&self, tail: f64) -> [f64; 2] {
        let n = self.values.len();
        let share = self.values.iter().sum::<f64>() / n as f64;
        let least = self.fewest_levels();
        let effective = match share > 0.0 && share < 1.0 {
            false => least as f64,
            true => {
                let t = |df: usize| student::t_quantile(tail, df);
                let ratio = t(n - 1) / t(least - 1);
                (share * (1.0 - share) / self.variance_of_mean() * ratio * ratio).min(n as f64)
            }
        };
        beta::share_bounds(share * effective, effective, tail)
    }
}

/// How many levels there are.
fn count(levels: &[usize]) -> usize {
    levels.iter().max().map_or(0, |most| most + 1)
}

/// How often each of n levels is drawn in n draws.
fn drawn(n: usize, stream: &mut Stream) -> Vec<usize> {
    let mut times = vec![0; n];
    (0..n).for_each(|_| times[stream.index(n)] += 1);
    times
}

/// The middle of all values, or of the two in the middle; NaN of none.
pub fn median(values: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    weighted_median(values, &vec![1; values.len()], &order).unwrap_or(f64::NAN)
}

fn weighted_median(values: &[f64], weights: &[usize], order: &[usize]) -> Option<f64> {
    let all: usize = weights.iter().sum();
    let mut before = 0;
    let mut middle = Vec::new();
    for &i in order.iter().filter(|&&i| weights[i] > 0) {
        // The weights of the values up to this one reach the middle, and those before do not pass it.
        let is_middle = 2 * before <= all && 2 * (before + weights[i]) >= all;
        middle.extend(is_middle.then_some(values[i]));
        before += weights[i];
    }
    Some(0.5 * (middle.first()? + middle.last()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&[1.0]), 1.0);
        assert!(median(&[]).is_nan());
        let order = [0, 1, 2];
        assert_eq!(
            weighted_median(&[1.0, 2.0, 9.0], &[3, 0, 3], &order),
            Some(5.0)
        );
        assert_eq!(
            weighted_median(&[1.0, 2.0, 9.0], &[1, 0, 3], &order),
            Some(9.0)
        );
        assert_eq!(weighted_median(&[1.0], &[0], &[0]), None);
    }

    /// Values by the first factor (rows) and the second (columns):
    ///
    /// ```text
    ///  1  2  6        residuals (mean 5)  -4 -3  1      sums of rows -6, 6; of columns -4, -2, 6
    ///  5  6 10                             0  1  5
    /// ```
    #[test]
    fn two_factors_by_hand() {
        let values = [1.0, 2.0, 6.0, 5.0, 6.0, 10.0];
        let variance = |levels: [Vec<usize>; 2]| {
            let (values, levels) = (&values, &levels);
            Crossed { values, levels }.variance_of_mean()
        };
        let first = 2.0 * (36.0 + 36.0) / 36.0;
        let second = 1.5 * (16.0 + 4.0 + 36.0) / 36.0;
        let both = 1.2 * (16.0 + 9.0 + 1.0 + 0.0 + 1.0 + 25.0) / 36.0;
        let found = variance([vec![0, 0, 0, 1, 1, 1], vec![0, 1, 2, 0, 1, 2]]);
        assert!((found - (first + second - both)).abs() < 1e-14);
        // Neither order of the factors nor names of levels count.
        let renamed = variance([vec![7, 9, 3, 7, 9, 3], vec![5, 5, 5, 2, 2, 2]]);
        assert!((found - renamed).abs() < 1e-14);
    }

    #[test]
    fn one_factor_without_repeats_is_the_usual_standard_error() {
        let values = [1.0, 4.0, 2.0, 7.0, 6.5];
        let levels = [vec![0, 1, 2, 3, 4]];
        let crossed = Crossed {
            values: &values,
            levels: &levels,
        };
        let mean = values.iter().sum::<f64>() / 5.0;
        let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
        assert!((crossed.variance_of_mean() - squares / 20.0).abs() < 1e-15);
    }

    /// x = a_split + b_target + e: the variance of the mean is s_a^2/A + s_b^2/B + s_e^2/(AB).
    fn draw(
        splits: usize,
        targets: usize,
        spread: [f64; 3],
        seed: u64,
    ) -> (Vec<f64>, [Vec<usize>; 2]) {
        let mut stream = Stream::new(seed, "test of clusters", &[]);
        let mut normals =
            |n: usize, s: f64| -> Vec<f64> { (0..n).map(|_| s * stream.normal()).collect() };
        let (a, b) = (normals(splits, spread[0]), normals(targets, spread[1]));
        let e = normals(splits * targets, spread[2]);
        let cells = (0..splits * targets).map(|i| (i / targets, i % targets));
        let values = cells
            .clone()
            .enumerate()
            .map(|(i, (s, t))| a[s] + b[t] + e[i]);
        (
            values.collect(),
            [
                cells.clone().map(|c| c.0).collect(),
                cells.map(|c| c.1).collect(),
            ],
        )
    }

    #[test]
    fn two_way_intervals_cover_and_naive_ones_do_not() {
        const DRAWS: u64 = 1000;
        let (splits, targets, spread) = (8, 30, [0.5, 1.0, 1.0]);
        let (mut covered, mut naive, mut variances) = (0, 0, 0.0);
        for seed in 0..DRAWS {
            let (values, levels) = draw(splits, targets, spread, seed);
            let crossed = Crossed {
                values: &values,
                levels: &levels,
            };
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let variance = crossed.variance_of_mean();
            variances += variance / DRAWS as f64;
            let t = student::t_quantile(0.05, crossed.fewest_levels() - 1);
            covered += u64::from(mean.abs() < t * variance.sqrt());
            let own: Vec<usize> = (0..values.len()).collect();
            let alone = Crossed {
                values: &values,
                levels: &[own],
            }
            .variance_of_mean();
            naive +=
                u64::from(mean.abs() < student::t_quantile(0.05, values.len() - 1) * alone.sqrt());
        }
        // Two-sided 90 % intervals; three standard errors of the simulation are 0.03.
        let covered = covered as f64 / DRAWS as f64;
        assert!((0.86..0.95).contains(&covered), "{covered}");
        let naive = naive as f64 / DRAWS as f64;
        assert!(naive < 0.6, "{naive}");
        let truth = 0.25 / 8.0 + 1.0 / 30.0 + 1.0 / 240.0;
        assert!(
            (variances / truth - 1.0).abs() < 0.1,
            "{variances} for {truth}"
        );
    }

    #[test]
    fn the_bootstrap_of_medians_covers() {
        const DRAWS: u64 = 300;
        let (mut covered, mut narrow) = (0, 0);
        for seed in 0..DRAWS {
            let (values, levels) = draw(8, 15, [0.5, 1.0, 0.5], seed);
            let crossed = Crossed {
                values: &values,
                levels: &levels,
            };
            let deviation = crossed.bootstrap_variance_of_median(200, 1).sqrt();
            let t = student::t_quantile(0.05, crossed.fewest_levels() - 1);
            covered += u64::from(median(&values).abs() < t * deviation);
            narrow += u64::from(median(&values).abs() < 0.25 * t * deviation);
        }
        let covered = covered as f64 / DRAWS as f64;
        assert!((0.86..=0.99).contains(&covered), "{covered}");
        assert!(narrow < DRAWS * 6 / 10, "{narrow}");
        let values = [1.0, 1.0, 2.0];
        let crossed = Crossed {
            values: &values,
            levels: &[vec![0, 1, 2]],
        };
        let again = |seed| crossed.bootstrap_variance_of_median(50, seed);
        assert_eq!(again(3).to_bits(), again(3).to_bits());
    }

    #[test]
    fn shares_have_bounds_also_where_all_are_equal() {
        // 12 seeds without a collapse: the upper bound is 1 - 0.01^(1/12).
        let values = [0.0; 12];
        let levels = [(0..12).collect()];
        let [low, high] = Crossed {
            values: &values,
            levels: &levels,
        }
        .share_bounds(0.01);
        assert_eq!(low, 0.0);
        assert!(
            (high - (1.0 - libm::pow(0.01, 1.0 / 12.0))).abs() < 1e-9,
            "{high}"
        );
        // A split decides alone: forty-five targets on four splits say what four values would.
        let values: Vec<f64> = (0..180).map(|i| f64::from(u8::from(i / 45 == 0))).collect();
        let levels = [
            (0..180).map(|i| i / 45).collect(),
            (0..180).map(|i| i % 45).collect(),
        ];
        let [low, high] = Crossed {
            values: &values,
            levels: &levels,
        }
        .share_bounds(0.05);
        assert!(low < 0.02 && high > 0.6, "{low} {high}");
    }
}
