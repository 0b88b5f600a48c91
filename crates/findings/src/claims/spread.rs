//! What the values of units say of all units: bounds for their mean, median or share.
//!
//! Plain numbers in, bounds out. Does not know what is expected.

use crate::claims::check::Average;
use crate::claims::query::evaluate::Units;
use crate::claims::query::evidence::Key;
use statistics::clusters::{self, Crossed};
use statistics::student;

/// Resamples of the bootstrap, and its seed.
const RESAMPLES: usize = 2_000;
const SEED: u64 = 0;

/// Values of units with the levels of each factor.
pub struct Spread<'a> {
    values: &'a [f64],
    levels: Vec<Vec<usize>>,
    centre: f64,
    average: Average,
    kind: Kind,
}

enum Kind {
    /// A standard error, and degrees of freedom of its t.
    Student(f64, usize),
    Share,
}

/// For each factor the level of each unit, numbered as they come.
pub fn levels(units: &Units) -> Vec<Vec<usize>> {
    let of_factor = |at: usize| {
        let mut known: Vec<&Key> = Vec::new();
        let mut levels = Vec::with_capacity(units.keys.len());
        for keys in &units.keys {
            let found = known.iter().position(|other| **other == keys[at]);
            levels.push(found.unwrap_or(known.len()));
            if found.is_none() {
                known.push(&keys[at]);
            }
        }
        levels
    };
    (0..units.factors.len()).map(of_factor).collect()
}

/// How many levels a factor has.
pub fn count(levels: &[usize]) -> usize {
    levels.iter().max().map_or(0, |most| most + 1)
}

impl<'a> Spread<'a> {
    /// Of finite values, at least two levels of each factor; `share` where they are 0 or 1 for no and yes.
    pub fn new(values: &'a [f64], levels: Vec<Vec<usize>>, average: Average, share: bool) -> Self {
        let crossed = Crossed {
            values,
            levels: &levels,
        };
        let freedom = crossed.fewest_levels() - 1;
        let count = values.len() as f64;
        let mean = values.iter().fold(0.0, |sum, x| sum + x) / count;
        let is_answer = |x: &f64| *x == 0.0 || *x == 1.0;
        let (centre, kind) = match average {
            Average::Median => {
                let variance = crossed.bootstrap_variance_of_median(RESAMPLES, SEED);
                (
                    clusters::median(values),
                    Kind::Student(variance.sqrt(), freedom),
                )
            }
            Average::Mean if share && values.iter().all(is_answer) => (mean, Kind::Share),
            Average::Mean if levels.len() > 1 => (
                mean,
                Kind::Student(crossed.variance_of_mean().sqrt(), freedom),
            ),
            Average::Mean => (
                mean,
                Kind::Student(deviation(values, mean) / count.sqrt(), freedom),
            ),
        };
        Spread {
            values,
            levels,
            centre,
            average,
            kind,
        }
    }

    /// The mean, median or share.
    pub fn centre(&self) -> f64 {
        self.centre
    }

    /// Of the centre.
    pub fn std_error(&self) -> f64 {
        match self.kind {
            Kind::Student(error, _) => error,
            Kind::Share => self.crossed().variance_of_mean().sqrt(),
        }
    }

    /// One-sided bounds, each missed with chance `tail`.
    pub fn bounds(&self, tail: f64) -> [f64; 2] {
        match self.kind {
            Kind::Student(error, freedom) => {
                let away = student::t_quantile(tail, freedom) * error;
                [self.centre - away, self.centre + away]
            }
            Kind::Share => self.crossed().share_bounds(tail),
        }
    }

    /// Distance of the mean from the nearest end of what is expected, in standard deviations of a unit, and
    /// the chance that units with this mean and spread leave it open. Derived for the mean over one factor.
    pub fn reserve(&self, [low, high]: [f64; 2], tail: f64) -> Option<(f64, f64)> {
        let n = self.values.len();
        let Kind::Student(_, freedom) = self.kind else {
            return None;
        };
        let mean = self.values.iter().fold(0.0, |sum, x| sum + x) / n as f64;
        if self.levels.len() != 1 || freedom + 1 != n || self.average != Average::Mean {
            return None;
        }
        let deviation = deviation(self.values, mean);
        let t = student::t_quantile(tail, freedom);
        // A test with two sides can stay open at either.
        let sides = [(mean - low) / deviation, (high - mean) / deviation];
        let finite = sides.iter().filter(|side| side.is_finite());
        let open = finite.fold(0.0, |sum, &side| sum + student::shortfall(side, n, t));
        Some(((mean - low).min(high - mean) / deviation, open.min(1.0)))
    }

    fn crossed(&self) -> Crossed<'_> {
        Crossed {
            values: self.values,
            levels: &self.levels,
        }
    }

    /// `t test over seed (12)`; the words before it say of what kind.
    pub fn words(&self, factors: &[String]) -> String {
        let over = factors.iter().zip(&self.levels);
        let over: Vec<String> = over
            .map(|(name, levels)| format!("{name} ({})", count(levels)))
            .collect();
        let over = over.join(" and ");
        let both = self.levels.len() > 1;
        match self.kind {
            Kind::Share if both => {
                format!(
                    "exact bounds of a share over {over}, for as many independent units as spread so much"
                )
            }
            Kind::Share => format!("exact bounds of a share over {over}"),
            Kind::Student(_, freedom) => {
                let median = self.average == Average::Median;
                let mut words = format!("t test over {over}");
                if median {
                    words =
                        format!("t test of the median over {over}, bootstrapped {RESAMPLES} times");
                }
                match both {
                    true if median => format!("{words} by both, {freedom} degrees of freedom"),
                    true => format!("{words}, clustered by both, {freedom} degrees of freedom"),
                    false => words,
                }
            }
        }
    }
}

fn deviation(values: &[f64], mean: f64) -> f64 {
    let squares = values
        .iter()
        .fold(0.0, |sum, x| sum + (x - mean) * (x - mean));
    (squares / (values.len() as f64 - 1.0)).sqrt()
}
