//! Command lines as a shell would take them apart, and those that need a shell.

/// The program and its arguments; where the line means more than these, a shell that is given the line.
pub fn arguments(line: &str) -> Vec<String> {
    match words(line) {
        Some(words) if !is_builtin(&words) => words,
        _ => ["sh", "-c", line.trim()].map(str::to_owned).to_vec(),
    }
}

/// What only a shell does.
const BUILTINS: [&str; 20] = [
    ".", ":", "cd", "eval", "exec", "exit", "export", "for", "if", "read", "set", "shift",
    "source", "trap", "type", "ulimit", "umask", "unset", "until", "while",
];

fn is_builtin(words: &[String]) -> bool {
    let first = words.first().map_or("", String::as_str);
    // `NAME=value program` sets a variable.
    first.is_empty() || BUILTINS.contains(&first) || first.contains('=')
}

/// The words of a line; `None` where it has something that a shell works on: variables, patterns, pipes.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = line.trim().chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match letters.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match letters.next()? {
                        '"' => break,
                        '$' | '`' => return None,
                        '\\' => match letters.next()? {
                            '\n' => {}
                            c if "\"\\$`".contains(c) => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => match letters.next()? {
                // A line that goes on.
                '\n' => words.extend(word.take()),
                c => word.get_or_insert_default().push(c),
            },
            '\n' | '|' | '&' | ';' | '<' | '>' | '(' | ')' | '$' | '`' | '*' | '?' | '[' | '{' => {
                return None;
            }
            '#' | '~' if word.is_none() => return None,
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_lines_are_taken_apart_and_others_are_a_shells() {
        for (line, expected) in [
            (
                "python src/a.py  data/x.csv",
                vec!["python", "src/a.py", "data/x.csv"],
            ),
            (
                "a 'b c' \"d \\\"e\" f\\ g ''",
                vec!["a", "b c", "d \"e", "f g", ""],
            ),
            ("a --b=c \\\n  d", vec!["a", "--b=c", "d"]),
        ] {
            assert_eq!(arguments(line), expected, "{line}");
        }
        for line in [
            "a | b",
            "a > b",
            "cd x && a",
            "a $B",
            "a \"$B\"",
            "a *.csv",
            "A=1 b",
            "export A",
            "a 'b",
            "a; b",
            "a `b`",
            "a ~/x",
            "a {b,c}",
        ] {
            assert_eq!(arguments(line), ["sh", "-c", line], "{line}");
        }
    }
}
