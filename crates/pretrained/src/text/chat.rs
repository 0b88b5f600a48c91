//! A conversation as the text that a model was trained to continue: its chat template, in the language Jinja.
//!
//! Set up as the hub's programs do: a line end after a block and blanks before it are dropped, methods of Python's
//! strings and maps are there, `raise_exception` refuses. A template cannot see the time, nor run for ever.
//! Does not know tokens.

use crate::base::error::{Error, Result};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, ErrorKind, Value, context};
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// Instructions that one conversation may take; the templates of the families take some hundreds a message.
const FUEL: u64 = 10_000_000;
const NAME: &str = "chat";

/// Something that somebody says: `system`, `user` or `assistant`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    pub role: String,
    pub content: String,
}

impl Message {
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Message {
        Message {
            role: role.into(),
            content: content.into(),
        }
    }
}

/// How a model's conversations are written.
pub struct ChatTemplate {
    path: PathBuf,
    source: String,
    first: String,
    last: String,
    environment: Environment<'static>,
}

impl fmt::Debug for ChatTemplate {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "ChatTemplate({:?})", self.source)
    }
}

impl ChatTemplate {
    /// `first` and `last` are the texts of the tokens that begin and end a text, which a template may name.
    pub(crate) fn new(path: &Path, source: &str, first: &str, last: &str) -> Result<ChatTemplate> {
        let refused = |e: minijinja::Error| {
            Error::unsupported(path, format!("its chat template cannot be read: {e}"))
        };
        let mut environment = Environment::new();
        let mut syntax = SyntaxConfig::builder();
        syntax.trim_blocks(true).lstrip_blocks(true);
        environment.set_syntax(syntax.build().map_err(refused)?);
        environment.set_fuel(Some(FUEL));
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function(
            "raise_exception",
            |why: String| -> std::result::Result<Value, minijinja::Error> {
                Err(minijinja::Error::new(ErrorKind::InvalidOperation, why))
            },
        );
        environment.add_function(
            "strftime_now",
            |_: String| -> std::result::Result<Value, minijinja::Error> {
                let why = "it asks for the date, which would change the text from day to day";
                Err(minijinja::Error::new(ErrorKind::InvalidOperation, why))
            },
        );
        environment
            .template_from_named_str(NAME, source)
            .map_err(refused)?;
        Ok(ChatTemplate {
            path: path.to_owned(),
            source: source.to_owned(),
            first: first.to_owned(),
            last: last.to_owned(),
            environment,
        })
    }

    /// The template itself.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The text of a conversation; `add_generation_prompt` also begins the answer.
    ///
    /// # Errors
    /// What the template refuses: roles in another order, say.
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String> {
        let template = self.environment.template_from_named_str(NAME, &self.source);
        let text = template.and_then(|template| {
            template.render(context! {
                messages => Serde(messages),
                add_generation_prompt => add_generation_prompt,
                bos_token => &self.first,
                eos_token => &self.last,
            })
        });
        text.map_err(|e| {
            let why = e.detail().map_or_else(|| e.to_string(), str::to_owned);
            let what = format!("its chat template refuses the conversation: {why}");
            Error::new(&self.path, what, "change the messages, or use no template")
        })
    }
}
