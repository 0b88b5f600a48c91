//! Commands that users are told to type: with the program's name, and with the options that say which
//! pipeline they mean. Without these the same command would ask for something else.

use std::sync::{Mutex, OnceLock, PoisonError};

/// What the program is called.
static NAME: OnceLock<&str> = OnceLock::new();

/// The options of this process, each with a space before it: all, and those of places alone.
static OPTIONS: Mutex<[String; 2]> = Mutex::new([String::new(), String::new()]);

/// Sets the program's name for this process.
pub(crate) fn speak_for(program: &'static str) {
    let _ = NAME.set(program);
}

/// Sets the options that commands carry in this process from now on, each with a space before it: all, and those of places
/// alone. A task of a plan finds them only there.
pub(crate) fn carry(all: String, places: String) {
    *OPTIONS.lock().unwrap_or_else(PoisonError::into_inner) = [all, places];
}

/// The program's name.
pub(crate) fn name() -> &'static str {
    NAME.get().copied().unwrap_or("this program")
}

/// The options that were given.
pub(crate) fn carried() -> String {
    let [all, _] = &*OPTIONS.lock().unwrap_or_else(PoisonError::into_inner);
    all.clone()
}

/// The option that names a store by the words that messages show it with: they mean it from anywhere, whoever named it.
pub fn store_option(shown: &str) -> String {
    format!(" --store {}", quoted(shown))
}

/// A command of this program, to be typed as it stands: `run x` becomes `program run x --profile smoke`.
pub fn command(words: &str) -> String {
    format!("{} {words}{}", name(), carried())
}

/// A command that means the pipeline as it stands, whatever variant was asked for: with the options that
/// say where it is.
pub fn plain_command(words: &str) -> String {
    let [_, places] = &*OPTIONS.lock().unwrap_or_else(PoisonError::into_inner);
    format!("{} {words}{places}", name())
}

/// A word as a shell reads it.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@,%".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_change_them() {
        for (word, typed) in [
            ("vars.noise_var=0.2", "vars.noise_var=0.2"),
            ("finetune@*.a=[1, 2]", "'finetune@*.a=[1, 2]'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), typed);
        }
    }
}
