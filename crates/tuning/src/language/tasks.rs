//! Items of tasks by what they are for, and prompts of them as tokens.
//!
//! A prompt is what every prompt begins with, the lines of its examples, and a query; see [`prompt`]. Does not
//! know models.

use crate::language::codec::Codec;
use crate::language::example::Example;
use crate::language::items::Item;
use crate::language::prompt;
use crate::language::split::{Split, shuffle};
use icl::math::stream::Stream;
use std::collections::BTreeMap;

/// Items by task and split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tasks {
    items: BTreeMap<(String, Split), Vec<Item>>,
}

/// Turns items into prompts.
#[derive(Clone, Copy)]
pub struct Writer<'a> {
    pub codec: &'a (dyn Codec + Sync),
    /// Tokens that every prompt begins with.
    pub start: &'a [u32],
}

impl Tasks {
    pub fn new(items: impl IntoIterator<Item = (Item, Split)>) -> Tasks {
        let mut by: BTreeMap<_, Vec<Item>> = BTreeMap::new();
        for (item, split) in items {
            by.entry((item.task.clone(), split)).or_default().push(item);
        }
        Tasks { items: by }
    }

    /// Names, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.items.keys().map(|(task, _)| task.as_str()).collect();
        names.dedup();
        names
    }

    /// # Errors
    /// A task that there is none of, or that has no item of this split.
    pub fn items(&self, task: &str, split: Split) -> Result<&[Item], String> {
        match self.items.get(&(task.to_owned(), split)) {
            Some(items) => Ok(items),
            None => Err(format!(
                "there is no item of task `{task}` for {}; the tasks: {}",
                split.name(),
                self.names().join(", ")
            )),
        }
    }

    /// So many different items of a task in an order drawn by the stream.
    ///
    /// # Errors
    /// Fewer items than are asked for.
    pub fn draw(
        &self,
        task: &str,
        split: Split,
        count: usize,
        stream: &mut Stream,
    ) -> Result<Vec<Item>, String> {
        let mut items = self.items(task, split)?.to_vec();
        if items.len() < count {
            let (found, split) = (items.len(), split.name());
            return Err(format!(
                "task `{task}` has {found} items for {split}, {count} are asked for"
            ));
        }
        shuffle(&mut items, stream);
        items.truncate(count);
        Ok(items)
    }
}

impl Writer<'_> {
    /// What stands before a query.
    ///
    /// # Errors
    /// Text that the tokenizer cannot write.
    pub fn prefix(&self, shots: &[Item]) -> Result<Vec<u32>, String> {
        let mut tokens = self.start.to_vec();
        tokens.extend(self.codec.encode(&prompt::shots(shots))?);
        Ok(tokens)
    }

    /// A query with its answer.
    ///
    /// # Errors
    /// Text that the tokenizer cannot write.
    pub fn line(&self, item: &Item) -> Result<Example, String> {
        let mut tokens = self.codec.encode(&prompt::query(item))?;
        let response = tokens.len();
        tokens.extend(self.codec.encode(&prompt::answer(item))?);
        Ok(Example { tokens, response })
    }

    /// A whole prompt with the answer to its query.
    ///
    /// # Errors
    /// Text that the tokenizer cannot write.
    pub fn example(&self, shots: &[Item], query: &Item) -> Result<Example, String> {
        let mut tokens = self.prefix(shots)?;
        let line = self.line(query)?;
        let response = tokens.len() + line.response;
        tokens.extend(line.tokens);
        Ok(Example { tokens, response })
    }
}
