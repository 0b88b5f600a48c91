//! Claims: their language, and that the verdicts of pipeline.yaml turn when the science is perturbed.

mod digits;
mod evidence;
mod history;
mod made_up;
mod models;
mod perturbed;
mod queries;
mod sentences;
mod transformers;
mod verdicts;
