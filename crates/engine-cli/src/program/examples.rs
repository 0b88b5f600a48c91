//! What the help of each verb ends with: commands that work, and what they are for.
//!
//! They name stages and files, so a program brings its own.

/// A command without the program's name, and what it does.
pub type Example = (&'static str, &'static str);

/// The examples of each verb.
pub type Examples = &'static [(&'static str, &'static [Example])];

/// The examples of a verb; the help of one that is missing has none.
pub fn of(examples: Examples, verb: &str) -> &'static [Example] {
    let found = examples.iter().find(|(name, _)| *name == verb);
    found.map_or(&[], |(_, examples)| examples)
}

/// The end of a verb's help.
pub fn text(program: &str, examples: &[Example]) -> String {
    /// Longer commands have what they are for in the next line.
    const WIDEST: usize = 48;
    let lengths = examples.iter().map(|(command, _)| command.len());
    let width = lengths.filter(|&n| n <= WIDEST).max().unwrap_or(0);
    let mut text = "Examples:".to_owned();
    for (command, about) in examples {
        text += &match command.len() <= WIDEST {
            true => format!("\n  {program} {command:width$}  {about}"),
            false => format!("\n  {program} {command}\n      {about}"),
        };
    }
    text
}
