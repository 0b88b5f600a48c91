//! Verb `report`: brings the page up to date from what is made already, and says where it is.
//!
//! Never starts a training: what is missing is named, with the command that makes it.

use crate::page::kind::Report;
use crate::verbs::against::page as against;
use crate::verbs::committed;
use clap::Args;
use retrace::base::error::{Error, Result};
use retrace::run::plan::State;
use retrace::stage::kind::StageKind;
use retrace_cli::terminal::{self, count};
use retrace_cli::typed::{self, quoted};
use retrace_cli::{Call, RunArgs, Session, exit};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Fail instead of waiting while another run is going on
    #[arg(long)]
    pub no_wait: bool,
    /// Lay the curves of another version over the charts, and say what differs: `this`, a variation by its name or by what
    /// was set, a profile, or a git revision; the page goes into the cache folder
    #[arg(long, value_name = "VERSION")]
    pub against: Option<String>,
    /// With --against: write the page to FILE
    #[arg(long, value_name = "FILE", requires = "against")]
    pub to: Option<PathBuf>,
}

/// How many missing stages are named one by one.
const NAMED: usize = 8;

/// Makes the page and prints its path. Where what it shows is not made on this machine, the committed
/// page is named, if it is what pipeline.lock records and nothing changed since; else exits with 6.
pub fn report(call: &Call, args: &ReportArgs) -> Result<u8> {
    let session = call.session()?;
    let stage = session.engine.of_kind(Report::NAME).ok_or_else(|| {
        Error::config("the pipeline has no stage of kind `report`")
            .hint("pipeline.yaml of this project has one, in group `report`")
    })?;
    let id = session.id(stage).to_owned();
    let command = typed::command(&format!("run {}", quoted(&id)));
    let page = session.engine.pipeline.stages[stage].outputs.first();
    let (page, path) = page.ok_or_else(|| Error::failed("the report has no output"))?;
    let path = session.engine.workspace.out.join(path);
    let context = session.context()?;
    let selection = session.select(std::slice::from_ref(&id))?;
    let plan = context.plan(&selection)?;
    let missing = plan.states.iter().filter(|(index, state)| {
        **index != stage && matches!(state, State::Stale(_) | State::Waits(_))
    });
    let missing: Vec<usize> = missing.map(|(index, _)| *index).collect();
    if !missing.is_empty()
        && committed::outdated(&context, &selection)?.is_empty()
        && committed::output(&session, stage, page)?.is_some()
    {
        print_path(call, &session, (stage, &path), args)?;
        terminal::note(&format!(
            "the page as committed; nothing was computed here: {} not run on this machine, `{command}` runs what it shows",
            count(missing.len(), "stage"),
        ));
        return Ok(exit::OK);
    }
    if !missing.is_empty() {
        let mut message = format!(
            "the report shows what {} would make that {} not up to date:",
            count(missing.len(), "stage"),
            if missing.len() == 1 { "is" } else { "are" },
        );
        for &index in missing.iter().take(NAMED) {
            let outputs = session.engine.pipeline.stages[index].outputs.iter();
            let paths = outputs.map(|(_, path)| path.display().to_string());
            let paths = paths.collect::<Vec<_>>().join(", ");
            message += &format!("\n  {}: {paths}", session.id(index));
        }
        if missing.len() > NAMED {
            message += &format!("\n  and {} more", missing.len() - NAMED);
        }
        let short = match (&call.scope.sets[..], &call.scope.profile) {
            // Of a variation often only a part is made.
            ([set], None) => format!(
                "`{}` shows what there is of it beside the page of the repository",
                typed::plain_command(&format!("report --against {}", quoted(set)))
            ),
            _ => format!(
                "`{}` makes only those that the lock does not know, and what they read",
                typed::command(&format!("run --as-recorded {}", quoted(&id)))
            ),
        };
        terminal::report(&Error::failed(message).hint(format!("`{command}` makes them; {short}")));
        return Ok(exit::STALE);
    }
    let code = call.run(&RunArgs::of(&id, args.no_wait))?;
    if code == exit::OK {
        print_path(call, &session, (stage, &path), args)?;
    }
    Ok(code)
}

/// Prints the path of the page, or that of the one that compares.
fn print_path(
    call: &Call,
    session: &Session,
    (stage, path): (usize, &Path),
    args: &ReportArgs,
) -> Result<()> {
    let path = match &args.against {
        None => path.to_owned(),
        Some(word) => {
            let to = args.to.as_deref();
            against::write(call, session, (stage, path), word, to)?
        }
    };
    terminal::print(&format!("{}\n", path.display()));
    Ok(())
}
