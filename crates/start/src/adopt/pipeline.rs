//! Stages made of what steps did.
//!
//! A file that a later step reads is an input of its stage, whoever says so; a file that is written twice has no
//! stage that makes it. Knows no YAML.

use crate::adopt::order::covers;
use crate::adopt::step::{name, unique};
use crate::adopt::trial::{Around, Ran};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A stage of kind `command`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    pub name: String,
    pub about: Option<String>,
    pub run: Vec<String>,
    pub folder: String,
    /// Files of the repository that it read, for people.
    pub read: Vec<PathBuf>,
    /// By role: the stage and output that it is, and where the command reads it.
    pub inputs: BTreeMap<String, (String, PathBuf)>,
    /// By name: where it lies, and where the command writes it.
    pub outputs: BTreeMap<String, (PathBuf, PathBuf)>,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub stages: Vec<Stage>,
    /// The lock file that fits the packages of all steps.
    pub packages: Option<String>,
    pub environment: Option<String>,
    pub variables: BTreeMap<String, String>,
    /// What is not as it was said, and what could not be adopted: a sentence each.
    pub said: Vec<String>,
}

/// Endings of files that people look at: where no step reads them, they are results.
const SHOWN: [&str; 11] = [
    "csv", "html", "json", "md", "parquet", "pdf", "png", "svg", "tex", "tsv", "txt",
];
/// Where results lie, and what is only on the way to them.
const FOLDERS: [&str; 2] = ["figures", "artifacts"];

/// Makes stages of steps that ran, in their order. `left_out` are files that are no stage's output.
///
/// # Errors
/// A file that several steps write or that is left out and read, and a path that is left out and nobody writes.
pub fn of(ran: &[Ran], around: &Around, left_out: &[PathBuf]) -> Result<Seen, String> {
    let mut seen = Seen {
        environment: around.environment.clone(),
        variables: around.variables.clone(),
        ..Seen::default()
    };
    let makers = makers(ran, left_out, &mut seen.said)?;
    // The stage and output that each file is.
    let mut made: BTreeMap<&Path, (String, String)> = BTreeMap::new();
    for (at, Ran { step, observed }) in ran.iter().enumerate() {
        let mut stage = Stage {
            name: step.name.clone(),
            about: step.about.clone(),
            run: step.run.clone(),
            folder: step.folder.clone(),
            ..Stage::default()
        };
        for path in makers
            .iter()
            .filter(|(_, maker)| **maker == at)
            .map(|(path, _)| *path)
        {
            let own = unique(&stem(path), stage.outputs.keys().map(String::as_str));
            let is_read = ran[at + 1..]
                .iter()
                .any(|later| later.observed.read.contains(path));
            made.insert(path, (step.name.clone(), own.clone()));
            stage
                .outputs
                .insert(own, (lies_at(path, is_read), path.clone()));
        }
        if stage.outputs.is_empty() {
            seen.said.push(format!(
                "step `{}` ({}) wrote no file that is kept: it is no stage",
                step.name, step.place
            ));
            continue;
        }
        for path in &observed.read {
            match made.get(&**path) {
                Some((maker, _)) if *maker == step.name => {}
                Some((maker, output)) => {
                    let known = || {
                        stage
                            .outputs
                            .keys()
                            .chain(stage.inputs.keys())
                            .map(String::as_str)
                    };
                    let is_known = known().any(|known| known.eq_ignore_ascii_case(output));
                    let role = match is_known {
                        true => unique(&format!("{maker}_{output}"), known()),
                        false => output.clone(),
                    };
                    stage
                        .inputs
                        .insert(role, (format!("{maker}.{output}"), path.clone()));
                }
                None => stage.read.push(path.clone()),
            }
        }
        differences(&ran[at], &mut seen.said);
        seen.stages.push(stage);
    }
    packages(ran, around, &mut seen);
    match seen.stages.is_empty() {
        true => Err("no step wrote a file: there is nothing to make a pipeline of".into()),
        false => Ok(seen),
    }
}

/// The step that makes each file that is kept.
fn makers<'a>(
    ran: &'a [Ran],
    left_out: &[PathBuf],
    said: &mut Vec<String>,
) -> Result<BTreeMap<&'a PathBuf, usize>, String> {
    let mut writers: BTreeMap<&PathBuf, Vec<usize>> = BTreeMap::new();
    for (at, ran) in ran.iter().enumerate() {
        for path in &ran.observed.written {
            writers.entry(path).or_default().push(at);
        }
    }
    if let Some(path) = left_out
        .iter()
        .find(|path| !writers.keys().any(|w| covers(path, w)))
    {
        return Err(format!("--leave-out {}: no step writes it", path.display()));
    }
    let name = |at: usize| &ran[at].step.name;
    let mut makers = BTreeMap::new();
    for (path, by) in writers {
        let first = by[0];
        let shown = path.display();
        let reader = (first + 1..ran.len()).find(|&at| ran[at].observed.read.contains(path));
        if left_out.iter().any(|left_out| covers(left_out, path)) {
            if let Some(reader) = reader {
                return Err(format!(
                    "--leave-out {shown}: step `{}` reads it",
                    name(reader)
                ));
            }
            said.push(format!("{shown} was left out: it is nobody's output"));
            continue;
        }
        if let [_, second, ..] = by[..] {
            return Err(format!(
                "steps `{}` and `{}` both write {shown}: a file is made by one stage; let the second write another, or leave the file out with --leave-out {shown}",
                name(first),
                name(second)
            ));
        }
        let declared = ran[first].step.writes.as_ref();
        let is_declared = declared.is_none_or(|said| said.iter().any(|said| covers(said, path)));
        match (is_declared, reader) {
            (true, _) => {}
            (false, Some(reader)) => said.push(format!(
                "step `{}` writes {shown}, which nobody said, and step `{}` reads it: it is an output now",
                name(first),
                name(reader)
            )),
            (false, None) => {
                said.push(format!(
                    "step `{}` writes {shown}, which nobody said and no step reads: it was left out",
                    name(first)
                ));
                continue;
            }
        }
        makers.insert(path, first);
    }
    Ok(makers)
}

/// What an output is called after its file.
fn stem(path: &Path) -> String {
    let stem = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    name(&stem.unwrap_or_default())
}

/// Where an output lies: results below figures/, what is read on below artifacts/.
fn lies_at(path: &Path, is_read: bool) -> PathBuf {
    if FOLDERS.iter().any(|folder| path.starts_with(folder)) {
        return path.to_owned();
    }
    let ending = path.extension().and_then(|ending| ending.to_str());
    let is_shown = ending.is_some_and(|ending| SHOWN.contains(&ending));
    let [results, between] = FOLDERS;
    Path::new(if is_shown && !is_read {
        results
    } else {
        between
    })
    .join(path)
}

/// What a step did that is not what was said of it, or not what it should.
fn differences(Ran { step, observed }: &Ran, said: &mut Vec<String>) {
    let own = format!("step `{}`", step.name);
    if let Some(reads) = &step.reads {
        let is_said = |path: &&PathBuf| reads.iter().any(|said| covers(said, path));
        let unsaid: Vec<String> = observed
            .read
            .iter()
            .filter(|path| !is_said(path))
            .map(|path| path.display().to_string())
            .collect();
        if !unsaid.is_empty() {
            said.push(format!(
                "{own} read what nobody said: {}",
                unsaid.join(", ")
            ));
        }
        let is_read = |path: &&PathBuf| observed.read.iter().any(|read| covers(path, read));
        let unread: Vec<String> = reads
            .iter()
            .filter(|path| !is_read(path))
            .map(|path| path.display().to_string())
            .collect();
        if !unread.is_empty() {
            said.push(format!(
                "{own} never read {}, as was said of it",
                unread.join(", ")
            ));
        }
    }
    for path in &observed.replaced {
        said.push(format!(
            "{own} writes over {}, which the repository has: it ran without that file",
            path.display()
        ));
    }
    for warning in &observed.warnings {
        said.push(format!("{own}: {warning}"));
    }
}

/// The lock file that fits, where packages were used.
fn packages(ran: &[Ran], around: &Around, seen: &mut Seen) {
    let used: BTreeSet<&String> = ran.iter().flat_map(|ran| &ran.observed.packages).collect();
    if used.is_empty() {
        return;
    }
    let fits = |lock: &&String| ran.iter().all(|ran| ran.observed.locks.contains(lock));
    seen.packages = around.locks.iter().find(fits).cloned();
    if seen.packages.is_none() {
        let shown: Vec<&str> = used.iter().take(4).map(|name| name.as_str()).collect();
        let more = if used.len() > shown.len() {
            ", ..."
        } else {
            ""
        };
        seen.said.push(format!(
            "packages were used that no lock file holds ({}{more}): lock them, and name the file under `packages`",
            shown.join(", ")
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adopt::step::Step;
    use command::trial::Observed;

    fn ran(name: &str, reads: &[&str], writes: &[&str]) -> Ran {
        let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect();
        Ran {
            step: Step {
                name: name.into(),
                ..Step::default()
            },
            observed: Observed {
                read: paths(reads),
                written: paths(writes),
                ..Observed::default()
            },
        }
    }

    fn seen(ran: &[Ran]) -> Result<Seen, String> {
        of(ran, &Around::default(), &[])
    }

    #[test]
    fn what_is_read_later_is_an_input_and_what_is_not_is_a_result() {
        let steps = [
            ran(
                "clean",
                &["raw.csv", "clean.py"],
                &["data/x.csv", "data/x.pkl"],
            ),
            ran("fit", &["data/x.csv", "fit.py"], &["x.csv"]),
            ran("say", &["data/x.csv"], &[]),
        ];
        let seen = seen(&steps).unwrap();
        let [clean, fit] = &seen.stages[..] else {
            panic!()
        };
        let at = |place: &str, lies: &str| (PathBuf::from(lies), PathBuf::from(place));
        let outputs = [
            ("x", at("data/x.csv", "artifacts/data/x.csv")),
            ("x_2", at("data/x.pkl", "artifacts/data/x.pkl")),
        ];
        let outputs = outputs.map(|(name, at)| (name.to_owned(), at));
        assert_eq!(clean.outputs, outputs.into());
        assert_eq!(fit.outputs["x"], at("x.csv", "figures/x.csv"));
        assert_eq!(
            fit.inputs["clean_x"],
            ("clean.x".into(), "data/x.csv".into())
        );
        assert_eq!(fit.read, [PathBuf::from("fit.py")]);
        assert!(seen.said[0].contains("`say`") && seen.said[0].contains("no stage"));
    }

    #[test]
    fn a_file_of_two_steps_is_refused_unless_it_is_left_out() {
        let steps = [
            ran("a", &[], &["a.csv", "run.log"]),
            ran("b", &["a.csv"], &["b.csv", "run.log"]),
        ];
        let error = seen(&steps).unwrap_err();
        assert!(error.contains("`a` and `b` both write run.log"), "{error}");
        let leave = |path: &str| of(&steps, &Around::default(), &[path.into()]);
        assert_eq!(leave("run.log").unwrap().stages.len(), 2);
        assert!(leave("a.csv").unwrap_err().contains("step `b` reads it"));
        assert!(leave("none").unwrap_err().contains("no step writes it"));
        assert!(
            seen(&[ran("a", &[], &[])])
                .unwrap_err()
                .contains("no step wrote")
        );
    }

    #[test]
    fn what_was_said_and_what_was_done_are_compared() {
        let mut first = ran("a", &["a.py", "hidden.txt"], &["a.csv", "b.csv", "c.csv"]);
        first.step.reads = Some(vec!["a.py".into(), "unused".into()]);
        first.step.writes = Some(vec!["a.csv".into()]);
        let second = ran("b", &["b.csv"], &["d.csv"]);
        let seen = seen(&[first, second]).unwrap();
        let said = seen.said.join("\n");
        for words in [
            "read what nobody said: hidden.txt",
            "never read unused",
            "writes b.csv, which nobody said, and step `b` reads it",
            "writes c.csv, which nobody said and no step reads",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
        let names: Vec<&String> = seen.stages[0].outputs.keys().collect();
        assert_eq!(names, ["a", "b"]);
    }
}
