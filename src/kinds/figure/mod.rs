//! Figures that show prompts; what is drawn of tables is [`findings::figure`].

pub mod prompts;
pub mod word_prompts;
