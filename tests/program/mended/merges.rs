//! A lock that git merged, or could not merge, or that is damaged: the stages that it does not record are
//! stale, and all others are as they were.

use crate::repository::{PROGRAM, Repository, said};
use crate::toy::{Ask, Repo};
use icl::math::stream::Stream;
use retrace::lock::file::{Block, Lock, LockFile};
use retrace::run::plan::{Reason, State};
use retrace::upkeep::verify::{Finding, verify};
use std::path::Path;
use std::process::{Command, Output};

const STAGES: usize = 8;

/// Stages with room between them, each a little edit away from its neighbours; `d` reads `c`.
fn yaml() -> String {
    let mut text = String::from("version: 2\nstages:\n");
    for id in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let inputs = if id == "d" {
            ", inputs: {parts: c.out}"
        } else {
            ""
        };
        text += &format!(
            "  {id}: {{kind: join, params: {{text: {id}}}{inputs}, outputs: {{out: figures/{id}.txt}}}}\n\n\n\n\n\n\n"
        );
    }
    text
}

struct Branches {
    repo: Repo,
}

impl Branches {
    /// Everything made and committed, with settings of git.
    fn new(config: &[(&str, &str)]) -> Self {
        let branches = Branches {
            repo: Repo::new(&yaml()),
        };
        branches.git(&["init", "--quiet", "--initial-branch=main"]);
        for (name, value) in config {
            branches.git(&["config", name, value]);
        }
        branches.repo.write(".gitignore", "/.icl-repro/\n");
        branches.commit("start");
        branches
    }

    fn output(&self, args: &[&str]) -> Output {
        let mut command = Command::new("git");
        command
            .current_dir(self.repo.folder.path())
            .env_clear()
            .env("HOME", self.repo.folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_EDITOR", "true")
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
            .args(args);
        command.output().expect("git starts")
    }

    fn git(&self, args: &[&str]) {
        let output = self.output(args);
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {err}");
    }

    /// Runs what there is and commits what came out.
    fn commit(&self, message: &str) {
        self.repo.run(&Ask::default()).expect("it runs");
        self.repo.take_runs();
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    fn edit(&self, from: &str, to: &str) {
        let text = self.repo.read("pipeline.yaml");
        assert!(text.contains(from), "{from}");
        self.repo.write("pipeline.yaml", &text.replace(from, to));
    }

    /// Edits on a branch of their own and commits.
    fn on_branch(&self, name: &str, edits: &[(&str, &str)]) {
        self.git(&["checkout", "--quiet", "-b", name, "main"]);
        for (from, to) in edits {
            self.edit(from, to);
        }
        self.commit(name);
    }
}

fn file(repo: &Repo) -> LockFile {
    LockFile::at(repo.path("pipeline.lock"))
}

/// Ids of the stages that are not recorded, sorted, after checking that they and no others are stale,
/// that looking writes nothing, and that a run writes a whole lock.
fn not_recorded(repo: &Repo) -> Vec<String> {
    let before = repo.read("pipeline.lock");
    let found = file(repo);
    let recorded = found.get().expect("it can be read").clone();
    let mut missing = Vec::new();
    repo.with(&Ask::default(), |context| {
        let verified = verify(context, &context.pipeline.select(&[], &[])?)?;
        for finding in &verified.findings {
            if let Finding::Unreadable { stage, .. } | Finding::Unrecorded { stage, .. } = finding {
                missing.push(context.pipeline.stages[*stage].id.clone());
            }
        }
        // Of several lines of a stage, the one that has its key is its own.
        assert!(missing.iter().all(|id| !recorded.stages.contains_key(id)));
        let is_whole = found.problems()?.is_empty();
        assert_eq!(verified.findings.is_empty(), is_whole && missing.is_empty());
        Ok(())
    })
    .expect("it opens");
    assert_eq!(repo.read("pipeline.lock"), before, "looking writes nothing");
    let summary = repo.run(&Ask::default()).expect("it runs");
    assert!(
        summary.differing.is_empty() && summary.failed.is_empty(),
        "{summary:?}"
    );
    let whole = Lock::read(&repo.path("pipeline.lock")).expect("a whole lock");
    for (id, block) in recorded.stages {
        if let Some(now) = whole.stages.get(&id).filter(|now| now.key == block.key) {
            assert_eq!(now.outputs, block.outputs, "{id}");
        }
    }
    let again = repo.run(&Ask::default()).expect("it runs");
    assert!(!again.wrote_lock && again.ran == 0, "{again:?}");
    missing
}

#[test]
fn branches_that_touched_different_stages_merge_into_a_lock_that_is_read() {
    let note = |id: &str| {
        (
            format!("{{text: {id}}}"),
            format!("{{text: {id}, note: new}}"),
        )
    };
    let [b, c, g, a, h] = ["b", "c", "g", "a", "h"].map(note);
    let pair = |n: &'static str, p: &(String, String)| (n, vec![(p.0.clone(), p.1.clone())]);
    let cases = [
        [pair("far", &b), pair("apart", &g)],
        [pair("next", &b), pair("door", &c)],
        [pair("first", &a), pair("last", &h)],
        // One takes a stage away, one gives a name, one adds.
        [
            pair("renames", &("  f: ".into(), "  z: ".into())),
            pair("edits", &b),
        ],
        [
            pair("moves", &("figures/g.txt".into(), "figures/new.txt".into())),
            pair("edits", &a),
        ],
        [
            pair("adds", &("  h: ".into(), "  i: {kind: join, params: {text: i}, outputs: {out: figures/i.txt}}\n\n\n\n\n\n  h: ".into())),
            pair("edits", &b),
        ],
    ];
    for style in ["merge", "diff3", "zdiff3"] {
        for [(one, ours), (other, theirs)] in &cases {
            let branches = Branches::new(&[("merge.conflictStyle", style)]);
            for (name, edits) in [(one, ours), (other, theirs)] {
                let edits: Vec<_> = edits
                    .iter()
                    .map(|(a, b)| (a.as_str(), b.as_str()))
                    .collect();
                branches.on_branch(name, &edits);
            }
            branches.output(&["merge", one]);
            let repo = &branches.repo;
            assert!(
                !repo.read("pipeline.yaml").contains("<<<"),
                "only the lock may conflict"
            );
            let missing = not_recorded(repo);
            assert_eq!(missing, Vec::<String>::new(), "{style}: {one} into {other}");
        }
    }
}

#[test]
fn only_stages_that_both_sides_changed_are_not_recorded() {
    for (style, rebases) in [("merge", false), ("diff3", false), ("zdiff3", true)] {
        let branches = Branches::new(&[("merge.conflictStyle", style)]);
        branches.on_branch(
            "one",
            &[
                ("{text: c}", "{text: c, note: one}"),
                ("{text: g}", "{text: g, note: one}"),
            ],
        );
        branches.on_branch(
            "two",
            &[
                ("{text: c}", "{text: c, note: two}"),
                ("{text: a}", "{text: a, note: two}"),
            ],
        );
        branches.output(&[if rebases { "rebase" } else { "merge" }, "one"]);
        let repo = &branches.repo;
        assert!(repo.read("pipeline.lock").contains("<<<<<<<"));
        branches.git(&["checkout", "--ours", "--", "pipeline.yaml"]);
        let found = file(repo);
        assert!(
            !found
                .get()
                .expect("it can be read")
                .stages
                .contains_key("c")
        );
        assert!(
            found
                .problem_of("c")
                .expect("why")
                .contains("both sides of a merge")
        );
        // What the merge comes to is neither side's.
        let ours = if rebases { "note: one}" } else { "note: two}" };
        branches.edit(&format!("{{text: c, {ours}"), "{text: c, note: both}");
        for (id, text) in [("a", "two"), ("g", "one")] {
            let edited = format!("{{text: {id}, note: {text}}}");
            if !repo.read("pipeline.yaml").contains(&edited) {
                branches.edit(&format!("{{text: {id}}}"), &edited);
            }
        }
        let missing = not_recorded(repo);
        assert_eq!(missing, ["c"], "{style}");
    }
}

#[test]
fn code_that_both_sides_changed_leaves_what_was_not_made_by_it() {
    let mut branches = Branches::new(&[]);
    branches.git(&["checkout", "--quiet", "-b", "one"]);
    branches.repo.code = "2".into();
    branches.commit("code");
    branches.repo.code = "1".into();
    branches.on_branch("two", &[("{text: b}", "{text: b, note: two}")]);
    branches.output(&["merge", "one"]);
    branches.repo.code = "2".into();
    // Only `b` was changed by both: by its code, and by its note.
    assert_eq!(not_recorded(&branches.repo), ["b"]);
    // A block that one side adds refers to code that the other took away.
    let mut branches = Branches::new(&[]);
    branches.git(&["checkout", "--quiet", "-b", "one"]);
    branches.repo.code = "2".into();
    branches.commit("code");
    branches.repo.code = "1".into();
    branches.on_branch(
        "two",
        &[(
            "  h: ",
            "  i: {kind: join, params: {text: i}, outputs: {out: figures/i.txt}}\n\n\n\n\n\n  h: ",
        )],
    );
    branches.output(&["merge", "one"]);
    branches.repo.code = "2".into();
    let states = branches.repo.states();
    let stale = states
        .iter()
        .filter(|(_, state)| *state != State::Fresh && !matches!(state, State::Restore(_)));
    let stale: Vec<&str> = stale.map(|(id, _)| id.as_str()).collect();
    assert_eq!(stale, ["i"], "{states:?}");
    assert_eq!(not_recorded(&branches.repo), Vec::<String>::new());
}

#[test]
fn lines_of_both_sides_are_read_if_they_agree() {
    // A merge that takes the lines of both sides leaves what changed twice.
    let branches = Branches::new(&[]);
    branches
        .repo
        .write(".git/info/attributes", "pipeline.lock merge=union\n");
    branches.on_branch("one", &[("{text: b}", "{text: b, note: one}")]);
    branches.on_branch("two", &[("{text: g}", "{text: g, note: two}")]);
    branches.git(&["merge", "--quiet", "one"]);
    assert_eq!(not_recorded(&branches.repo), Vec::<String>::new());
}

#[test]
fn of_two_lines_of_a_stage_its_own_counts_and_the_file_is_told_of() {
    let branches = Branches::new(&[]);
    let repo = &branches.repo;
    let text = repo.read("pipeline.lock");
    let own = text
        .lines()
        .find(|line| line.starts_with("e "))
        .expect("a line");
    let key = own.split(' ').nth(1).expect("a key");
    let other = own.replace(key, &key.chars().rev().collect::<String>());
    // In either order; what stands twice and says the same is no conflict.
    for lines in [
        format!("{text}{other}\n"),
        text.replace(own, &format!("{other}\n{own}")),
    ] {
        repo.write("pipeline.lock", &lines);
        assert!(
            file(repo)
                .problem_of("e")
                .expect("told")
                .contains("has its key")
        );
        assert_eq!(not_recorded(repo), Vec::<String>::new());
        assert_eq!(repo.read("pipeline.lock"), text);
    }
    repo.write("pipeline.lock", &format!("{text}{own}\n"));
    assert!(file(repo).problems().expect("readable").is_empty());
}

#[test]
fn a_lock_of_which_nothing_is_sure_is_refused_with_what_helps_and_left_alone() {
    let branches = Branches::new(&[]);
    branches.on_branch("one", &[("{text: c}", "{text: c, note: one}")]);
    branches.on_branch("two", &[("{text: c}", "{text: c, note: two}")]);
    branches.output(&["merge", "one"]);
    branches.git(&["checkout", "--ours", "--", "pipeline.yaml"]);
    let repo = &branches.repo;
    let merged = repo.read("pipeline.lock");
    let cut = merged.find(">>>>>>>").expect("a marker");
    let newer = merged.replacen("<<<<<<<", "\u{0}<<<<<<<", 1);
    for (text, hint) in [
        // A marker without its end; the file is still unmerged.
        (&merged[..cut], "git checkout --ours pipeline.lock"),
        ("", "git checkout HEAD -- pipeline.lock"),
        ("{", "git checkout HEAD -- pipeline.lock"),
        ("words\n", "git checkout HEAD -- pipeline.lock"),
        (&newer[newer.len() / 2..], "git checkout"),
    ] {
        repo.write("pipeline.lock", text);
        let error = repo.run(&Ask::default()).expect_err("it cannot be read");
        let given = error.hint.expect("a hint");
        assert!(given.contains(hint), "{given}");
        assert_eq!(repo.read("pipeline.lock"), text, "it is left alone");
    }
    // Every command of the hints works while git calls the file unmerged.
    for args in [
        ["checkout", "--ours", "pipeline.lock"],
        ["checkout", "--theirs", "pipeline.lock"],
    ] {
        repo.write("pipeline.lock", &merged[..cut]);
        branches.git(&args);
        Lock::read(&repo.path("pipeline.lock")).expect("a whole lock");
    }
    repo.write("pipeline.lock", &merged[..cut]);
    branches.git(&["checkout", "HEAD", "--", "pipeline.lock"]);
    Lock::read(&repo.path("pipeline.lock")).expect("a whole lock");
}

#[test]
fn a_block_of_an_unknown_kind_or_stage_concerns_nobody_else() {
    let branches = Branches::new(&[]);
    let repo = &branches.repo;
    let path = repo.path("pipeline.lock");
    let whole = Lock::read(&path).expect("a lock");
    let mut strange = whole.clone();
    let mut alien = strange.stages["b"].clone();
    let nonsense = |block: &mut Block| {
        block.parts.as_mut().expect("known").kind = "nonsense".into();
    };
    nonsense(&mut alien);
    strange.stages.insert("alien".into(), alien);
    nonsense(strange.stages.get_mut("c").expect("c"));
    strange.write(&path).expect("written");
    let verified = repo.with(&Ask::default(), |context| {
        verify(context, &context.pipeline.select(&[], &[])?)
    });
    let findings = verified.expect("it can be verified").findings;
    // What explains a key is no evidence.
    assert!(findings.is_empty(), "{findings:?}");
    let summary = repo.run(&Ask::default()).expect("it runs");
    assert!(
        summary.differing.is_empty() && summary.ran == 0,
        "{summary:?}"
    );
    assert_eq!(Lock::read(&path).expect("a lock"), whole);
}

#[test]
fn whatever_happens_to_one_line_costs_few_stages_or_is_refused() {
    let branches = Branches::new(&[]);
    let repo = &branches.repo;
    let path = repo.path("pipeline.lock");
    let whole = Lock::read(&path).expect("a lock");
    let bytes = std::fs::read(&path).expect("a lock");
    let text = String::from_utf8(bytes.clone()).expect("UTF-8");
    let lines: Vec<&str> = text.lines().collect();
    let mut random = Stream::new(0, "damaged locks", &[]);
    let mut below = |end: usize| ((random.uniform() * end as f64) as usize).min(end - 1);
    let (mut read, mut refused) = (0, 0);
    let mut check = |what: String, damaged: &[u8]| match Lock::salvage("pipeline.lock", damaged) {
        Ok((lock, problems)) => {
            read += 1;
            let lost: Vec<&String> = whole
                .stages
                .keys()
                .filter(|id| !lock.stages.contains_key(*id))
                .collect();
            // A line that ends one block and starts the next costs both.
            assert!(lost.len() <= 2, "{what}: {lost:?}");
            for id in lost.iter().take(1) {
                let known = lock.stages.len() + lost.len() > whole.stages.len();
                let named = problems.iter().any(|p| p.stage.as_ref() == Some(*id));
                // A line that is gone leaves nothing that could tell: to `verify` the stage is not recorded.
                assert!(
                    known || named || !problems.is_empty() || what.ends_with("gone"),
                    "{what}: {id} is lost in silence"
                );
            }
        }
        Err(error) => {
            refused += 1;
            assert!(error.message.contains("pipeline.lock"), "{what}: {error}");
        }
    };
    for n in 0..lines.len() {
        for (how, new) in [
            ("gone", None),
            ("another", Some("<?>")),
            ("twice", Some(lines[n])),
        ] {
            let mut edited = lines.clone();
            match (how, new) {
                ("twice", _) => edited.insert(n, lines[n]),
                (_, Some(new)) => edited[n] = new,
                (_, None) => drop(edited.remove(n)),
            }
            check(
                format!("line {} {how}", n + 1),
                (edited.join("\n") + "\n").as_bytes(),
            );
        }
    }
    for _ in 0..2000 {
        let mut damaged = bytes.clone();
        let (at, bit) = (below(bytes.len()), below(8));
        damaged[at] ^= 1 << bit;
        check(format!("byte {at} bit {bit}"), &damaged);
    }
    eprintln!("{read} damaged locks read, {refused} refused");
    assert!(read > 10 * refused);
}

#[test]
fn other_line_ends_and_a_mark_of_the_encoding_are_no_damage() {
    let branches = Branches::new(&[]);
    let repo = &branches.repo;
    let text = repo.read("pipeline.lock");
    let whole = Lock::parse("pipeline.lock", text.as_bytes()).expect("a lock");
    for other in [text.replace('\n', "\r\n"), format!("\u{feff}{text}")] {
        assert_eq!(
            Lock::parse("pipeline.lock", other.as_bytes()).expect("a lock"),
            whole
        );
    }
    // A digest has one spelling: a large letter is damage.
    let (line, key) = (text.lines().nth(1).expect("a line"), 2..66);
    let large = line.replace(&line[key.clone()], &line[key].to_uppercase());
    assert_ne!(line, large);
    let (_, problems) =
        Lock::salvage("pipeline.lock", text.replace(line, &large).as_bytes()).expect("read");
    assert!(problems[0].why.contains("is no digest"), "{problems:?}");
    // Also where one block is damaged.
    let broken = text.replacen(" out=", " out", 1).replace('\n', "\r\n");
    let (lock, problems) = Lock::salvage("pipeline.lock", broken.as_bytes()).expect("read");
    assert_eq!(lock.stages.len(), STAGES - 1, "{problems:?}");
}

#[test]
fn a_stage_whose_block_is_damaged_says_so_and_one_block_is_written() {
    let branches = Branches::new(&[]);
    let repo = &branches.repo;
    let before = repo.read("pipeline.lock");
    let (start, end) = (
        before.find("\ne ").expect("a line"),
        before.find("\nf ").expect("the next"),
    );
    let damaged = before[..start].to_owned()
        + &before[start..end].replacen("out=", "out", 1)
        + &before[end..];
    repo.write("pipeline.lock", &damaged);
    std::fs::remove_dir_all(repo.path(".icl-repro")).expect("a cache");
    let states = repo.states();
    for (id, state) in states {
        match (id.as_str(), state) {
            ("e", State::Stale(Reason::Unreadable(why))) => {
                assert!(why.contains("is no output"), "{why}")
            }
            ("d", State::Waits(_)) | (_, State::Stale(Reason::NotRunHere)) => {}
            (id, state) => panic!("{id}: {state:?}"),
        }
    }
    assert_eq!(not_recorded(repo), ["e"]);
    assert_eq!(repo.read("pipeline.lock"), before);
}

#[test]
fn the_program_names_what_a_merge_left_open_and_a_run_ends_it() {
    let repository = Repository::new();
    let root = &repository.root;
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]);
        said(command.args(args).current_dir(root).env("HOME", root))
    };
    let commit = |message: &str| {
        git(&[
            "add",
            "--",
            "figures",
            "pipeline.lock",
            "pipeline.keys",
            "pipeline.yaml",
        ]);
        assert_eq!(
            git(&["commit", "--quiet", "--message", message]).code,
            Some(0)
        );
    };
    let edit = |from: &str, to: &str| {
        let yaml = std::fs::read_to_string(root.join("pipeline.yaml")).expect("the pipeline");
        assert!(yaml.contains(from), "{from}");
        std::fs::write(root.join("pipeline.yaml"), yaml.replace(from, to)).expect("a file");
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    repository.expect(0, &["run"]);
    commit("start");
    git(&["checkout", "--quiet", "-b", "other"]);
    edit("last: 2}", "last: 3}");
    edit("{label: Few}", "{label: A few}");
    repository.expect(0, &["run"]);
    commit("other");
    git(&["checkout", "--quiet", "main"]);
    edit("last: 2}", "last: 1}");
    edit("width_pt: 120", "width_pt: 110");
    repository.expect(0, &["run"]);
    commit("main");
    git(&["merge", "other"]);
    git(&["checkout", "--ours", "--", "pipeline.yaml"]);
    let lock = || std::fs::read(root.join("pipeline.lock")).expect("a lock");
    let merged = lock();
    let said = repository.expect(3, &["verify"]);
    assert!(
        said.contains("conflict markers") && said.contains("both sides of a merge"),
        "{said}"
    );
    let said = repository.expect(0, &["status"]);
    assert!(
        Path::new(PROGRAM).is_file() && !said.contains("error"),
        "{said}"
    );
    assert_eq!(lock(), merged, "looking writes nothing");
    // What would throw results away wants to know all that is recorded.
    let refused = repository.run(&["gc", "--max-size", "0"]);
    assert_eq!(refused.code, Some(2), "{}", refused.text);
    assert!(refused.text.contains("icl-repro run"), "{}", refused.text);
    let said = repository.expect(0, &["run"]);
    assert!(
        said.contains("warning: pipeline.lock") && said.contains("losses are not recorded"),
        "{said}"
    );
    repository.expect(0, &["verify"]);
    let said = repository.expect(0, &["run"]);
    assert!(!said.contains("warning"), "{said}");
}
