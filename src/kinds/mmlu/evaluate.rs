//! Kind `mmlu-evaluate`: how right a language model is on test items, before fine-tuning and after each epoch.
//!
//! Output `scores`, a row for each item: columns `step`, `epoch`, `task`, `n_shots`, `dummies`, `category`, `item`, `accuracy`
//! (share of right samples, null where none are drawn), `unanswered` (share of samples that give no letter), `probability` (of the
//! right letter among the four), `letter_accuracy` (1 where it is the most probable). Output `accuracy`: means over the
//! items of a category and of all (`average`), with standard deviations over items; see [`ACCURACY`].
//! Stops that training did not reach, as it diverged, have null for all numbers in `accuracy`.

use crate::kinds::exchange::table::{failed, write_table};
use crate::kinds::language::model::LanguageModel;
use crate::kinds::mmlu::checkpoints::{Checkpoints, Stop};
use crate::kinds::mmlu::frame::{ends, frame};
use crate::kinds::mmlu::item_table::{COLUMNS, Items};
use crate::kinds::mmlu::prompting::{Form, Prompting};
use crate::kinds::mmlu::rationales::read_rationales;
use crate::kinds::mmlu::score_tables::{ACCURACY, Measured, SCORES, Score, Tables};
use crate::kinds::params::number::{Count, Positive};
use crate::kinds::params::seed::Seed;
use retrace::base::error::Result;
use retrace::stage::columns::{Wanted, columns, wanted};
use retrace::stage::kind::{Io, Role, StageKind, many, one, optional};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tuning::mmlu::builder::Prompt;
use tuning::mmlu::grading::{Asking, letters, most_probable, sample};
use tuning::mmlu::sampling::Sampling;
use tuning::mmlu::speaker::Reader;

pub struct MmluEvaluate;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    prompting: Prompting,
    forms: Vec<Form>,
    /// Sampled answers; without them the letters' probabilities alone are measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    samples: Option<Samples>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Samples {
    /// Answers to each prompt.
    answers: Count,
    /// Tokens of an answer.
    most_tokens: Count,
    /// The most likely tokens that may be drawn.
    top_k: Count,
    /// Of these the fewest whose probabilities sum to this share.
    top_p: Positive,
    /// Logits are divided by it.
    temperature: Positive,
    seed: Seed,
}

impl Samples {
    fn asking(&self, ends: &[u32]) -> Asking {
        Asking {
            samples: self.answers.get() as u64,
            most_tokens: self.most_tokens.get(),
            sampling: Sampling {
                top_k: self.top_k.get(),
                top_p: self.top_p.get(),
                temperature: self.temperature.get(),
            },
            ends: ends.to_vec(),
            seed: self.seed.get(),
        }
    }
}

impl StageKind for MmluEvaluate {
    const NAME: &'static str = "mmlu-evaluate";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[
        one("items"),
        many("model"),
        one("checkpoints"),
        optional("rationales"),
    ];
    const OUTPUTS: &'static [&'static str] = &["scores.parquet", "accuracy.parquet"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        params.prompting.check_forms(&params.forms)?;
        match &params.samples {
            Some(samples) if samples.top_p.get() > 1.0 => Err(format!(
                "samples.top_p: {} is no share: at most 1",
                samples.top_p.get()
            )),
            _ => Ok(()),
        }
    }

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "scores" => columns(SCORES),
            "accuracy" => columns(ACCURACY),
            _ => None,
        }
    }

    fn wants(_params: &Params) -> Vec<Wanted> {
        wanted("items", COLUMNS)
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let items = Items::read(io)?;
        let model = LanguageModel::read(io)?;
        let reasoning = read_rationales(io, &[&items.test])?;
        let network = &model.network;
        let checkpoints = Checkpoints::from_bytes(&io.read("checkpoints")?, network)?;
        let prompts = params.prompts(&model, &items, reasoning.as_ref())?;
        let ends = ends(&model.tokens);
        let asking = params.samples.as_ref().map(|samples| samples.asking(&ends));
        let mut tables = Tables::default();
        let before = Stop { step: 0, epoch: 0 };
        let stops = std::iter::once(before).chain(checkpoints.about.stops.iter().copied());
        let all = (checkpoints.about.stops.len() as u64 + 1) * prompts.len() as u64;
        let mut done = 0;
        for (at, stop) in stops.enumerate() {
            let changed = at.checked_sub(1);
            let parameters = changed.map(|at| checkpoints.at(at, network, &model.parameters));
            let parameters = parameters.as_deref().unwrap_or(&model.parameters);
            let mut reader = Reader::new(network, parameters, model.context).map_err(failed)?;
            for (form, of_form) in params.forms.iter().zip(&prompts) {
                let measured = Measured {
                    stop,
                    task: form.task(),
                    before: form.before(),
                };
                let mut scores = Vec::with_capacity(of_form.len());
                for (item, prompt) in items.test.iter().zip(of_form) {
                    if io.cancelled() {
                        return Err(io.interrupted());
                    }
                    let codec = &model.tokens;
                    let sampled = asking
                        .as_ref()
                        .map(|asking| sample(&mut reader, codec, prompt, item.id, asking));
                    let sampled = sampled.transpose().map_err(failed)?;
                    let letters = letters(&mut reader, codec, prompt).map_err(failed)?;
                    let is_right = most_probable(&letters) == prompt.answer;
                    scores.push(Score {
                        item: item.id,
                        category: item.subject.category(),
                        accuracy: sampled.map_or(f64::NAN, |sampled| sampled.share()),
                        unanswered: sampled.map_or(f64::NAN, |sampled| {
                            sampled.unanswered as f64 / sampled.samples as f64
                        }),
                        probability: letters[prompt.answer.place()],
                        letter_accuracy: f64::from(u8::from(is_right)),
                    });
                }
                tables.push(&measured, &scores);
                done += 1;
                io.progress(done, all, format!("epoch {}", stop.epoch));
            }
        }
        for &stop in &checkpoints.about.missed {
            for form in &params.forms {
                let measured = Measured {
                    stop,
                    task: form.task(),
                    before: form.before(),
                };
                tables.push_missed(&measured, &items.test);
            }
        }
        write_table(io, "scores", tables.scores())?;
        write_table(io, "accuracy", tables.accuracy())
    }
}

impl Params {
    /// By form, a prompt for each test item: the same at every stop.
    fn prompts(
        &self,
        model: &LanguageModel,
        items: &Items,
        reasoning: Option<&std::collections::BTreeMap<u64, String>>,
    ) -> Result<Vec<Vec<Prompt>>> {
        let codec = &model.tokens;
        let frame = frame(&model.tokens)?;
        let builder = self
            .prompting
            .builder(codec, &frame, reasoning, &items.test);
        let of = |form: &Form| {
            let prompts = items.test.iter();
            let prompts = prompts.map(|item| builder.prompt(item, form.task(), form.before()));
            prompts
                .collect::<std::result::Result<Vec<Prompt>, String>>()
                .map_err(failed)
        };
        self.forms.iter().map(of).collect()
    }
}
