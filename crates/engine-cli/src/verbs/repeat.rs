//! Verb `repeat`: one stage several times under other circumstances, and where what it makes differs.

use crate::answers::answer;
use crate::answers::repeat::{OtherBytes, Repeated, VariedRun};
use crate::console::terminal;
use crate::pipeline::session::Session;
use crate::pipeline::workers;
use crate::program::exit;
use clap::Args;
use retrace::base::error::{Error, Result};
use retrace::run::event::Event;
use retrace::stage::kind::read;
use retrace::upkeep::repeat::{AGAIN, Repeat, Repeater, Varied, repeat};
use std::collections::BTreeSet;
use std::path::Path;

/// What to run again, and how.
#[derive(Debug, Args)]
pub struct RepeatArgs {
    /// The stage, by its id
    pub stage: String,
    /// Vary only this: `again`, or what the kind of the stage can vary; may be given several times
    #[arg(long, value_name = "WHAT")]
    pub only: Vec<String>,
    /// Print a JSON object instead of lines
    #[arg(long)]
    pub json: bool,
}

/// Runs the stage as usual and under each variation, and compares; writes nothing.
pub fn repeated(session: &Session, args: &RepeatArgs) -> Result<u8> {
    let engine = &session.engine;
    let stages = &engine.pipeline.stages;
    let Some(index) = stages.iter().position(|stage| stage.id == args.stage) else {
        let error = Error::config(format!("there is no stage `{}`", args.stage));
        return Err(error.suggest(&args.stage, stages.iter().map(|stage| stage.id.as_str())));
    };
    let kind = &engine.kinds[stages[index].kind];
    let mut variations = vec![AGAIN];
    variations.extend(kind.variations());
    for name in &args.only {
        if !variations.iter().any(|(known, _)| known == name) {
            let message = format!("`{name}` cannot be varied for kind `{}`", kind.name());
            let known = variations.iter().map(|(known, _)| *known);
            return Err(Error::config(message).suggest(name, known));
        }
    }
    if !args.only.is_empty() {
        variations.retain(|(name, _)| args.only.iter().any(|only| only == name));
    }
    let context = session.context()?;
    workers::start(None)?;
    let how = Repeater {
        observer: &|event| {
            if let Event::Warned { words, .. } = event {
                terminal::detail(&format!("{}: {words}", args.stage));
            }
        },
        cancelled: workers::cancelled(),
    };
    let repeat = repeat(&context, index, &variations, &how)?;
    // What is other bytes each time says nothing of what was varied.
    let of_again = repeat.varied.iter().find(|varied| varied.name == AGAIN.0);
    let of_again = of_again.and_then(|varied| varied.differing.as_ref().ok());
    let restless = of_again
        .into_iter()
        .flatten()
        .map(|(output, _)| output.as_str());
    let restless: BTreeSet<&str> = restless.collect();
    let outcomes = repeat.varied.iter().map(|varied| {
        let restless = match varied.name == AGAIN.0 {
            true => &BTreeSet::new(),
            false => &restless,
        };
        let outcome = outcome(session, index, &repeat, (varied, restless))?;
        Ok((varied, outcome))
    });
    let outcomes = outcomes.collect::<Result<Vec<_>>>()?;
    let differs = outcomes.iter().any(|(_, (words, _))| !words.is_empty());
    if args.json {
        let varied = outcomes.into_iter().map(|(_, (_, said))| said);
        let repeated = Repeated {
            stage: args.stage.clone(),
            repeatable: !differs,
            varied: varied.collect(),
        };
        terminal::print(&answer::text(&repeated)?);
    } else {
        let line = |(varied, (words, _)): &(&Varied, (String, VariedRun))| match words.is_empty() {
            true if !restless.is_empty() && varied.name != AGAIN.0 => {
                format!(
                    "{:8}  nothing that does not differ each time\n",
                    varied.name
                )
            }
            true => format!("{:8}  same bytes\n", varied.name),
            false => format!(
                "{:8}  differs; varied was {}\n{words}",
                varied.name, varied.what
            ),
        };
        let text: String = outcomes.iter().map(line).collect();
        terminal::print(&text);
    }
    Ok(if differs { exit::DIFFERS } else { exit::OK })
}

/// What differs, line by line, and for programs; no line where nothing does.
fn outcome(
    session: &Session,
    index: usize,
    repeat: &Repeat,
    (varied, restless): (&Varied, &BTreeSet<&str>),
) -> Result<(String, VariedRun)> {
    let stage = &session.engine.pipeline.stages[index];
    let mut words = String::new();
    let mut outputs = Vec::new();
    match &varied.differing {
        Err(error) => words += &format!("  it fails: {}\n", error.message),
        Ok(differing) => {
            let of_this = |(name, _): &&(String, _)| !restless.contains(name.as_str());
            for (name, file) in differing.iter().filter(of_this) {
                let path = stage.outputs.iter().find(|(output, _)| output == name);
                let path = path.map_or(Path::new(name), |(_, path)| path);
                let old = repeat.first.get(name).map(|file| read(file)).transpose()?;
                let found = read(file)?;
                let formats = &session.program.formats;
                let found = formats.difference(path, &old.unwrap_or_default(), &found);
                let (told, json) = match found {
                    Some(difference) => (difference.words, Some(difference.json)),
                    None => ("other bytes, with the same contents".to_owned(), None),
                };
                words += &format!("  {}: {told}\n", path.display());
                outputs.push(OtherBytes {
                    output: name.clone(),
                    path: path.display().to_string(),
                    difference: json,
                });
            }
        }
    }
    let error = varied.differing.as_ref().err().map(|e| e.message.clone());
    let said = VariedRun {
        name: varied.name.to_owned(),
        what: varied.what.to_owned(),
        outputs,
        error,
    };
    Ok((words, said))
}
