//! What `run --json` says of a run that has ended, made from its summary and its line in the log.

use crate::answers::input::AbsentInput;
use crate::answers::run::{ComparedOutput, Counts, Differing, Ended, MovedOutput, Renamed};
use crate::pipeline::session::Session;
use retrace::run::leftover::Left;
use retrace::run::settle::Summary;
use retrace::run::tolerant::Compared;
use retrace::store::history::PastRun;
use retrace::store::workspace::Workspace;

/// Of a run in which nothing was to do: all but what names single stages.
pub fn plain(workspace: &Workspace, summary: &Summary, past: &PastRun) -> Ended {
    let out = workspace.out.display().to_string();
    Ended {
        exit_code: past.exit_code,
        seconds: past.seconds,
        summary: past.summary.clone(),
        counts: counts(summary),
        stages: past.stages.clone(),
        differing: Vec::new(),
        compared: Vec::new(),
        renamed: Vec::new(),
        moved: Vec::new(),
        left_out: summary.left_out.clone(),
        absent: summary.absent.iter().map(AbsentInput::of).collect(),
        refused: summary.refused.as_ref().map(ToString::to_string),
        out: (!workspace.publishes()).then_some(out),
        wrote_lock: summary.wrote_lock,
        interrupted: summary.interrupted,
    }
}

/// Of any run; `accepted` says whether outputs that differ were recorded.
pub fn of_run(session: &Session, summary: &Summary, past: &PastRun, accepted: bool) -> Ended {
    let id = |stage: usize| session.id(stage).to_owned();
    let differing = summary.differing.iter();
    let differing = differing.map(|(stage, outputs)| Differing {
        stage: id(*stage),
        outputs: outputs.clone(),
        accepted,
    });
    let compared = summary.compared.iter();
    let renamed = summary.renamed.iter().map(|(stage, old)| Renamed {
        stage: id(*stage),
        from: old.clone(),
    });
    let moved = summary
        .moved
        .iter()
        .map(|(stage, moved, left)| MovedOutput {
            stage: id(*stage),
            from: moved.from.display().to_string(),
            path: moved.to.display().to_string(),
            old_file_left: match left {
                Left::Kept(why) => Some(why.clone()),
                Left::Removed | Left::Nothing => None,
            },
        });
    Ended {
        differing: differing.collect(),
        compared: compared
            .map(|(stage, c)| within(session, *stage, c))
            .collect(),
        renamed: renamed.collect(),
        moved: moved.collect(),
        ..plain(&session.engine.workspace, summary, past)
    }
}

/// An output that was compared within a tolerance.
pub fn within(session: &Session, stage: usize, compared: &Compared) -> ComparedOutput {
    let (Ok(words) | Err(words)) = &compared.outcome;
    ComparedOutput {
        stage: session.id(stage).to_owned(),
        output: compared.output.clone(),
        within: compared.outcome.is_ok(),
        words: words.clone(),
    }
}

fn counts(summary: &Summary) -> Counts {
    let made = summary.fresh + summary.restored + summary.fetched + summary.ran;
    Counts {
        stages: made + summary.failed.len() + summary.skipped,
        fresh: summary.fresh,
        restored: summary.restored,
        fetched: summary.fetched,
        ran: summary.ran,
        failed: summary.failed.len(),
        not_reached: summary.skipped,
        as_recorded: summary.as_recorded + summary.unmade,
        outputs: summary.outputs,
        outputs_equal: summary.outputs_equal,
        outputs_within: summary.outputs_within,
        outputs_moved: summary.outputs_moved,
        outputs_new: summary.outputs_new,
    }
}
