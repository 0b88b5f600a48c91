//! Finished prompts: shots, padding, and what the model's chat template puts around them.
//!
//! Does not know models, nor where items and rationales come from.

use crate::language::codec::Codec;
use crate::language::example::Example;
use crate::mmlu::answer::NEXT;
use crate::mmlu::items::{Item, Letter};
use crate::mmlu::padding::fill;
use crate::mmlu::prompts::{BETWEEN, Style, Task, query, response, shot};
use crate::mmlu::shots::choose;
use std::collections::BTreeMap;

/// What stands around a prompt and behind a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub before: String,
    pub after: String,
    /// Ends a response; may be empty.
    pub end: String,
}

impl Frame {
    /// For a model without a chat template.
    pub fn plain() -> Frame {
        Frame {
            before: String::new(),
            after: "\n".into(),
            end: String::new(),
        }
    }
}

/// What is before the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    /// Solved samples.
    pub shots: usize,
    /// With zeros in the place of so many solved samples, each of the padded length: for prompts that are as long as
    /// others without showing anything.
    pub dummies: usize,
}

/// Makes prompts.
pub struct Builder<'a> {
    pub codec: &'a dyn Codec,
    pub frame: &'a Frame,
    /// Reasoning by item: where it is given, responses and shots are reasoned, and items without are no shots.
    pub reasoning: Option<&'a BTreeMap<u64, String>>,
    /// Tokens of each shot and what parts it from the next, to which it is padded; longer items are no shots.
    pub shot_tokens: Option<usize>,
    /// Where shots come from.
    pub pool: &'a [Item],
    /// Draws the shots.
    pub seed: u64,
}

/// A finished prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    pub text: String,
    pub tokens: Vec<u32>,
    pub answer: Letter,
    /// Ids of the items shown.
    pub shots: Vec<u64>,
}

impl Builder<'_> {
    /// Reasoning is about the question alone.
    fn style(&self, task: Task) -> Style {
        match (task, self.reasoning) {
            (Task::Question, Some(_)) => Style::Reasoned,
            _ => Style::Direct,
        }
    }

    /// Whether the response that is wanted can be written.
    pub fn has_response(&self, item: &Item, task: Task) -> bool {
        self.style(task) == Style::Direct || self.reasoning_of(item, task).is_some()
    }

    fn reasoning_of(&self, item: &Item, task: Task) -> Option<&str> {
        let by_item = self.reasoning.filter(|_| task == Task::Question)?;
        by_item.get(&item.id).map(String::as_str)
    }

    /// A shot with what parts it from the next, unpadded.
    fn shot(&self, item: &Item, task: Task) -> String {
        shot(item, task, self.reasoning_of(item, task)) + BETWEEN
    }

    /// As it stands in a prompt: what follows a shot begins with [`NEXT`], or with the next one's zeros.
    fn tokens_of_shot(&self, item: &Item, task: Task) -> Result<usize, String> {
        let text = self.shot(item, task) + NEXT;
        Ok(self.codec.encode(&text)?.len() - self.codec.encode(NEXT)?.len())
    }

    /// A shot with zeros before it, `wanted` tokens long as [`Builder::tokens_of_shot`] counts them.
    fn padded(&self, plain: &str, wanted: usize) -> Result<String, String> {
        let wanted = wanted + self.codec.encode(NEXT)?.len();
        let filled = fill(self.codec, wanted, |zeros| format!("{zeros}{plain}{NEXT}"))?;
        Ok(filled.strip_suffix(NEXT).unwrap_or(&filled).to_owned())
    }

    /// The prompt that asks `task` about `item`.
    ///
    /// # Errors
    /// Too few shots in the category; dummies without a padded length; a length that zeros do not reach.
    pub fn prompt(&self, item: &Item, task: Task, before: Before) -> Result<Prompt, String> {
        let fits = |shot: &Item| {
            let short = match self.shot_tokens {
                None => true,
                Some(most) => self.tokens_of_shot(shot, task)? <= most,
            };
            Ok(short && self.has_response(shot, task))
        };
        let chosen = choose(self.pool, item, before.shots, self.seed, fits)?;
        let wrong = |id: u64, e: String| format!("the prompt of item {}, shot {id}: {e}", item.id);
        let mut shots = String::new();
        for &at in &chosen {
            let plain = self.shot(&self.pool[at], task);
            shots += &match self.shot_tokens {
                None => plain,
                Some(wanted) => self
                    .padded(&plain, wanted)
                    .map_err(|e| wrong(self.pool[at].id, e))?,
            };
        }
        let Frame {
            before: open,
            after,
            ..
        } = self.frame;
        let query = query(item, task, self.style(task));
        let with = |prefix: &str| format!("{open}{prefix}{shots}{query}{after}");
        let mut text = with("");
        let mut tokens = self.codec.encode(&text)?;
        if before.dummies > 0 {
            let each = self.shot_tokens.ok_or(
                "zeros in the place of shots need the number of tokens of a shot: `shot_tokens`",
            )?;
            let wanted = tokens.len() + before.dummies * each;
            let filled = fill(self.codec, wanted, |zeros| {
                let between = if zeros.is_empty() { "" } else { BETWEEN };
                with(&format!("{zeros}{between}"))
            });
            text = filled.map_err(|e| format!("the prompt of item {}: {e}", item.id))?;
            tokens = self.codec.encode(&text)?;
        }
        Ok(Prompt {
            text,
            tokens,
            answer: task.answer(item),
            shots: chosen.iter().map(|&at| self.pool[at].id).collect(),
        })
    }

    /// The response that is wanted, with what ends it.
    ///
    /// # Errors
    /// An item without reasoning where responses are reasoned.
    pub fn response(&self, item: &Item, task: Task) -> Result<String, String> {
        if !self.has_response(item, task) {
            return Err(format!("item {} has no rationale", item.id));
        }
        let words = response(task.answer(item), self.reasoning_of(item, task));
        Ok(words + &self.frame.end)
    }

    /// A prompt and its response, each cut into tokens by itself, as a model meets them when it answers.
    ///
    /// # Errors
    /// As of [`Builder::prompt`] and [`Builder::response`].
    pub fn example(&self, item: &Item, task: Task, before: Before) -> Result<Example, String> {
        let mut tokens = self.prompt(item, task, before)?.tokens;
        let from = tokens.len();
        tokens.extend(self.codec.encode(&self.response(item, task)?)?);
        Ok(Example {
            tokens,
            response: from,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::codec::Bytes;
    use crate::mmlu::items::tests::item;

    const ZERO_SHOT: Before = Before {
        shots: 0,
        dummies: 0,
    };

    fn pool() -> Vec<Item> {
        (0..12)
            .map(|id| item(id, "astronomy", &"x".repeat(id as usize + 1)))
            .collect()
    }

    fn builder<'a>(pool: &'a [Item], frame: &'a Frame) -> Builder<'a> {
        Builder {
            codec: &Bytes,
            frame,
            reasoning: None,
            shot_tokens: None,
            pool,
            seed: 0,
        }
    }

    #[test]
    fn a_prompt_is_its_shots_and_the_query_in_the_frame() {
        let (pool, frame) = (
            pool(),
            Frame {
                before: "<user>".into(),
                after: "<model>".into(),
                end: "<end>".into(),
            },
        );
        let builder = builder(&pool, &frame);
        let before = Before {
            shots: 2,
            ..ZERO_SHOT
        };
        let prompt = builder.prompt(&pool[3], Task::Question, before).unwrap();
        assert_eq!(prompt.answer, pool[3].answer);
        let [first, second] = prompt.shots[..] else {
            panic!("two shots")
        };
        let shown = |id: u64| shot(&pool[id as usize], Task::Question, None);
        let query = query(&pool[3], Task::Question, Style::Direct);
        let text = format!(
            "<user>{}\n\n{}\n\n{query}<model>",
            shown(first),
            shown(second)
        );
        assert_eq!(prompt.text, text);
        assert_eq!(prompt.tokens, Bytes.encode(&text).unwrap());
        let example = builder.example(&pool[3], Task::Question, before).unwrap();
        assert_eq!(example.tokens[..example.response], prompt.tokens);
        let response = Bytes.decode(&example.tokens[example.response..]).unwrap();
        assert_eq!(response, "Answer: D<end>");
    }

    #[test]
    fn padded_shots_and_dummies_make_equal_lengths() {
        let (pool, frame) = (pool(), Frame::plain());
        let builder = Builder {
            shot_tokens: Some(400),
            ..builder(&pool, &frame)
        };
        let length = |before| {
            builder
                .prompt(&pool[3], Task::Question, before)
                .unwrap()
                .tokens
                .len()
        };
        let plain = length(ZERO_SHOT);
        for shots in [1, 3] {
            let few = Before { shots, dummies: 0 };
            let dummy = Before {
                shots: 0,
                dummies: shots,
            };
            assert_eq!(length(few), plain + 400 * shots);
            assert_eq!(length(dummy), length(few));
        }
        let dummy = Before {
            shots: 0,
            dummies: 2,
        };
        let text = builder
            .prompt(&pool[3], Task::Question, dummy)
            .unwrap()
            .text;
        assert!(
            text.starts_with("0000") && text.contains("0\n\n[Query]"),
            "{text}"
        );
        assert_eq!(text.matches("[Query]").count(), 1);
    }

    #[test]
    fn items_that_are_too_long_are_no_shots() {
        let (pool, frame) = (pool(), Frame::plain());
        let plain = builder(&pool, &frame);
        let mut lengths: Vec<usize> = { pool.iter() }
            .map(|item| plain.tokens_of_shot(item, Task::Question).unwrap())
            .collect();
        lengths.sort_unstable();
        let short = Builder {
            shot_tokens: Some(lengths[5]),
            ..builder(&pool, &frame)
        };
        let short_ones = lengths.iter().filter(|&&n| n <= lengths[5]).count();
        let query = item(99, "astronomy", "Mars");
        let asked = |shots| short.prompt(&query, Task::Question, Before { shots, dummies: 0 });
        assert_eq!(asked(short_ones).unwrap().shots.len(), short_ones);
        let told = asked(short_ones + 1).unwrap_err();
        assert!(told.contains("that can be used"), "{told}");
        let dummy = Before {
            shots: 0,
            dummies: 1,
        };
        let told = plain.prompt(&query, Task::Question, dummy).unwrap_err();
        assert!(told.contains("`shot_tokens`"), "{told}");
    }

    #[test]
    fn reasoning_is_shown_and_asked_for_where_it_is_there() {
        let (pool, frame) = (pool(), Frame::plain());
        let known = BTreeMap::from([1, 4, 6].map(|id| (id, format!("It is {id}."))));
        let builder = Builder {
            reasoning: Some(&known),
            ..builder(&pool, &frame)
        };
        let before = Before {
            shots: 2,
            dummies: 0,
        };
        let prompt = builder.prompt(&pool[4], Task::Question, before).unwrap();
        let mut shots = prompt.shots.clone();
        shots.sort_unstable();
        assert_eq!(shots, [1, 6]);
        assert!(prompt.text.contains("Reasoning: It is 6.\nAnswer: "));
        let response = builder.response(&pool[4], Task::Question).unwrap();
        assert_eq!(response, "Reasoning: It is 4.\nAnswer: A");
        let told = builder
            .example(&pool[5], Task::Question, before)
            .unwrap_err();
        assert_eq!(told, "item 5 has no rationale");
        // The unseen task has none.
        let counted = builder.response(&pool[5], Task::WordCount).unwrap();
        assert_eq!(counted, "Answer: A");
        let prompt = builder.prompt(&pool[4], Task::WordCount, before).unwrap();
        assert!(!prompt.text.contains("Reasoning:"));
    }
}
