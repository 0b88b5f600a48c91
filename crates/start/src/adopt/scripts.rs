//! A folder of numbered scripts: `01_clean.py`, `02-fit.R`, `03_plot.sh`.

use crate::adopt::commands::without_number;
use crate::adopt::step::{Step, Steps, name, seen_from, unique};
use std::path::Path;

/// Interpreters by the ending of a file, where the file does not name one.
const INTERPRETERS: [(&str, &str); 9] = [
    ("py", "python3"),
    ("R", "Rscript"),
    ("r", "Rscript"),
    ("sh", "sh"),
    ("bash", "bash"),
    ("jl", "julia"),
    ("pl", "perl"),
    ("rb", "ruby"),
    ("js", "node"),
];

/// Reads the scripts of a folder below the root, in the order of their numbers. They run in `folder`.
///
/// # Errors
/// There is none, or one of which it is not known how it is run.
pub fn read(root: &Path, scripts: &Path, folder: &str) -> Result<Steps, String> {
    let shown = match scripts.as_os_str().is_empty() {
        true => ".".to_owned(),
        false => scripts.display().to_string(),
    };
    let entries = std::fs::read_dir(root.join(scripts)).map_err(|e| format!("{shown}: {e}"))?;
    let files = entries.flatten().filter(|entry| entry.path().is_file());
    let names = files.filter_map(|entry| entry.file_name().into_string().ok());
    let mut numbered: Vec<(u64, String)> = names
        .filter_map(|name| Some((number(&name)?, name)))
        .collect();
    numbered.sort();
    let mut steps: Vec<Step> = Vec::new();
    let mut left = Vec::new();
    for (_, file) in numbered {
        let path = scripts.join(&file);
        let place = path.display().to_string();
        if file.ends_with(".ipynb") {
            left.push(format!(
                "{place} is a notebook: a stage can run it, [jupyter, nbconvert, --to, notebook, --execute, {place}, --output-dir, .]"
            ));
            continue;
        }
        let text = std::fs::read(root.join(&path)).unwrap_or_default();
        let Some(interpreter) = interpreter(&file, &text) else {
            let ending = Path::new(&file).extension().is_some();
            // Numbered tables and texts stand beside scripts.
            if ending {
                left.push(format!(
                    "{place} was not run: it is no script of a kind that is known"
                ));
                continue;
            }
            return Err(format!(
                "{place}: it is not known how it is run: write `#!/usr/bin/env PROGRAM` as its first line"
            ));
        };
        let stem = Path::new(&file).file_stem().and_then(|stem| stem.to_str());
        let called = name(without_number(stem.unwrap_or(&file)));
        let from = seen_from(Path::new(folder), &path);
        steps.push(Step {
            name: unique(&called, steps.iter().map(|step| step.name.as_str())),
            place,
            run: vec![interpreter, from],
            folder: folder.to_owned(),
            ..Step::default()
        });
    }
    match steps.is_empty() {
        true => Err(format!(
            "{shown}: there are no numbered scripts in it, such as 01_clean.py"
        )),
        false => Ok(Steps { steps, left }),
    }
}

/// The number that a name begins with.
fn number(name: &str) -> Option<u64> {
    let end = name.find(|c: char| !c.is_ascii_digit())?;
    name[..end].parse().ok()
}

/// What runs a file: what its first line names, else what its ending says.
fn interpreter(name: &str, text: &[u8]) -> Option<String> {
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first);
    let named = first.strip_prefix("#!").and_then(|line| {
        let mut words = line.split_whitespace();
        let program = words.next()?.rsplit('/').next()?;
        let program = match program {
            "env" => words.find(|word| !word.starts_with('-'))?,
            program => program,
        };
        Some(program.to_owned())
    });
    named.or_else(|| {
        let ending = Path::new(name).extension()?.to_str()?;
        let known = INTERPRETERS.iter().find(|(own, _)| *own == ending)?;
        Some(known.1.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_run_in_the_order_of_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("10_plot.sh", "#!/bin/bash -e\n");
        write("2-fit.R", "");
        write("1_clean.py", "");
        write("3 check", "#!/usr/bin/env -S python3 -u\n");
        write("4_notes.txt", "");
        write("5.ipynb", "");
        write("helper.py", "");
        let found = read(folder.path(), Path::new(""), "").unwrap();
        let runs: Vec<String> = found.steps.iter().map(|step| step.run.join("|")).collect();
        assert_eq!(
            runs,
            [
                "python3|1_clean.py",
                "Rscript|2-fit.R",
                "python3|3 check",
                "bash|10_plot.sh"
            ]
        );
        let names: Vec<&str> = found.steps.iter().map(|step| &*step.name).collect();
        assert_eq!(names, ["clean", "fit", "check", "plot"]);
        assert_eq!(found.left.len(), 2);
        write("7", "");
        write("6_thing", "");
        let error = read(folder.path(), Path::new(""), "").unwrap_err();
        assert!(error.contains("6_thing") && error.contains("#!"), "{error}");
        let empty = tempfile::tempdir().unwrap();
        let error = read(empty.path(), Path::new(""), "").unwrap_err();
        assert!(error.contains("no numbered scripts"), "{error}");
    }
}
