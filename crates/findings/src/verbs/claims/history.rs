//! `claims --history`: from git, in which commits a claim changed, and which results pipeline.lock had then.
//!
//! It shows an order of commits. Nobody can see from it what was looked at without being committed.

use crate::claims::claim::Claim;
use crate::verbs::claims::registered::{Deciders, PARTS, Parts, claims};
use crate::verbs::claims::verdicts::ClaimsArgs;
use crate::verbs::claims::{decided_claims, ledgers};
use retrace::base::error::{Error, Result};
use retrace::lock::file::Lock;
use retrace::store::workspace::{LOCK_FILE, SPEC_FILE};
use retrace_cli::answers::answer;
use retrace_cli::terminal::{self, count};
use retrace_cli::{Answer, Commit, Git, Scope, Session, exit};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The stages that decide a claim, as of today.
type Deciding = BTreeMap<String, BTreeSet<String>>;

/// In which commits claims changed, printed by `claims --history --json`; with a name that claim alone.
#[derive(Serialize, JsonSchema)]
pub struct Histories<'a> {
    /// In the order of pipeline.yaml.
    claims: &'a [History<'a>],
}

impl Answer for Histories<'_> {
    const NAME: &'static str = "claims-history";
    const FORMAT: &'static str = "retrace claims-history 1";
}

/// A commit in which a claim changed.
#[derive(Serialize, JsonSchema)]
struct Changed<'a> {
    commit: &'a str,
    date: &'a str,
    subject: &'a str,
    /// Which of its parts, such as `statement` or `check`; all of them where it was new.
    changed: Vec<&'static str>,
    /// Deciding stages.
    stages: usize,
    /// Those of which pipeline.lock had a line then.
    recorded: usize,
    /// Those of which it had the outputs that it has now.
    as_now: usize,
    /// Whether the committed ledger had a verdict on an earlier text of the claim.
    decided: bool,
}

#[derive(Serialize, JsonSchema)]
struct History<'a> {
    id: &'a str,
    /// Whether, at the last change, pipeline.lock had of no deciding stage the outputs of now, and the ledger
    /// no verdict; none while the present text is not committed.
    registered: Option<bool>,
    changes: Vec<Changed<'a>>,
    /// Whether the working tree has another text than HEAD.
    uncommitted: bool,
}

/// Prints the history of all claims, or of one.
///
/// # Errors
/// There is no git, no repository or no such claim.
pub fn history(session: &Session, scope: &Scope, args: &ClaimsArgs) -> Result<u8> {
    if scope.profile.is_some() || !scope.sets.is_empty() {
        let message =
            "`claims --history` reads what is committed: --profile and --set change nothing there";
        return Err(Error::config(message).hint("leave them out"));
    }
    let ledger = match ledgers::asked(session, args.id.as_deref())?[..] {
        [ledger] => ledger,
        _ => {
            let message = "these groups have several stages of kind `claims`";
            let hint = "`claims --history` is of one: name a claim of it";
            return Err(Error::config(message).hint(hint));
        }
    };
    let present = ledgers::written(session, ledger)?;
    let asked = |claim: &&Claim| args.id.as_ref().is_none_or(|id| claim.id == *id);
    let asked: Vec<&Claim> = present.iter().filter(asked).collect();
    let root = &session.engine.workspace.root;
    let git = Git::open(root)?;
    let commits = git.changing(SPEC_FILE)?;
    let all = deciding(session, ledger, &present);
    let deciders = Deciders {
        ledger: name(session.id(ledger)).to_owned(),
        stages: names(&all),
        apart: match session.engine.pipeline.stages[ledger].opt_in.is_empty() {
            true => apart(session),
            false => BTreeMap::new(),
        },
    };
    let read = Versions::read(&git, &commits, &deciders)?;
    let now = std::fs::read_to_string(root.join(SPEC_FILE))
        .map_err(|e| Error::io("read", &root.join(SPEC_FILE), &e))?;
    let now = claims(&now, &deciders).unwrap_or_default();
    let outputs = &session.engine.pipeline.stages[ledger].outputs;
    let csv = outputs.iter().find(|(name, _)| name == "csv");
    let csv = csv.map_or_else(String::new, |(_, path)| path.display().to_string());
    let known = known(&git, &commits, &read, &asked, &csv)?;
    let found: Vec<History> = asked
        .iter()
        .map(|claim| of_claim(&claim.id, &commits, &read, &now, &known, &all))
        .collect();
    terminal::print(&match args.json {
        true => answer::text(&Histories { claims: &found })?,
        false => in_words(&found, args.id.is_some()),
    });
    let older = read
        .versions
        .iter()
        .filter(|version| version.is_none())
        .count();
    if older > 0 {
        let many = count(older, "commit");
        terminal::note(&format!(
            "{many} of an older format of {SPEC_FILE} could not be read"
        ));
    }
    if let Some(remedy) = git.shallow() {
        terminal::warn(&format!("older changes are missing: {remedy}"));
    }
    terminal::note(
        "this is the order of commits: it shows what was recorded when a text was committed, not that nobody had looked",
    );
    Ok(exit::OK)
}

/// The stages whose outputs a claim's checks read.
fn deciding(session: &Session, ledger: usize, claims: &[Claim]) -> Deciding {
    let stages = &session.engine.pipeline.stages;
    let of_claim = |claim: &Claim| {
        let paper = claim.correction.iter().map(|correction| &correction.paper);
        let checks = claim.checks.iter().chain(paper);
        let quantities = checks.map(|check| &check.quantity);
        let found = decided_claims::deciding(session, ledger, quantities);
        let ids = found.into_iter().map(|stage| stages[stage].id.clone());
        (claim.id.clone(), ids.collect())
    };
    claims.iter().map(of_claim).collect()
}

/// A stage's id without the item of its matrix.
fn name(id: &str) -> &str {
    id.split('@').next().unwrap_or(id)
}

/// The same without the items of matrices.
fn names(deciding: &Deciding) -> BTreeMap<String, Vec<String>> {
    let one = |(claim, ids): (&String, &BTreeSet<String>)| {
        let names: BTreeSet<String> = ids.iter().map(|id| name(id).to_owned()).collect();
        (claim.clone(), names.into_iter().collect())
    };
    deciding.iter().map(one).collect()
}

/// By stage, the items of its axes that only stages of opt-in groups have.
fn apart(session: &Session) -> BTreeMap<String, BTreeSet<String>> {
    let mut items: BTreeMap<&str, [BTreeSet<&str>; 2]> = BTreeMap::new();
    for stage in &session.engine.pipeline.stages {
        if let Some((name, item)) = stage.id.split_once('@') {
            let side = usize::from(!stage.opt_in.is_empty());
            items.entry(name).or_default()[side].extend(item.split(','));
        }
    }
    let only = |(name, [always, asked]): (&str, [BTreeSet<&str>; 2])| {
        let only = asked.difference(&always).map(|item| (*item).to_owned());
        (name.to_owned(), only.collect())
    };
    items.into_iter().map(only).collect()
}

/// The claims of every commit.
struct Versions<'a> {
    versions: Vec<Option<BTreeMap<String, Parts>>>,
    index: BTreeMap<&'a str, usize>,
}

impl<'a> Versions<'a> {
    fn read(git: &Git, commits: &'a [Commit], deciders: &Deciders) -> Result<Versions<'a>> {
        let ids: Vec<&str> = commits
            .iter()
            .map(|commit| commit.commit.as_str())
            .collect();
        let read = |bytes: Option<Vec<u8>>| match bytes {
            Some(bytes) => claims(&String::from_utf8_lossy(&bytes), deciders),
            None => Some(BTreeMap::new()),
        };
        let files = git.versions(&ids, SPEC_FILE)?;
        Ok(Versions {
            versions: files.into_iter().map(read).collect(),
            index: ids
                .into_iter()
                .enumerate()
                .map(|(at, id)| (id, at))
                .collect(),
        })
    }

    /// Which parts of a claim differ from every commit before this one; none where it does not have it
    /// or cannot be read.
    fn changed(&self, at: usize, commit: &Commit, id: &str) -> Vec<&'static str> {
        let Some(own) = self.parts(at, id) else {
            return Vec::new();
        };
        let parents = commit
            .parents
            .iter()
            .filter_map(|parent| self.index.get(parent.as_str()));
        let before: Vec<&Parts> = parents
            .filter_map(|&parent| self.parts(parent, id))
            .collect();
        let differs = |part: &usize| before.iter().all(|parts| parts[*part] != own[*part]);
        (0..PARTS.len())
            .filter(differs)
            .map(|part| PARTS[part])
            .collect()
    }

    fn parts(&self, at: usize, id: &str) -> Option<&Parts> {
        self.versions[at].as_ref()?.get(id)
    }
}

/// What a commit has recorded.
struct Known {
    lock: Lock,
    /// The table of verdicts, a line for each.
    verdicts: String,
}

/// What was recorded in the commits in which an asked claim changed, and in HEAD; `csv` is where the
/// verdicts are.
fn known<'a>(
    git: &Git,
    commits: &'a [Commit],
    read: &Versions,
    asked: &[&Claim],
    csv: &str,
) -> Result<BTreeMap<&'a str, Known>> {
    let changes = |at: &usize| {
        let mut ids = asked.iter().map(|claim| &claim.id);
        ids.any(|id| !read.changed(*at, &commits[*at], id).is_empty())
    };
    let changing = (0..commits.len()).filter(changes);
    let mut names: Vec<&str> = changing.map(|at| commits[at].commit.as_str()).collect();
    names.push("HEAD");
    let files = git.versions(&names, LOCK_FILE)?;
    let verdicts = git.versions(&names, csv)?;
    let mut found = BTreeMap::new();
    for ((name, lock), verdicts) in names.into_iter().zip(files).zip(verdicts) {
        let lock = lock.and_then(|bytes| Lock::salvage(LOCK_FILE, &bytes).ok());
        let lock = lock.map_or_else(Lock::default, |(lock, _)| lock);
        let verdicts = String::from_utf8_lossy(&verdicts.unwrap_or_default()).into_owned();
        found.insert(name, Known { lock, verdicts });
    }
    Ok(found)
}

fn of_claim<'a>(
    id: &'a str,
    commits: &'a [Commit],
    read: &Versions,
    now: &BTreeMap<String, Parts>,
    known: &BTreeMap<&str, Known>,
    deciding: &Deciding,
) -> History<'a> {
    let stages = &deciding[id];
    let head = known.get("HEAD");
    let mut changes = Vec::new();
    for (at, commit) in commits.iter().enumerate() {
        let changed = read.changed(at, commit, id);
        if changed.is_empty() {
            continue;
        }
        let then = known.get(commit.commit.as_str());
        let recorded = stages.iter().filter_map(|stage| {
            let block = then?.lock.stages.get(stage)?;
            Some((stage, block))
        });
        let recorded: Vec<_> = recorded.collect();
        let as_now = recorded.iter().filter(|(stage, block)| {
            let now = head.and_then(|head| head.lock.stages.get(*stage));
            let digests = |block: &retrace::lock::block::Block| -> Vec<_> {
                block.outputs.values().map(|output| output.digest).collect()
            };
            now.is_some_and(|now| digests(now) == digests(block))
        });
        changes.push(Changed {
            commit: &commit.commit,
            date: &commit.date,
            subject: &commit.subject,
            changed,
            stages: stages.len(),
            recorded: recorded.len(),
            as_now: as_now.count(),
            decided: then.is_some_and(|then| has_verdict(&then.verdicts, id)),
        });
    }
    let committed = commits.first().and_then(|_| read.parts(0, id));
    let uncommitted = committed != now.get(id);
    let last = changes
        .first()
        .map(|change| change.as_now == 0 && !change.decided);
    History {
        id,
        registered: last.filter(|_| !uncommitted),
        changes,
        uncommitted,
    }
}

fn in_words(found: &[History], whole: bool) -> String {
    let mut text = String::new();
    for history in found {
        let standing = match (history.registered, history.changes.first()) {
            (_, _) if history.uncommitted => "its present text is not committed yet",
            (Some(true), _) => "registered before the run",
            (Some(false), Some(last)) if last.as_now == 0 => {
                "last changed when an earlier text was decided"
            }
            (Some(false), Some(last)) if last.recorded < last.stages => {
                "last changed when some results were recorded"
            }
            (Some(false), _) => "last changed when all results were recorded",
            (None, _) => "in no commit that can be read",
        };
        let _ = writeln!(text, "{}: {standing}", history.id);
        for change in &history.changes {
            let short = &change.commit[..change.commit.len().min(8)];
            let changed = match change.changed.len() == PARTS.len() {
                true => "new".to_owned(),
                false => change.changed.join(", "),
            };
            let _ = writeln!(
                text,
                "  {} {short}  {changed}; pipeline.lock had {}",
                change.date,
                recorded(change)
            );
            if whole {
                let _ = writeln!(text, "    {}", change.subject);
            }
        }
    }
    text
}

/// `24 of 24 deciding stages, 12 with the outputs of now`.
fn recorded(change: &Changed) -> String {
    let of = count(change.stages, "deciding stage");
    let verdict = if change.decided {
        "; a verdict was recorded"
    } else {
        ""
    };
    match change.recorded {
        0 => format!("none of {of}{verdict}"),
        some => format!(
            "{some} of {of}, {} with the outputs of now{verdict}",
            change.as_now
        ),
    }
}

/// Whether a table has a row of a claim.
fn has_verdict(table: &str, id: &str) -> bool {
    let first = |line: &str| {
        line.split(',')
            .next()
            .map(|cell| cell.trim_matches('"').to_owned())
    };
    table.lines().any(|line| first(line).as_deref() == Some(id))
}
