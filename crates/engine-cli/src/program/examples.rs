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

/// The end of a verb's help, in lines of at most so many characters.
pub fn text(program: &str, examples: &[Example], width: usize) -> String {
    let start = format!("  {program} ");
    // What a command is for stands beside it where there is room, in one column, else below it.
    let fits = |padded: usize, about: &str| start.len() + padded + 2 + about.len() <= width;
    let beside = examples
        .iter()
        .filter(|(command, about)| fits(command.len(), about));
    let column = beside.map(|(command, _)| command.len()).max().unwrap_or(0);
    let mut text = "Examples:".to_owned();
    for (command, about) in examples {
        text += &match fits(column.max(command.len()), about) {
            true => format!("\n{start}{command:column$}  {about}"),
            false => {
                // A shell joins lines at a backslash.
                let options = format!("{start}{command}").replace(" -", "\n-");
                let lines = wrapped(&options.split('\n').collect::<Vec<_>>(), " \\", width);
                let about: Vec<&str> = about.split(' ').collect();
                let about = format!("{BELOW}{}", wrapped(&about, "", width - BELOW.len()));
                format!("\n{lines}\n{about}")
            }
        };
    }
    text
}

/// The indentation of what stands below a command.
const BELOW: &str = "      ";

/// Pieces in lines with spaces between them, the later ones after [`BELOW`]; each but the last ends with `end`.
fn wrapped(pieces: &[&str], end: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + piece.len() + end.len() <= width => {
                line.push(' ');
                line.push_str(piece);
            }
            Some(_) => lines.push(format!("{BELOW}{piece}")),
            None => lines.push((*piece).to_owned()),
        }
    }
    lines.join(&format!("{end}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_is_for_stands_beside_it_or_below() {
        let examples = [
            ("run", "all"),
            ("run a_stage_with_a_name", "that one, and what it needs"),
            (
                "run --set vars.n=3 --set vars.d=4",
                "with other values of two variables",
            ),
        ];
        let text = text("tool", &examples, 60);
        assert_eq!(
            text,
            "Examples:\n  tool run                      all\n  tool run a_stage_with_a_name  that one, and what it needs\n\
             \x20 tool run --set vars.n=3 --set vars.d=4\n      with other values of two variables"
        );
        let long = [(
            "risk --params model.json --shots 20 --task task.json",
            "as a table of one value",
        )];
        let text = super::text("tool", &long, 40);
        assert_eq!(
            text,
            "Examples:\n  tool risk --params model.json \\\n      --shots 20 --task task.json\n      as a table of one value"
        );
        assert!(text.lines().all(|line| line.len() <= 40));
    }
}
