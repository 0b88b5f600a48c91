//! Examples with the labels of many tasks, as stages exchange them.
//!
//! A table with the columns `row` (of the table they come from, from 1), `x1` to `xd`, and for each task
//! `task:NAME`: 1, -1, or null where the example is not part of the task.

use crate::kinds::exchange::table::{failed, read_table, write_table};
use icl::prompts::data_set::DataSet;
use icl::prompts::task_pool::{Flips, Member, TaskPool};
use ndarray::Array2;
use retrace::base::error::{Error, Result};
use retrace::stage::kind::Io;
use std::path::Path;
use tables::table::{Column, Table};

/// What comes before the name of a task's column.
const TASK: &str = "task:";

/// Examples and tasks.
#[derive(Debug, Clone)]
pub struct Examples {
    /// Row in the table they come from, counted from 1.
    pub rows: Vec<i64>,
    /// Features, n x d.
    pub x: Array2<f64>,
    pub tasks: Vec<Labels>,
}

/// The labels of one task: 1, -1, or NaN where the example is not part of it.
#[derive(Debug, Clone)]
pub struct Labels {
    pub task: String,
    pub labels: Vec<f64>,
}

impl Examples {
    /// Reads a table of examples.
    pub fn read(path: &Path) -> Result<Examples> {
        let table = read_table(path)?;
        let floats = |name: &str| table.floats(name).map_err(failed);
        let rows = floats("row")?.iter().map(|&row| row as i64).collect();
        let names = table.columns().iter().map(|(name, _)| name.as_str());
        let d = names.clone().filter(|name| name.starts_with('x')).count();
        let columns: Vec<Vec<f64>> = (1..=d)
            .map(|j| floats(&format!("x{j}")))
            .collect::<Result<_>>()?;
        let labels = |task: &str| {
            Ok(Labels {
                task: task.to_owned(),
                labels: floats(&format!("{TASK}{task}"))?,
            })
        };
        Ok(Examples {
            rows,
            x: Array2::from_shape_fn((table.rows(), d), |(row, j)| columns[j][row]),
            tasks: names
                .filter_map(|name| name.strip_prefix(TASK))
                .map(labels)
                .collect::<Result<_>>()?,
        })
    }

    /// Writes them as an output.
    pub fn write(&self, io: &Io, output: &str) -> Result<()> {
        let mut columns = vec![("row".to_owned(), Column::Int(self.rows.clone()))];
        for (j, feature) in self.x.columns().into_iter().enumerate() {
            columns.push((format!("x{}", j + 1), Column::Float(feature.to_vec())));
        }
        for Labels { task, labels } in &self.tasks {
            columns.push((format!("{TASK}{task}"), Column::Float(labels.clone())));
        }
        let columns = columns
            .iter()
            .map(|(name, column)| (name.as_str(), column.clone()));
        write_table(io, output, Table::new(columns.collect()))
    }

    /// The labels of a task.
    pub fn labels(&self, task: &str) -> Result<&[f64]> {
        let found = self.tasks.iter().find(|labels| labels.task == task);
        found.map(|labels| &labels.labels[..]).ok_or_else(|| {
            let known = self.tasks.iter().map(|labels| labels.task.as_str());
            Error::failed(format!("there is no task `{task}`")).suggest(task, known)
        })
    }

    /// The examples of a task, by their place here.
    pub fn members(&self, task: &str) -> Result<Vec<Member>> {
        let labels = self.labels(task)?.iter().copied().enumerate();
        let known = labels.filter(|(_, label)| !label.is_nan());
        Ok(known.map(|(row, label)| Member { row, label }).collect())
    }

    /// A pool with these tasks.
    pub fn pool(&self, tasks: &[String], flips: Flips) -> Result<TaskPool> {
        let members = tasks.iter().map(|task| self.members(task));
        let members = members.collect::<Result<_>>()?;
        TaskPool::new(self.x.view(), members, flips).map_err(failed)
    }

    /// The pairs (x, y) of one task.
    pub fn data_set(&self, task: &str) -> Result<DataSet> {
        let members = self.members(task)?;
        let x = Array2::from_shape_fn((members.len(), self.x.ncols()), |(i, j)| {
            self.x[[members[i].row, j]]
        });
        let y: Vec<f64> = members.iter().map(|member| member.label).collect();
        DataSet::from_arrays(x.view(), &y).map_err(failed)
    }
}
