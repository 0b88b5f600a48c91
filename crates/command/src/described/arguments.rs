//! `{in.ROLE}` and `{out.NAME}` in a command line, replaced by paths.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Where a command sees its inputs and writes its outputs: paths below the root.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// By role, then label.
    pub inputs: BTreeMap<String, BTreeMap<String, PathBuf>>,
    pub outputs: BTreeMap<String, PathBuf>,
}

/// A piece of an argument.
enum Piece<'a> {
    Text(String),
    Input(&'a str),
    Output(&'a str),
}

/// The arguments with paths in place of names, as they are seen from a folder below the root.
///
/// # Errors
/// A name that there is not, or a role of several artifacts within a word; with the position of the argument.
pub fn fill(arguments: &[String], places: &Places, folder: &Path) -> Result<Vec<String>, String> {
    let mut filled = Vec::new();
    for (at, argument) in arguments.iter().enumerate() {
        let said = |why: String| format!("run.{at}: {why}");
        let pieces = pieces(argument).map_err(said)?;
        if let [Piece::Input(role)] = pieces[..] {
            let paths = input(role, places).map_err(said)?;
            filled.extend(paths.into_iter().map(|path| seen_from(folder, path)));
            continue;
        }
        let mut word = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => word.push_str(&text),
                Piece::Input(role) => match input(role, places).map_err(said)?[..] {
                    [path] => word.push_str(&seen_from(folder, path)),
                    ref paths => {
                        let count = paths.len();
                        return Err(said(format!(
                            "`{{in.{role}}}` stands for {count} artifacts: make it an argument of its own, or name one as `{{in.{role}[LABEL]}}`"
                        )));
                    }
                },
                Piece::Output(name) => {
                    let path = places.outputs.get(name);
                    let path = path.ok_or_else(|| {
                        let known = places.outputs.keys();
                        said(unknown("output", name, known))
                    })?;
                    word.push_str(&seen_from(folder, path));
                }
            }
        }
        filled.push(word);
    }
    Ok(filled)
}

/// The artifacts of a role, or the one with a label: `role[label]`.
fn input<'a>(name: &str, places: &'a Places) -> Result<Vec<&'a PathBuf>, String> {
    let (role, label) = match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
        Some((role, label)) => (role, Some(label)),
        None => (name, None),
    };
    let of_role = places
        .inputs
        .get(role)
        .ok_or_else(|| unknown("input", role, places.inputs.keys()))?;
    match label {
        None => Ok(of_role.values().collect()),
        Some(label) => of_role
            .get(label)
            .map(|path| vec![path])
            .ok_or_else(|| unknown("artifact", label, of_role.keys())),
    }
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a String>) -> String {
    let known: Vec<&str> = known.map(String::as_str).collect();
    match known.is_empty() {
        true => format!("there is no {what} `{name}`, for the stage declares none"),
        false => format!("there is no {what} `{name}`; there is {}", known.join(", ")),
    }
}

fn pieces(argument: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = argument;
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let (brace, after) = rest[at..].split_at(1);
        if let Some(after) = after.strip_prefix(brace) {
            text.push_str(brace);
            rest = after;
            continue;
        }
        let end = after.find('}').filter(|_| brace == "{");
        let name = end.map(|end| &after[..end]).unwrap_or_default();
        let piece = match name.split_once('.') {
            Some(("in", role)) => Piece::Input(role),
            Some(("out", name)) => Piece::Output(name),
            _ => {
                return Err(format!(
                    "`{brace}{name}` is neither {{in.ROLE}} nor {{out.NAME}}; a brace that is meant as one is written twice"
                ));
            }
        };
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        pieces.push(piece);
        rest = &after[end.unwrap_or_default() + 1..];
    }
    text.push_str(rest);
    if !text.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

/// A path below the root as it is seen from a folder below the root.
fn seen_from(folder: &Path, path: &Path) -> String {
    let names = |path: &Path| -> Vec<std::ffi::OsString> {
        let names = path.components().filter_map(|c| match c {
            Component::Normal(name) => Some(name.to_owned()),
            _ => None,
        });
        names.collect()
    };
    let (from, to) = (names(folder), names(path));
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from.iter().skip(shared).map(|_| "..".into());
    let seen: PathBuf = up.chain(to.iter().skip(shared).cloned()).collect();
    seen.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        let one = |label: &str, path: &str| (label.to_owned(), PathBuf::from(path));
        Places {
            inputs: BTreeMap::from([
                ("data".into(), BTreeMap::from([one("", "data/a.csv")])),
                (
                    "runs".into(),
                    BTreeMap::from([one("1", "artifacts/1.csv"), one("2", "artifacts/2.csv")]),
                ),
            ]),
            outputs: BTreeMap::from([("table".into(), PathBuf::from("figures/t.csv"))]),
        }
    }

    fn filled(argument: &str, folder: &str) -> Result<Vec<String>, String> {
        fill(&[argument.to_owned()], &places(), Path::new(folder))
    }

    #[test]
    fn names_become_paths_as_they_are_seen_from_the_folder() {
        for (argument, folder, expected) in [
            ("{in.data}", "", vec!["data/a.csv"]),
            ("{in.data}", "src", vec!["../data/a.csv"]),
            ("{in.data}", "data", vec!["a.csv"]),
            ("--out={out.table}", "", vec!["--out=figures/t.csv"]),
            ("{in.runs}", "", vec!["artifacts/1.csv", "artifacts/2.csv"]),
            ("x{in.runs[2]}", "", vec!["xartifacts/2.csv"]),
            ("{{a}}", "", vec!["{a}"]),
            (
                "awk '{{print $1}}' {in.data}",
                "",
                vec!["awk '{print $1}' data/a.csv"],
            ),
            ("", "", vec![""]),
        ] {
            assert_eq!(filled(argument, folder).unwrap(), expected, "{argument}");
        }
    }

    #[test]
    fn what_names_nothing_is_refused_with_what_there_is() {
        for (argument, words) in [
            ("{in.date}", "there is no input `date`; there is data, runs"),
            ("{out.tabel}", "there is no output `tabel`; there is table"),
            ("x{in.runs}", "stands for 2 artifacts"),
            ("{in.runs[3]}", "there is no artifact `3`; there is 1, 2"),
            ("{data}", "neither {in.ROLE} nor {out.NAME}"),
            ("a}", "written twice"),
            ("{", "written twice"),
        ] {
            let error = filled(argument, "").unwrap_err();
            assert!(
                error.starts_with("run.0: ") && error.contains(words),
                "{error}"
            );
        }
    }
}
