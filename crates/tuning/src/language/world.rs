//! Tasks in words as a world of fine-tuning: the target's prompts without and with examples, and prompts of other tasks to
//! replay.
//!
//! Prompts have items of training alone. Does not know models, nor what is measured: see [`evaluation`](super::evaluation).

use crate::forgetting::world::{Measure, Replayed, World};
use crate::language::example::{Example, batch};
use crate::language::split::Split;
use crate::language::tasks::{Tasks, Writer};
use crate::transformer::model::batch::Batch;
use icl::math::stream::Stream;

/// The world, with the draws of one seed.
pub struct Language<'a> {
    pub writer: Writer<'a>,
    pub tasks: &'a Tasks,
    /// Outputs of the model.
    pub vocabulary: usize,
    /// What is fine-tuned on.
    pub target: &'a str,
    /// What is replayed; none of them is the target.
    pub replayed: &'a [String],
    /// Examples in a few-shot prompt.
    pub shots: usize,
    /// Zero-shot prompts of a step.
    pub prompts: usize,
    /// Few-shot prompts of a step.
    pub few_shot_prompts: usize,
    pub seed: u64,
}

impl Language<'_> {
    fn batch(
        &self,
        count: usize,
        shots: usize,
        (purpose, step): (&str, usize),
        task: impl Fn(&mut Stream) -> String,
    ) -> Result<Batch, String> {
        let prompt = |at: usize| -> Result<Example, String> {
            let mut stream = Stream::new(self.seed, purpose, &[step as u64, at as u64]);
            let task = task(&mut stream);
            let items = self
                .tasks
                .draw(&task, Split::Train, shots + 1, &mut stream)?;
            self.writer.example(&items[1..], &items[0])
        };
        let prompts = (0..count).map(prompt).collect::<Result<Vec<_>, _>>()?;
        batch(&prompts, self.vocabulary)
    }
}

impl World for Language<'_> {
    fn pretraining(&self, _step: usize, _steps: usize) -> Result<Batch, String> {
        Err("a language model is pretrained elsewhere".into())
    }

    /// Different items within a step, each item as often as any other over the steps.
    fn zero_shot(&self, step: usize) -> Result<Batch, String> {
        let all = self.tasks.items(self.target, Split::Train)?.len();
        let items = (0..self.prompts).map(|at| {
            let place = step * self.prompts + at;
            let mut round = Stream::new(self.seed, "language zero-shot", &[(place / all) as u64]);
            let items = self
                .tasks
                .draw(self.target, Split::Train, all, &mut round)?;
            self.writer.example(&[], &items[place % all])
        });
        batch(&items.collect::<Result<Vec<_>, _>>()?, self.vocabulary)
    }

    fn few_shot(&self, step: usize) -> Result<Batch, String> {
        let target = |_: &mut Stream| self.target.to_owned();
        self.batch(
            self.few_shot_prompts,
            self.shots,
            ("language few-shot", step),
            target,
        )
    }

    fn replay(&self, step: usize, of: Replayed) -> Result<Batch, String> {
        if of != Replayed::Random {
            return Err("of a language model, prompts of random tasks are replayed".into());
        }
        if self.replayed.is_empty() {
            return Err("there are no tasks to replay".into());
        }
        let any = |stream: &mut Stream| self.replayed[stream.index(self.replayed.len())].clone();
        self.batch(
            self.few_shot_prompts,
            self.shots,
            ("language replay", step),
            any,
        )
    }

    fn measures(&self) -> Result<Vec<Measure>, String> {
        Err("answers of several tokens are scored by evaluations".into())
    }
}
