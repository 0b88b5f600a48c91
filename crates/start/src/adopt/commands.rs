//! A file of commands, one a line.

use crate::adopt::shell;
use crate::adopt::step::{Step, Steps, name, unique};
use std::path::Path;

/// Reads the commands of a text; `file` is what it is called.
///
/// # Errors
/// There is none.
pub fn read(file: &str, text: &str, folder: &str) -> Result<Steps, String> {
    let mut steps: Vec<Step> = Vec::new();
    let mut line = String::new();
    let mut begins = 0;
    for (number, part) in (1..).zip(text.lines()) {
        if line.is_empty() {
            if part.trim().is_empty() || part.trim_start().starts_with('#') {
                continue;
            }
            begins = number;
        }
        match part.strip_suffix('\\') {
            Some(part) => {
                line.push_str(part);
                line.push(' ');
                continue;
            }
            None => line.push_str(part),
        }
        let run = shell::arguments(&line);
        line.clear();
        let name = unique(&called(&run), steps.iter().map(|step| step.name.as_str()));
        steps.push(Step {
            name,
            place: format!("{file}:{begins}"),
            run,
            folder: folder.to_owned(),
            ..Step::default()
        });
    }
    if !line.is_empty() {
        return Err(format!(
            "{file}:{begins}: the line goes on (`\\`), and nothing follows"
        ));
    }
    match steps.is_empty() {
        true => Err(format!("{file}: there is no command in it")),
        false => Ok(Steps {
            steps,
            left: Vec::new(),
        }),
    }
}

/// What a step is called by its command: by its script, its module, or its program.
pub fn called(run: &[String]) -> String {
    let line = match run {
        // A line of a shell's: by the first that looks like a script.
        [sh, option, line] if sh == "sh" && option == "-c" => {
            line.split_whitespace().map(str::to_owned).collect()
        }
        run => run.to_vec(),
    };
    let is_script = |word: &&String| {
        let ending = Path::new(word)
            .extension()
            .and_then(|ending| ending.to_str());
        let known = ["py", "R", "r", "sh", "jl", "ipynb", "pl", "rb", "js", "m"];
        ending.is_some_and(|ending| known.contains(&ending))
    };
    let module = line
        .windows(2)
        .find(|pair| pair[0] == "-m")
        .map(|pair| &pair[1]);
    let word = line.iter().find(is_script).or(module).or(line.first());
    let word = word.map_or("", String::as_str);
    let stem = Path::new(word).file_stem().and_then(|stem| stem.to_str());
    name(without_number(stem.unwrap_or(word)))
}

/// A name without the number that it begins with: `01_clean` is `clean`.
pub fn without_number(stem: &str) -> &str {
    let rest = stem.trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = rest.trim_start_matches(['_', '-', '.', ' ']);
    match rest.is_empty() {
        true => stem,
        false => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_step_with_a_name() {
        let text = "# first\npython3 src/clean.py data/raw.csv\n\nRscript \\\n  fit.R\nsort a > b\npython3 -m pkg.plot\npython3 src/clean.py again\n";
        let steps = read("run.txt", text, "").unwrap().steps;
        let names: Vec<_> = steps
            .iter()
            .map(|step| (&*step.name, &*step.place))
            .collect();
        assert_eq!(
            names,
            [
                ("clean", "run.txt:2"),
                ("fit", "run.txt:4"),
                ("sort", "run.txt:6"),
                ("pkg", "run.txt:7"),
                ("clean_2", "run.txt:8")
            ]
        );
        assert_eq!(steps[1].run, ["Rscript", "fit.R"]);
        assert_eq!(steps[2].run, ["sh", "-c", "sort a > b"]);
        assert!(
            read("run.txt", "# nothing\n", "")
                .unwrap_err()
                .contains("no command")
        );
        assert!(
            read("run.txt", "a \\\n", "")
                .unwrap_err()
                .contains("nothing follows")
        );
    }
}
