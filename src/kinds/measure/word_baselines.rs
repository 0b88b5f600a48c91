//! Kind `word-baselines`: what can be told of words without a trained model.
//!
//! Output `baselines`: columns `baseline` (`naive_bayes` on the prompt's shots; `oracle`, the same on all
//! training names of the prompt's languages), `measure` (which prompts: `target`, `other_letters`,
//! `other_trained`, `unseen`, `other_script`), `n_shots`, `error` (share of wrong answers; guessing has
//! 0.75). The prompts are those on which models of the same seed are evaluated. `other_script` is left out
//! where no other script has four languages.

use crate::kinds::exchange::table::{failed, write_table};
use crate::kinds::exchange::words::{COLUMNS, read_corpus};
use crate::kinds::params::number::{Count, Positive};
use crate::kinds::params::seed::Seed;
use retrace::base::error::Result;
use retrace::stage::columns::{Wanted, columns, wanted};
use retrace::stage::kind::{Io, Role, StageKind, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::{Column, Table};
use tuning::words::baselines::{NaiveBayes, Source};
use tuning::words::evaluations::Evaluation;
use tuning::words::features::Vocabulary;
use tuning::words::prompts::Deal;
use tuning::words::tokens::Lexicon;

pub struct WordBaselines;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Ids of n-grams, to which they are hashed.
    n_grams: Count,
    alpha: Alpha,
    /// Prompts of each measure and number of shots.
    prompts: Count,
    shots: Vec<u32>,
    /// Draws the target task and the prompts.
    seed: Seed,
}

/// What is added to each count, for each baseline.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Alpha {
    naive_bayes: Positive,
    oracle: Positive,
}

impl StageKind for WordBaselines {
    const NAME: &'static str = "word-baselines";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("names")];
    const OUTPUTS: &'static [&'static str] = &["baselines.parquet"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        Vocabulary::new(params.n_grams.get()).map_err(|e| format!("n_grams: {e}"))?;
        match params.shots.is_empty() {
            true => Err("shots: at least one number is needed".into()),
            false => Ok(()),
        }
    }

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "baselines" => columns(&["baseline", "measure", "n_shots", "error"]),
            _ => None,
        }
    }

    fn wants(_params: &Params) -> Vec<Wanted> {
        wanted("names", COLUMNS)
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let corpus = read_corpus(io)?;
        let vocabulary = Vocabulary::new(params.n_grams.get()).map_err(failed)?;
        let lexicon = Lexicon::new(&corpus, vocabulary);
        let bayes = Source::ALL.map(|source| {
            let alpha = match source {
                Source::Shots => params.alpha.naive_bayes,
                Source::Languages => params.alpha.oracle,
            };
            (source, NaiveBayes::new(&lexicon, source, alpha.get()))
        });
        let seed = params.seed.get();
        let target = Deal::target(&corpus, seed).map_err(failed)?;
        let measures = Evaluation::possible(&corpus);
        let (mut baselines, mut names) = (Vec::new(), Vec::new());
        let (mut n_shots, mut errors) = (Vec::new(), Vec::new());
        for (done, evaluation) in measures.iter().enumerate() {
            for &shots in &params.shots {
                if io.cancelled() {
                    return Err(io.interrupted());
                }
                io.progress(done as u64, measures.len() as u64, evaluation.name());
                let n = params.prompts.get();
                let prompts = evaluation.prompts(&corpus, &target, shots as usize, n, seed);
                let prompts = prompts.map_err(failed)?;
                for (source, bayes) in &bayes {
                    baselines.push(source.name().to_owned());
                    names.push(evaluation.name().to_owned());
                    n_shots.push(i64::from(shots));
                    errors.push(bayes.error(&prompts));
                }
            }
        }
        let table = Table::new(vec![
            ("baseline", Column::Text(baselines)),
            ("measure", Column::Text(names)),
            ("n_shots", Column::Int(n_shots)),
            ("error", Column::Float(errors)),
        ]);
        write_table(io, "baselines", table)
    }
}
