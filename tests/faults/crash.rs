//! The real program, killed while stages run: whatever the moment, nothing is half-written, and a
//! plain `run` finishes the work.
//!
//! Histories alternate between two versions of the pipeline, so that a killed run stands amid files
//! of the other one.

use crate::repository::number;
use regex::{Captures, Regex};
use retrace::base::digest::Digest;
use retrace::lock::file::Lock;
use retrace::store::actions::Outputs;
use retrace::store::content::Store;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use icl::math::stream::Stream;

/// More attempts than this for each kill with a stage in flight mean that the moments are chosen badly.
const MAX_ATTEMPTS: usize = 20;
/// Starts in one history before it may end in peace.
const STARTS: usize = 8;
/// Kills come within this share of the time that everything takes: so most come before the end.
const WINDOW: f64 = 0.35;
/// Stages that wait for each other, stages that do not, tables and figures: more would only make a history longer.
const GROUPS: [&str; 2] = ["main", "digits"];
const OUT: &str = ".icl-repro/profiles/smoke";

/// Output paths (below [`OUT`]) and their bytes.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// A folder with the project's pipeline and data, and nothing else.
struct Copy {
    folder: tempfile::TempDir,
}

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for name in ["data/fonts/DejaVuSans.ttf", "data/digits/digits.csv.gz"] {
            let to = folder.path().join(name);
            fs::create_dir_all(to.parent().expect("inside")).expect("a folder");
            fs::copy(root.join(name), to).expect("a copy");
        }
        Copy { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_icl-repro"));
        command
            .args([verb, "--profile", "smoke"])
            .args(GROUPS.map(|group| format!("--group={group}")))
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path());
        command
    }

    fn expect(&self, verb: &str, codes: &[i32]) -> (String, String) {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command(verb).output().expect("it starts");
        let out = String::from_utf8(stdout).expect("UTF-8");
        let err = String::from_utf8(stderr).expect("UTF-8");
        assert!(
            codes.contains(&status.code().unwrap_or(-1)),
            "{verb}: {status}\n{out}\n{err}"
        );
        (out, err)
    }

    fn outputs(&self) -> Files {
        let out = self.path(OUT);
        let files = ["figures", "artifacts"].map(|folder| files_below(&out.join(folder)));
        files
            .concat()
            .into_iter()
            .map(|path| {
                (
                    path.strip_prefix(&out).expect("below").to_owned(),
                    fs::read(&path).expect("a file"),
                )
            })
            .collect()
    }

    /// Stages whose scratch folders are there: after a kill, those that were in flight.
    fn in_flight(&self) -> BTreeSet<PathBuf> {
        let Ok(entries) = fs::read_dir(self.path(".icl-repro/scratch")) else {
            return BTreeSet::new();
        };
        entries
            .map(|entry| entry.expect("readable").path())
            .collect()
    }

    /// Nothing is half-written: each file is whole or not there.
    fn check_after_kill(&self, versions: &[Files]) {
        Lock::read(&self.path(OUT).join("pipeline.lock")).expect("a whole lock or none");
        for (path, bytes) in self.outputs() {
            let whole = versions
                .iter()
                .any(|version| version.get(&path) == Some(&bytes));
            assert!(
                whole || is_temporary(&path),
                "{} is half-written",
                path.display()
            );
        }
        let store = Store::open(&self.path(".icl-repro"), true).expect("readable");
        for (path, name) in store.objects().expect("readable") {
            let (found, _) = Digest::of_file(&path).expect("readable");
            assert_eq!(Some(found), name, "{}", path.display());
        }
        // A line is written in one piece and last: it is whole, and what it promises is there.
        let log = fs::read_to_string(self.path(".icl-repro/actions.log")).unwrap_or_default();
        let written = log
            .lines()
            .skip(1)
            .filter_map(|line| line.split(' ').next());
        let results: BTreeMap<String, Outputs> = store
            .results()
            .into_iter()
            .map(|(key, action)| (key.to_string(), action.outputs))
            .collect();
        for key in written {
            assert!(results.contains_key(key), "the line of {key} is damaged");
        }
        let mut promised = results.values().flat_map(BTreeMap::values);
        assert!(promised.all(|&output| store.holds(output)));
        let (found, _) = self.expect("verify", &[0, 3]);
        assert!(!found.contains("damaged"), "{found}");
    }
}

fn is_temporary(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.expect("readable").path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files_below(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// The project's pipeline without its last parts and with fewer items on its longest axes, so that a history
/// ends soon.
fn pipeline() -> String {
    const TARGETS: [&str; 6] = ["0_vs_1", "2_vs_3", "3_vs_4", "4_vs_5", "6_vs_7", "8_vs_9"];
    const CONFIGS: [&str; 2] = ["h1_l1_sgd", "h1_l1_adam"];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipeline.yaml");
    let text = fs::read_to_string(path).expect("the pipeline");
    // The report names figures that would not be there, and claims rest on what is cut.
    let text = cut(&text, "  report: [report]\n", "\nstages:");
    let text = cut(
        &text,
        "  # ---- claims\n",
        "  # ---- figures of the ledger\n",
    );
    let text = cut(&text, "  # ---- depth\n", "  # ---- digits\n");
    let text = cut(&text, "  depth: [", "\nstages:");
    let text = cut(&text, "  # ---- bridge\n", "  # ---- report\n");
    let text = cut(&text, "    vars.words_seeds: ", "\n# In the order");
    let text = replaced(&text, "closed_forms, claims, ", "");
    let text = text.replace("[0, 1, 5, 6, 7]", "[0]");
    let (text, _) = text
        .split_once("\n  report:\n")
        .expect("the report is the last stage");
    let seeds = Regex::new(r"&(heads_)?seeds \[[0-9, ]+\]").expect("a pattern");
    assert_eq!(seeds.find_iter(text).count(), 2);
    let text = seeds.replace_all(text, "&${1}seeds [0, 1, 2]");
    let target = Regex::new(r"(\d_vs_\d): \{seed: \d+\},?\s*").expect("a pattern");
    let is_kept = |label: &str| TARGETS.contains(&label);
    let fewer = target.replace_all(&text, |found: &Captures| match is_kept(&found[1]) {
        true => found[0].to_owned(),
        false => String::new(),
    });
    assert_eq!(target.find_iter(&fewer).count(), TARGETS.len());
    let config = Regex::new(r"^\s+(h\d_l\d_\w+): (&one )?\{").expect("a pattern");
    let kept = |line: &&str| {
        let label = config.captures(line).map(|found| found[1].to_owned());
        label.is_none_or(|label| CONFIGS.contains(&&*label))
    };
    let lines: Vec<&str> = fewer.lines().filter(kept).collect();
    assert!(
        lines.len() < fewer.lines().count(),
        "both axes are as they were"
    );
    lines.join("\n") + "\n"
}

/// Without what begins with `from`, up to `to`.
fn cut(text: &str, from: &str, to: &str) -> String {
    let start = text.find(from).unwrap_or_else(|| panic!("{from}"));
    let end = text[start..].find(to).unwrap_or_else(|| panic!("{to}"));
    text[..start].to_owned() + &text[start + end..]
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

#[test]
fn a_kill_at_any_moment_loses_at_most_what_is_in_flight() {
    // With at least one stage in flight, over all histories.
    let wanted = number("ICL_REPRO_KILLS", 60);
    let yaml = [
        pipeline(),
        replaced(&pipeline(), "\n  noise_var: 0.1", "\n  noise_var: 0.2"),
    ];
    let mut longest = Duration::ZERO;
    let versions = yaml.clone().map(|yaml| {
        let copy = Copy::new();
        fs::write(copy.path("pipeline.yaml"), yaml).expect("a file");
        let start = Instant::now();
        copy.expect("run", &[0]);
        longest = longest.max(start.elapsed());
        copy.outputs()
    });
    assert_ne!(versions[0], versions[1]);

    let copy = Copy::new();
    let mut random = Stream::new(0, "moments of kills", &[]);
    let (mut kills, mut attempts, mut histories) = (0, 0, 0);
    while kills < wanted {
        let version = histories % yaml.len();
        fs::write(copy.path("pipeline.yaml"), &yaml[version]).expect("a file");
        // Every third history starts from nothing; the others run again over what is there.
        let forgotten = if histories % 3 == 0 {
            ".icl-repro"
        } else {
            ".icl-repro/actions.log"
        };
        let forgotten = copy.path(forgotten);
        let _ = match forgotten.is_dir() {
            true => fs::remove_dir_all(forgotten),
            false => fs::remove_file(forgotten),
        };
        // A stage that takes longer than any moment would never end: a history has an end.
        for _ in 0..STARTS {
            attempts += 1;
            assert!(
                attempts < MAX_ATTEMPTS * wanted,
                "{kills} kills in {attempts} attempts"
            );
            let before = copy.in_flight();
            let mut child = start(&copy);
            std::thread::sleep(longest.mul_f64(random.uniform() * WINDOW));
            child.kill().expect("it is ours");
            let status = child.wait().expect("it is ours");
            if status.signal().is_none() {
                assert!(status.success(), "{status}");
                break;
            }
            kills += usize::from(copy.in_flight().difference(&before).next().is_some());
            copy.check_after_kill(&versions);
        }
        histories += 1;
        copy.expect("run", &[0]);
        let (found, _) = copy.expect("verify", &[0]);
        assert!(found.contains("equal the lock"), "{found}");
        assert_eq!(
            copy.in_flight(),
            BTreeSet::new(),
            "scratch folders of killed runs are cleared"
        );
        let left = files_below(&copy.path(".icl-repro"));
        let left: Vec<_> = left.iter().filter(|path| is_temporary(path)).collect();
        assert!(left.is_empty(), "{left:?}");
        let same = copy.outputs() == versions[version];
        assert!(same, "the outputs are those of an undisturbed run");
    }
    eprintln!("{kills} kills with stages in flight of {attempts} starts in {histories} histories");
}

fn start(copy: &Copy) -> Child {
    let mut command = copy.command("run");
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts")
}

#[test]
fn ctrl_c_keeps_what_is_finished_and_the_next_run_continues() {
    let copy = Copy::new();
    // Pretraining takes for ever, beside it other stages end.
    let endless = replaced(
        &pipeline(),
        "    vars.steps: 40\n",
        "    vars.steps: 40\n    pretrain@0.training.steps: 5000000\n",
    );
    fs::write(copy.path("pipeline.yaml"), endless).expect("a file");
    let mut command = copy.command("run");
    command
        .args(["-j", "2"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut lines = BufReader::new(child.stderr.take().expect("piped"))
        .lines()
        .map(|line| line.expect("UTF-8"));
    let (mut running, mut finished) = (false, BTreeSet::new());
    let mut hear = |line: &str, finished: &mut BTreeSet<String>| {
        let id = line
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned();
        running |= id == "pretrain@0" && line.contains(" runs: ");
        if line.contains(" done in ") {
            finished.insert(id);
        }
        running && !finished.is_empty()
    };
    let ready = lines.by_ref().any(|line| hear(&line, &mut finished));
    assert!(ready, "pretraining runs and another stage is done");
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.expect("kill is there").success());
    let mut rest = String::new();
    for line in lines {
        hear(&line, &mut finished);
        rest += &(line + "\n");
    }
    let status = child.wait().expect("it is ours");
    let mut out = String::new();
    child
        .stdout
        .take()
        .expect("piped")
        .read_to_string(&mut out)
        .expect("UTF-8");
    assert_eq!(status.code(), Some(130), "{out}{rest}");
    assert!(
        rest.contains("interrupted: stopping the stages that run"),
        "{rest}"
    );
    assert!(
        rest.contains("interrupted: what is finished is kept"),
        "{rest}"
    );
    assert!(
        out.contains("not reached") && !out.contains("failed"),
        "{out}"
    );
    assert_eq!(copy.in_flight(), BTreeSet::new());

    fs::write(copy.path("pipeline.yaml"), pipeline()).expect("a file");
    let (_, err) = copy.expect("run", &[0]);
    let ran: BTreeSet<&str> = err
        .lines()
        .filter(|line| line.contains(" runs: "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(ran.contains("pretrain@0"), "{err}");
    assert!(
        finished.iter().all(|id| !ran.contains(id.as_str())),
        "{finished:?} ran again\n{err}"
    );
    copy.expect("verify", &[0]);
}
