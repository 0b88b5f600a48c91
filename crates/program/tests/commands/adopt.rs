//! Verb `adopt`: what is there runs watched, and the pipeline that was seen runs to its end.

use crate::folder::Folder;

/// DVC's first example, see the head of its dvc.yaml.
const DVC: [(&str, &str); 7] = [
    ("dvc.yaml", include_str!("dvc/dvc.yaml")),
    ("params.yaml", include_str!("dvc/params.yaml")),
    ("src/values.py", include_str!("dvc/src/values.py")),
    ("src/prepare.py", include_str!("dvc/src/prepare.py")),
    ("src/featurize.py", include_str!("dvc/src/featurize.py")),
    ("src/train.py", include_str!("dvc/src/train.py")),
    ("src/evaluate.py", include_str!("dvc/src/evaluate.py")),
];

/// Posts of which those with one tag have words of their own.
fn posts() -> String {
    let words = ["frame", "plot", "vector", "list", "class", "string"];
    let mut text = String::from("<posts>\n");
    for post in 0..80 {
        let is_r = post % 3 == 0;
        let own = if is_r {
            words[post % 2]
        } else {
            words[3 + post % 3]
        };
        let tag = if is_r { "&lt;r&gt;" } else { "&lt;python&gt;" };
        text += &format!(
            "  <row Tags=\"{tag}\" Title=\"how to {own} a {} value\" />\n",
            words[post % 6]
        );
    }
    text + "</posts>\n"
}

fn dvc() -> Folder {
    let folder = Folder::with(&DVC);
    folder.write("data/data.xml", posts());
    folder.write("data/stop_words.txt", "the\na\n");
    folder
}

/// The adopted pipeline runs, and then all is fresh.
#[track_caller]
fn runs(folder: &Folder, stages: usize) {
    let said = folder.expect(0, &["run"]);
    assert!(said.contains(&format!("{stages} ran")), "{said}");
    let again = folder.expect(0, &["run"]);
    assert!(again.contains(&format!("{stages} fresh")), "{again}");
    folder.expect(0, &["verify"]);
}

#[test]
fn dvcs_example_is_adopted_and_runs() {
    let folder = dvc();
    // Left by an earlier `dvc repro`: what steps write is out of their sight.
    folder.write("model.json", "old");
    folder.write("data/prepared/train.tsv", "old");
    let said = folder.expect(0, &["adopt"]);
    for words in [
        "pipeline.yaml has 4 stages",
        "step `prepare` read what nobody said: src/values.py",
        "step `train` never read data/stop_words.txt",
        "`persist` of model.json",
        "`template` of eval/plots/roc.csv",
        "`metrics` says how DVC shows",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let text = folder.read("pipeline.yaml");
    for words in [
        "run: [python3, src/prepare.py, data/data.xml]",
        "train: artifacts/data/prepared/train.tsv",
        "inputs: {prepare_test: prepare.test, prepare_train: prepare.train}",
        "metrics: figures/eval/metrics.json",
        "step `train` never read data/stop_words.txt",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // Nothing else was touched.
    assert_eq!(folder.read("model.json"), "old");
    assert!(!folder.at("eval").exists() && !folder.at("data/features").exists());
    runs(&folder, 4);
    let metrics = folder.read("figures/eval/metrics.json");
    assert!(metrics.contains("accuracy"), "{metrics}");
    // What DVC was not told of makes the stages stale that read it, to the one where nothing changes.
    folder.write("src/values.py", DVC[2].1.replace("Reads", "Finds"));
    assert_eq!(folder.ran(), ["featurize", "prepare", "train"]);
    folder.write("params.yaml", DVC[1].1.replace("epochs: 20", "epochs: 5"));
    let ran = folder.ran();
    assert!(
        ran.contains(&"train".to_owned()) && ran.contains(&"evaluate".to_owned()),
        "{ran:?}"
    );
}

#[test]
fn numbered_scripts_run_in_order_and_write_what_they_wrote() {
    let folder = Folder::with(&[
        (
            "analysis/01_clean.py",
            "import os\nfrom tools import rows\nos.makedirs('out', exist_ok=True)\nopen('out/clean.csv', 'w').write('x\\n' + '\\n'.join(rows('data/raw.txt')))\n",
        ),
        (
            "analysis/tools.py",
            "def rows(path):\n    return open(path).read().split()\n",
        ),
        (
            "analysis/02-count.sh",
            "#!/bin/bash\n. analysis/lib.sh\ncount out/clean.csv > out/count.txt\necho counted >> out/run.log\n",
        ),
        ("analysis/lib.sh", "count() { wc -l < \"$1\"; }\n"),
        (
            "analysis/03_join.py",
            "text = open('out/count.txt').read() + open('out/clean.csv').read()\nopen('out/all.md', 'w').write(text)\nopen('out/run.log', 'a').write('joined')\n",
        ),
        ("data/raw.txt", "1 2\n3\n"),
    ]);
    let said = folder.expect(1, &["adopt", "analysis"]);
    assert!(
        said.contains("steps `count` and `join` both write out/run.log"),
        "{said}"
    );
    assert!(said.contains("--leave-out out/run.log"), "{said}");
    assert!(!folder.at("pipeline.yaml").exists());
    let said = folder.expect(0, &["adopt", "analysis", "--leave-out", "out/run.log"]);
    assert!(said.contains("3 stages"), "{said}");
    let text = folder.read("pipeline.yaml");
    assert!(text.contains("run: [bash, analysis/02-count.sh]"), "{text}");
    assert!(text.contains("all: figures/out/all.md"), "{text}");
    runs(&folder, 3);
    assert_eq!(folder.read("figures/out/all.md"), "3\nx\n1\n2\n3");
    assert!(!folder.at("out").exists());
    folder.write("analysis/lib.sh", "count() { wc -c < \"$1\"; }\n");
    assert_eq!(folder.ran(), ["count", "join"]);
}

#[test]
fn commands_of_a_file_may_need_a_shell_and_write_over_what_is_there() {
    let folder = Folder::with(&[
        (
            "run.txt",
            "# sums\nsort -n data/raw.txt > sorted.txt\nawk '{ s += $1 } END { print s }' sorted.txt > ${TARGET:-sum.txt}\npython3 -c 'open(\"last.csv\", \"w\").write(open(\"sum.txt\").read())'\n",
        ),
        ("data/raw.txt", "3\n1\n2\n"),
        ("sum.txt", "from before\n"),
    ]);
    let said = folder.expect(0, &["adopt", "--commands", "run.txt"]);
    assert!(
        said.contains("writes over sum.txt, which the repository has"),
        "{said}"
    );
    runs(&folder, 3);
    assert_eq!(folder.read("figures/last.csv"), "6\n");
    assert_eq!(folder.read("sum.txt"), "from before\n");
    // It is not written over, unless that is asked for.
    let said = folder.expect(2, &["adopt", "--commands", "run.txt"]);
    assert!(
        said.contains("there is a pipeline.yaml already") && said.contains("--force"),
        "{said}"
    );
    let before = folder.read("pipeline.yaml");
    folder.write("pipeline.yaml", "mine");
    folder.expect(0, &["adopt", "--commands", "run.txt", "--force"]);
    assert_eq!(folder.read("pipeline.yaml"), before);
}

#[test]
fn a_step_that_fails_leaves_nothing_and_says_which() {
    let folder = dvc();
    folder.write(
        "src/train.py",
        "import sys\nprint('no memory for it')\nsys.exit(4)\n",
    );
    let said = folder.expect(1, &["adopt"]);
    for words in [
        "dvc.yaml:",
        "step `train`",
        "exit code 4",
        "no memory for it",
        "nothing was written",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let folder = dvc();
    folder.write("src/train.py", "pass\n");
    let said = folder.expect(1, &["adopt"]);
    assert!(
        said.contains("step `train` did not write model.json"),
        "{said}"
    );
    assert!(!folder.at("pipeline.yaml").exists());
    let folder = dvc();
    std::fs::rename(folder.at("data/data.xml"), folder.at("data/data.xml.dvc")).expect("a file");
    let said = folder.expect(1, &["adopt"]);
    assert!(said.contains("`dvc pull data/data.xml.dvc`"), "{said}");
    for (arguments, words) in [
        (&["adopt", "none"][..], "none"),
        (&["adopt", "src"], "no numbered scripts"),
        (&["adopt", "--commands", "none.txt"], "none.txt"),
        (&["adopt", "src/train.py"], "--commands src/train.py"),
        (&["adopt", "--folder", "../x", "src"], "no path below"),
        (&["adopt", "--folder", "src"], "`wdir`"),
    ] {
        let (code, said) = folder.run(arguments);
        assert!(
            matches!(code, Some(1 | 2)) && said.contains(words),
            "{arguments:?}: {said}"
        );
    }
    let entries = std::fs::read_dir(folder.path())
        .expect("a folder")
        .flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
    names.sort();
    assert_eq!(names, ["data", "dvc.yaml", "params.yaml", "src"]);
}
