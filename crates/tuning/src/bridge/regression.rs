//! The paper's regression task for any transformer: prompts of pairs (x, y), the query last with its label masked.
//!
//! A pair is the token (1, x, y), the query (1, x, 0), as in the paper: d + 2 features. With a first token, every prompt
//! begins with one that is 0 but for a feature of its own, which makes d + 3; its embedding is learned. Then a
//! zero-shot prompt has two tokens. Covariates N(0, I), labels theta . x + N(0, noise variance), in the target too.
//! Does not know models.

use crate::forgetting::world::{Measure, Replayed, World};
use crate::transformer::model::batch::{Batch, Read, Target, Tokens};
use icl::math::stream::Stream;
use icl::prompts::task::Task;

/// The task, with the draws of one seed.
#[derive(Debug, Clone)]
pub struct Regression {
    /// The task of fine-tuning, theta0.
    pub target: Task,
    pub noise_std: f64,
    /// Pairs in a few-shot prompt.
    pub shots: usize,
    /// Whether prompts begin with a first token.
    pub first_token: bool,
    pub seed: u64,
    /// Prompts of a step: of pretraining, and of each part of a fine-tuning objective.
    pub prompts: usize,
    /// Prompts of a measure.
    pub measured: usize,
}

/// Which task a prompt has.
#[derive(Debug, Clone, Copy)]
enum Of<'a> {
    Fixed(&'a Task),
    /// Another random unit task in each prompt.
    Random,
    /// One of so many random unit tasks of this seed.
    Several(usize),
    /// Another random task of length 2 in each prompt, covariates with half their size: labels vary as before.
    Scaled,
    /// Labels N(0, 1 + noise variance) that no covariate tells.
    Unlabelled,
}

impl Regression {
    /// Numbers of a token.
    pub fn features(&self) -> usize {
        self.target.d() + 2 + usize::from(self.first_token)
    }

    /// `count` prompts of n shots; each read at the query, with weight 1 / count.
    fn prompts(&self, purpose: &str, step: usize, of: Of<'_>, shots: usize, count: usize) -> Batch {
        let mut stream = Stream::new(self.seed, purpose, &[step as u64]);
        let d = self.target.d();
        let features = self.features();
        let length = shots + 1 + usize::from(self.first_token);
        let mut values = Vec::with_capacity(count * length * features);
        let mut reads = Vec::with_capacity(count);
        let mut x = vec![0.0; d];
        for prompt in 0..count {
            let (theta, size) = match of {
                Of::Fixed(task) => (task.theta().to_vec(), 1.0),
                Of::Random => (random_unit(d, &mut stream), 1.0),
                Of::Several(count) => {
                    let task = stream.index(count) as u64;
                    let mut of_task = Stream::new(self.seed, "bridge replayed task", &[task]);
                    (random_unit(d, &mut of_task), 1.0)
                }
                Of::Scaled => {
                    let theta = random_unit(d, &mut stream).into_iter().map(|x| 2.0 * x);
                    (theta.collect(), 0.5)
                }
                Of::Unlabelled => (Vec::new(), 1.0),
            };
            if self.first_token {
                values.extend(std::iter::repeat_n(0.0, features - 1));
                values.push(1.0);
            }
            for pair in 0..=shots {
                x.fill_with(|| size * stream.normal());
                let mean = match of {
                    // As much as a task would give, of covariates that nobody sees.
                    Of::Unlabelled => stream.normal(),
                    _ => x
                        .iter()
                        .zip(&theta)
                        .map(|(x, theta)| x * theta)
                        .sum::<f64>(),
                };
                let y = mean + self.noise_std * stream.normal();
                values.push(1.0);
                values.extend_from_slice(&x);
                values.push(if pair == shots { 0.0 } else { y });
                values.extend(self.first_token.then_some(0.0));
                if pair == shots {
                    reads.push(Read {
                        token: (prompt + 1) * length - 1,
                        target: Target::Value(y),
                        weight: 1.0 / count as f64,
                    });
                }
            }
        }
        Batch {
            lengths: vec![length; count],
            tokens: Tokens::Dense { features, values },
            reads,
        }
    }
}

impl World for Regression {
    fn pretraining(&self, step: usize, _steps: usize) -> Result<Batch, String> {
        let purpose = "bridge pretraining";
        Ok(self.prompts(purpose, step, Of::Random, self.shots, self.prompts))
    }

    fn zero_shot(&self, step: usize) -> Result<Batch, String> {
        let target = Of::Fixed(&self.target);
        Ok(self.prompts("bridge zero-shot", step, target, 0, self.prompts))
    }

    fn few_shot(&self, step: usize) -> Result<Batch, String> {
        let target = Of::Fixed(&self.target);
        Ok(self.prompts("bridge few-shot", step, target, self.shots, self.prompts))
    }

    fn replay(&self, step: usize, of: Replayed) -> Result<Batch, String> {
        let of = match of {
            Replayed::Random => Of::Random,
            Replayed::Tasks(count) => Of::Several(count),
            Replayed::Unlabelled => Of::Unlabelled,
        };
        let purpose = "bridge replay";
        Ok(self.prompts(purpose, step, of, self.shots, self.prompts))
    }

    fn measures(&self) -> Result<Vec<Measure>, String> {
        let opposite = self.target.negated();
        let target = Of::Fixed(&self.target);
        let measures = [
            ("target", target, 0),
            ("target", target, self.shots),
            ("opposite", Of::Fixed(&opposite), self.shots),
            ("random", Of::Random, self.shots),
            ("scaled", Of::Scaled, self.shots),
        ];
        let measure = |(name, of, shots): (&'static str, Of<'_>, usize)| {
            let purpose = format!("bridge measure {name}");
            let batch = self.prompts(&purpose, shots, of, shots, self.measured);
            Measure { name, shots, batch }
        };
        Ok(measures.into_iter().map(measure).collect())
    }
}

/// Uniform on the unit sphere.
fn random_unit(d: usize, stream: &mut Stream) -> Vec<f64> {
    let mut theta: Vec<f64> = (0..d).map(|_| stream.normal()).collect();
    let norm = theta.iter().map(|x| x * x).sum::<f64>().sqrt();
    theta.iter_mut().for_each(|x| *x /= norm);
    theta
}
