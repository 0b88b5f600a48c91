//! What stands around prompts of a language model, by its chat template, and what ends its answers.
//!
//! Does not know where models come from, nor what prompts say.

use crate::kinds::exchange::table::failed;
use crate::kinds::language::model::{Tokens, Words};
use pretrained::{ChatTemplate, Message};
use retrace::base::error::Result;
use tuning::mmlu::builder::Frame;

/// "End of text" of ASCII: no prompt has it.
const END_OF_TEXT: char = '\u{3}';

/// Tokens that end an answer.
pub fn ends(tokens: &Tokens) -> Vec<u32> {
    match tokens {
        Tokens::Words(words) => words.end.clone(),
        Tokens::Bytes => vec![u32::from(END_OF_TEXT)],
    }
}

/// What stands around prompts.
///
/// # Errors
/// A chat template that refuses a question and an answer, or leaves one out.
pub fn frame(tokens: &Tokens) -> Result<Frame> {
    match tokens {
        Tokens::Words(words) => of_words(words),
        Tokens::Bytes => Ok(Frame {
            end: END_OF_TEXT.into(),
            ..Frame::plain()
        }),
    }
}

/// What the model's chat template puts around what the user says, and behind what the model says.
fn of_words(words: &Words) -> Result<Frame> {
    let text = |ids: &[u32]| -> String {
        let texts = ids.iter().filter_map(|&id| words.tokenizer.token(id));
        texts.collect()
    };
    let ends: Vec<String> = words.end.iter().map(|&id| text(&[id])).collect();
    let Some(chat) = &words.chat else {
        return Ok(Frame {
            before: text(&words.begin),
            end: ends.first().cloned().unwrap_or_default(),
            ..Frame::plain()
        });
    };
    const SAID: &str = "what-the-user-says";
    const ANSWERED: &str = "what-the-model-says";
    let messages = [
        Message::new("user", SAID),
        Message::new("assistant", ANSWERED),
    ];
    let around = |chat: &ChatTemplate, n: usize, said: &str| {
        let rendered = chat.render(&messages[..n], n == 1).map_err(failed)?;
        let parts = rendered.split_once(said);
        parts
            .map(|(before, after)| (before.to_owned(), after.to_owned()))
            .ok_or_else(|| failed("the model's chat template leaves out what is said"))
    };
    let (before, after) = around(chat, 1, SAID)?;
    let (_, behind) = around(chat, 2, ANSWERED)?;
    let first_end = ends.iter().filter_map(|end| {
        let at = behind.find(end.as_str())?;
        Some(at + end.len())
    });
    let end = match first_end.min() {
        Some(length) => behind[..length].to_owned(),
        None => ends.first().cloned().unwrap_or_default(),
    };
    Ok(Frame { before, after, end })
}
