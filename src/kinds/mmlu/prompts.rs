//! Kind `mmlu-prompts`: finished prompts as text, for people to look at.
//!
//! Output `prompts`, a CSV: columns `split`, `item`, `task`, `n_shots`, `dummies`, `tokens` (of the prompt), `shots` (the
//! items shown), `prompt`, `response`. The first `items` of each split that have a response.

use crate::kinds::exchange::table::failed;
use crate::kinds::mmlu::item_table::{COLUMNS, Items};
use crate::kinds::mmlu::language_model::LanguageModel;
use crate::kinds::mmlu::prompting::{Form, Prompting};
use crate::kinds::mmlu::rationales::read_rationales;
use crate::kinds::params::number::Count;
use retrace::base::error::Result;
use retrace::stage::columns::{Wanted, columns, wanted};
use retrace::stage::kind::{Io, Role, StageKind, many, one, optional};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::{Column, Table};

pub struct MmluPrompts;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    prompting: Prompting,
    forms: Vec<Form>,
    /// Of each split.
    items: Count,
}

const OUTPUT: &[&str] = &[
    "split", "item", "task", "n_shots", "dummies", "tokens", "shots", "prompt", "response",
];

impl StageKind for MmluPrompts {
    const NAME: &'static str = "mmlu-prompts";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("items"), many("model"), optional("rationales")];
    const OUTPUTS: &'static [&'static str] = &["prompts.csv"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        params.prompting.check_forms(&params.forms)
    }

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "prompts" => columns(OUTPUT),
            _ => None,
        }
    }

    fn wants(_params: &Params) -> Vec<Wanted> {
        wanted("items", COLUMNS)
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let items = Items::read(io)?;
        let model = LanguageModel::read(io)?;
        let reasoning = read_rationales(io, &[&items.training, &items.test])?;
        let (mut texts, mut numbers) = (vec![Vec::new(); 5], vec![Vec::new(); 4]);
        for (split, pool) in items.splits() {
            let codec = model.codec.as_ref();
            let builder = params
                .prompting
                .builder(codec, &model.frame, reasoning.as_ref(), pool);
            for form in &params.forms {
                let (task, before) = (form.task(), form.before());
                let shown = pool.iter().filter(|item| builder.has_response(item, task));
                for item in shown.take(params.items.get()) {
                    let prompt = builder.prompt(item, task, before).map_err(failed)?;
                    let response = builder.response(item, task).map_err(failed)?;
                    let shots: Vec<String> = prompt.shots.iter().map(u64::to_string).collect();
                    let words = [
                        split.into(),
                        task.name().into(),
                        shots.join(" "),
                        prompt.text,
                        response,
                    ];
                    texts
                        .iter_mut()
                        .zip(words)
                        .for_each(|(column, word)| column.push(word));
                    let counts = [
                        item.id as usize,
                        before.shots,
                        before.dummies,
                        prompt.tokens.len(),
                    ];
                    let counts = counts.map(|count| count as i64);
                    numbers
                        .iter_mut()
                        .zip(counts)
                        .for_each(|(column, n)| column.push(n));
                }
            }
        }
        let mut text = texts.into_iter().map(Column::Text);
        let mut number = numbers.into_iter().map(Column::Int);
        let order = [true, false, true, false, false, false, true, true, true];
        let columns = OUTPUT.iter().zip(order).filter_map(|(name, is_text)| {
            let column = if is_text { text.next() } else { number.next() };
            column.map(|column| (*name, column))
        });
        let table = Table::new(columns.collect()).and_then(|table| table.to_csv());
        io.write("prompts", &table.map_err(failed)?)
    }
}
