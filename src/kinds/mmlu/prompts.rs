//! Kind `mmlu-prompts`: finished prompts as text, for people to look at.
//!
//! Output `prompts`, a CSV: columns `split`, `item`, `task`, `n_shots`, `dummies`, `tokens` (of the prompt), `shots` (the
//! items shown), `prompt`, `response`. The first `items` of each split that have a response.

use crate::kinds::exchange::table::failed;
use crate::kinds::language::model::LanguageModel;
use crate::kinds::mmlu::frame::frame;
use crate::kinds::mmlu::item_table::{COLUMNS, Items};
use crate::kinds::mmlu::prompting::{Form, Prompting};
use crate::kinds::mmlu::rationales::read_rationales;
use crate::kinds::params::number::Count;
use retrace::base::error::Result;
use retrace::stage::columns::{Wanted, columns, wanted};
use retrace::stage::kind::{Io, Role, StageKind, many, one, optional};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::{Column, Table, TableError};
use tuning::mmlu::builder::{Before, Prompt};

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
        let mut rows = Vec::new();
        for (split, pool) in items.splits() {
            let frame = frame(&model.tokens)?;
            let codec = &model.tokens;
            let builder = params
                .prompting
                .builder(codec, &frame, reasoning.as_ref(), pool);
            for form in &params.forms {
                let (task, before) = (form.task(), form.before());
                let shown = pool.iter().filter(|item| builder.has_response(item, task));
                for item in shown.take(params.items.get()) {
                    rows.push(Row {
                        split,
                        item: item.id,
                        task: task.name(),
                        before,
                        prompt: builder.prompt(item, task, before).map_err(failed)?,
                        response: builder.response(item, task).map_err(failed)?,
                    });
                }
            }
        }
        let table = table(&rows).and_then(|table| table.to_csv());
        io.write("prompts", &table.map_err(failed)?)
    }
}

struct Row {
    split: &'static str,
    item: u64,
    task: &'static str,
    before: Before,
    prompt: Prompt,
    response: String,
}

impl Row {
    fn shots(&self) -> String {
        let ids: Vec<String> = self.prompt.shots.iter().map(u64::to_string).collect();
        ids.join(" ")
    }
}

fn table(rows: &[Row]) -> std::result::Result<Table, TableError> {
    let text = |part: &dyn Fn(&Row) -> String| Column::Text(rows.iter().map(part).collect());
    let whole = |part: &dyn Fn(&Row) -> usize| {
        Column::Int(rows.iter().map(|row| part(row) as i64).collect())
    };
    let columns = [
        text(&|row| row.split.to_owned()),
        whole(&|row| row.item as usize),
        text(&|row| row.task.to_owned()),
        whole(&|row| row.before.shots),
        whole(&|row| row.before.dummies),
        whole(&|row| row.prompt.tokens.len()),
        text(&Row::shots),
        text(&|row| row.prompt.text.clone()),
        text(&|row| row.response.clone()),
    ];
    Table::new(OUTPUT.iter().copied().zip(columns).collect())
}
