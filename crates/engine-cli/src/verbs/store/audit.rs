//! Verb `store verify`.

use crate::console::terminal::{self, count};
use crate::console::typed::{self, quoted};
use crate::pipeline::session::Session;
use crate::pipeline::shared::StoreArgs;
use crate::pipeline::workers;
use crate::program::exit;
use crate::progress::bar::Bar;
use crate::verbs::gc::size;
use clap::Args;
use retrace::base::error::{Error, Place, Result};
use retrace::shared::trust::TRUST_FILE;
use retrace::shared::upkeep::audit::{self, Audit, Finding};

#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Read this part of the objects, the same each time: 1%, 0.5%
    #[arg(long, value_name = "PERCENT")]
    pub sample: Option<String>,
    #[command(flatten)]
    pub store: StoreArgs,
}

/// Looks through the store.
pub fn audit(session: &Session, args: &AuditArgs) -> Result<u8> {
    let sample = args.sample.as_deref().map(part).transpose()?;
    let shared = args.store.required(session, false)?;
    workers::listen("stopping after this object")?;
    let bar = Bar::new();
    let cache = session.context()?.store;
    let observer = |done, of| bar.show(done, of);
    let found = audit::audit(&shared, cache, sample, workers::cancelled(), &observer);
    bar.finish();
    let found = found?;
    let store = typed::store_option(&shared.shown());
    let lines = found.findings.iter().map(|finding| line(finding, &store));
    terminal::print(&lines.collect::<String>());
    terminal::summary(&summary(&shared.shown(), &found));
    Ok(match found.findings.is_empty() {
        true => exit::OK,
        false => exit::DIFFERS,
    })
}

fn summary(shown: &str, found: &Audit) -> String {
    let Audit {
        objects,
        read,
        bytes,
        entries,
        of_others,
        pins,
        findings,
    } = found;
    let mut text = format!(
        "{shown}: {read} of {} read ({}), {} of trusted signers, {}: ",
        count(*objects, "object"),
        size(*bytes),
        plural(*entries, "entry", "entries"),
        count(*pins, "pin"),
    );
    text += &match findings.len() {
        0 => "all is right\n".to_owned(),
        more => format!("{}\n", count(more, "finding")),
    };
    if *of_others > 0 {
        let entries = plural(*of_others, "entry", "entries");
        text +=
            &format!("{entries} of signers who are not in {TRUST_FILE}: nobody believes them\n");
    }
    text
}

fn plural(number: usize, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        more => format!("{more} {many}"),
    }
}

/// What is wrong, and what to type; `store` is the option that names the store.
fn line(finding: &Finding, store: &str) -> String {
    let [push, paranoid] =
        ["push", "push --paranoid"].map(|words| typed::command(&format!("{words}{store}")));
    let bad = |words: &str| terminal::paint(terminal::BAD, words);
    match finding {
        Finding::Object { digest } => format!(
            "object {digest}: {}; `{paranoid}` puts it right if the lock records it\n",
            bad("not the bytes that its name says")
        ),
        Finding::Unread { name } => format!(
            "{name}: {}; who keeps the store can let you\n",
            bad("it may not be read")
        ),
        Finding::Entry { name, signer, why } => format!(
            "{name}: {} {why}; {signer} can `{push}` it anew\n",
            bad("the entry")
        ),
        Finding::Missing {
            stage,
            signer,
            output,
            digest,
        } => format!(
            "{stage}.{output}: {}: object {digest}, which {signer} speaks of; `{push}` by who has it\n",
            bad("not there, or of another size")
        ),
        Finding::Disagree {
            stage,
            key,
            signers: [a, b],
        } => format!(
            "{stage}: {a} and {b} {} on what comes of key {key}; `{}`, with the --profile or --set that the key is of, makes it here and tells who is wrong\n",
            bad("disagree"),
            typed::command(&format!("run {} --store ''", quoted(stage)))
        ),
        Finding::Pin { name } => format!(
            "pin {name}: {}; `{}` again\n",
            bad("it cannot be read"),
            typed::command(&format!("store pin {name}{store}"))
        ),
        Finding::Unkept { name, objects } => format!(
            "pin {name}: {}; `{push}` by who has them\n",
            bad(&format!("{} not there", count(*objects, "object")))
        ),
    }
}

/// `1%` as a part of 1.
fn part(text: &str) -> Result<f64> {
    let number = text
        .strip_suffix('%')
        .and_then(|text| text.trim().parse::<f64>().ok());
    match number.filter(|number| *number > 0.0 && *number <= 100.0) {
        Some(number) => Ok(number / 100.0),
        None => {
            let error = Error::config(format!("`{text}` is no part of the objects"));
            let error = error.at(&Place::whole("--sample"));
            Err(error.hint("write more than 0 and at most 100 per cent: 1%"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_per_cent() {
        assert_eq!(part("1%").unwrap(), 0.01);
        assert_eq!(part("100 %").unwrap(), 1.0);
        for text in ["", "%", "1", "0%", "101%", "-1%", "NaN%", "x%"] {
            assert!(part(text).is_err(), "{text}");
        }
    }
}
