//! Scores as the tables that kind `mmlu-evaluate` writes. Does not know how they came about.

use crate::kinds::mmlu::checkpoints::Stop;
use tables::table::{Column, Table, TableError};
use tuning::mmlu::builder::Before;
use tuning::mmlu::items::Item;
use tuning::mmlu::prompts::Task;
use tuning::mmlu::subjects::Category;
use tuning::mmlu::summary::by_category;

/// Columns of the output `scores`.
pub const SCORES: &[&str] = &[
    "step",
    "epoch",
    "task",
    "n_shots",
    "dummies",
    "category",
    "item",
    "accuracy",
    "unanswered",
    "probability",
    "letter_accuracy",
];

/// Columns of the output `accuracy`; `..._std` is the standard deviation over items.
pub const ACCURACY: &[&str] = &[
    "epoch",
    "task",
    "n_shots",
    "dummies",
    "category",
    "items",
    "accuracy",
    "accuracy_std",
    "unanswered",
    "unanswered_std",
    "probability",
    "probability_std",
    "letter_accuracy",
    "letter_accuracy_std",
];

/// What was asked, when.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub stop: Stop,
    pub task: Task,
    pub before: Before,
}

/// An item's score.
#[derive(Clone, Copy, Debug)]
pub struct Score {
    pub item: u64,
    pub category: Category,
    pub accuracy: f64,
    pub unanswered: f64,
    pub probability: f64,
    pub letter_accuracy: f64,
}

impl Score {
    /// In the order of the columns.
    fn values(&self) -> [f64; 4] {
        [
            self.accuracy,
            self.unanswered,
            self.probability,
            self.letter_accuracy,
        ]
    }
}

/// Rows of both tables.
#[derive(Default)]
pub struct Tables {
    scores: Rows,
    items: Vec<i64>,
    accuracy: Rows,
    counts: Vec<i64>,
}

/// Columns that both have, and numbers.
#[derive(Default)]
struct Rows {
    step: Vec<i64>,
    whole: [Vec<i64>; 3],
    task: Vec<String>,
    category: Vec<String>,
    numbers: Vec<Vec<f64>>,
}

impl Rows {
    fn push(&mut self, measured: &Measured, category: &str, numbers: &[f64]) {
        let Measured { stop, task, before } = measured;
        let whole = [stop.epoch, before.shots, before.dummies];
        self.step.push(stop.step as i64);
        self.whole
            .iter_mut()
            .zip(whole)
            .for_each(|(column, n)| column.push(n as i64));
        self.task.push(task.name().to_owned());
        self.category.push(category.to_owned());
        self.numbers.resize(numbers.len(), Vec::new());
        self.numbers
            .iter_mut()
            .zip(numbers)
            .for_each(|(column, n)| column.push(*n));
    }

    /// All but `step`, with one more column of whole numbers before the others.
    fn columns(&self, names: &[&'static str], more: &[i64]) -> Vec<(&'static str, Column)> {
        let [epoch, shots, dummies] = &self.whole;
        let first = [
            Column::Int(epoch.clone()),
            Column::Text(self.task.clone()),
            Column::Int(shots.clone()),
            Column::Int(dummies.clone()),
            Column::Text(self.category.clone()),
            Column::Int(more.to_vec()),
        ];
        let none = vec![Vec::new(); names.len() - first.len()];
        let numbers = match self.numbers.is_empty() {
            true => &none,
            false => &self.numbers,
        };
        let numbers = numbers.iter().cloned().map(Column::Float);
        let columns = first.into_iter().chain(numbers);
        names.iter().copied().zip(columns).collect()
    }
}

impl Tables {
    /// Scores of all items in one form.
    pub fn push(&mut self, measured: &Measured, scores: &[Score]) {
        for score in scores {
            self.scores
                .push(measured, score.category.name(), &score.values());
            self.items.push(score.item as i64);
        }
        let of = |at: usize| {
            let scores: Vec<(Category, f64)> = { scores.iter() }
                .map(|score| (score.category, score.values()[at]))
                .collect();
            by_category(&scores)
        };
        let of = [0, 1, 2, 3].map(of);
        for (at, first) in of[0].iter().enumerate() {
            let numbers: Vec<f64> = { of.iter() }
                .flat_map(|summaries| [summaries[at].mean, summaries[at].std])
                .collect();
            self.accuracy.push(measured, first.category, &numbers);
            self.counts.push(first.items as i64);
        }
    }

    /// A stop that was not reached: no numbers.
    pub fn push_missed(&mut self, measured: &Measured, items: &[Item]) {
        let categories: Vec<(Category, f64)> = { items.iter() }
            .map(|item| (item.subject.category(), f64::NAN))
            .collect();
        for summary in by_category(&categories) {
            self.accuracy
                .push(measured, summary.category, &[f64::NAN; 8]);
            self.counts.push(summary.items as i64);
        }
    }

    pub fn scores(&self) -> Result<Table, TableError> {
        let mut columns = vec![(SCORES[0], Column::Int(self.scores.step.clone()))];
        columns.extend(self.scores.columns(&SCORES[1..], &self.items));
        Table::new(columns)
    }

    pub fn accuracy(&self) -> Result<Table, TableError> {
        Table::new(self.accuracy.columns(ACCURACY, &self.counts))
    }
}
