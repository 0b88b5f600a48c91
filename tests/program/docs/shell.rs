//! Examples of the help, completions, pages of the manual, colours, and how much is said.

use crate::docs::copy::Copy;
use icl_repro::app::app;
use icl_repro::verbs::examples::EXAMPLES;
use retrace_cli::{Shell, examples};
use std::process::Output;

fn verbs() -> Vec<String> {
    let command = app().command();
    let verbs = command.get_subcommands();
    verbs.map(|verb| verb.get_name().to_owned()).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn expect(code: i32, output: Output) -> (String, String) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
    (out, err)
}

#[test]
fn every_example_of_the_help_runs() {
    let mut known: Vec<&str> = EXAMPLES.iter().map(|(verb, _)| *verb).collect();
    let mut verbs = verbs();
    known.sort_unstable();
    verbs.sort_unstable();
    assert_eq!(known, verbs, "every verb has examples, and only verbs have");
    // In one copy: what runs comes after what only looks, and what removes all comes last.
    verbs.sort_by_key(|verb| match verb.as_str() {
        // After `push`, which makes the store.
        "pull" | "run" => 1,
        // After `run`, which makes the variations.
        "compare" | "diff" | "provenance" | "report" | "variations" => 2,
        "gc" => 3,
        "clean" => 4,
        _ => 0,
    });
    let copy = Copy::toy();
    for verb in &verbs {
        let (help, _) = expect(0, copy.run(&[verb, "--help"]));
        for (example, _) in examples::of(EXAMPLES, verb) {
            // A long one goes on after a backslash.
            let help = help.replace(" \\\n      ", " ");
            assert!(help.contains(&format!("icl-repro {example}")), "{help}");
            assert_eq!(example.split(' ').next(), Some(verb.as_str()), "{example}");
            let (code, printed) = copy.bash(&format!("icl-repro {example}"));
            let allowed = match verb.as_str() {
                // A group that runs only when it is asked for has not been run in the copy.
                "claims" if example.contains("--group") => Some(1),
                // At toy scale no claim is decided as recorded.
                "claims" if !example.contains("--history") => Some(4),
                // The profile has not been run in the copy.
                "status" if example.contains("--exit-code") => Some(6),
                _ => Some(0),
            };
            assert_eq!(code, allowed, "icl-repro {example}\n{printed}");
        }
    }
}

#[test]
fn colours_are_for_terminals_and_for_who_asks() {
    let copy = Copy::fresh();
    let painted = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = copy.command(crate::docs::copy::PROGRAM);
        command.args(arguments).envs(variables.iter().copied());
        let output = command.output().expect("the program starts");
        let printed = text(&output.stdout) + &text(&output.stderr);
        assert!(!printed.is_empty());
        printed.contains('\u{1b}')
    };
    let (forced, none) = ([("CLICOLOR_FORCE", "1")], [("NO_COLOR", "1")]);
    for arguments in [
        &["status", "pretrain"][..],
        &["status", "nonsense"],
        &["--help"],
        &["nonsense"],
    ] {
        assert!(!painted(arguments, &[]), "{arguments:?} into a pipe");
        assert!(painted(arguments, &forced), "{arguments:?} forced");
        let always = [&["--color", "always"], arguments].concat();
        assert!(painted(&always, &[]), "{always:?}");
        assert!(painted(&always, &none), "an option outweighs {none:?}");
        let never = [&["--color=never"], arguments].concat();
        assert!(!painted(&never, &forced), "{never:?}");
    }
    let (_, err) = expect(2, copy.run(&["--color", "sometimes", "status"]));
    assert!(err.contains("always") && err.contains("never"), "{err}");
    // JSON stays JSON.
    let (out, _) = expect(0, copy.run(&["status", "--json", "--color", "always"]));
    serde_json::from_str::<serde_json::Value>(&out).expect("JSON");
}

#[test]
fn quiet_says_what_was_asked_for_and_verbose_says_why() {
    let copy = Copy::toy();
    let silent = |arguments: &[&str]| {
        let (out, err) = expect(0, copy.run(arguments));
        assert_eq!((out.as_str(), err.as_str()), ("", ""), "{arguments:?}");
    };
    silent(&["run", "-q"]);
    silent(&["run", "--force", "table_losses", "--quiet"]);
    silent(&["verify", "-q"]);
    silent(&["status", "-q"]);
    silent(&["gc", "-q"]);
    silent(&["man", "-q", "--out", "pages"]);
    let (out, _) = expect(0, copy.run(&["graph", "-q", "tasks@0"]));
    assert_eq!(out, "tasks@0 (tasks)\n", "the answer stays");
    // What is wrong is said, with its exit code.
    std::fs::write(copy.path("figures/train_losses.png"), "no picture").expect("a file");
    let (out, _) = expect(3, copy.run(&["verify", "-q"]));
    assert_eq!(
        out,
        "train_losses: figures/train_losses.png differs from the lock\n"
    );
    let (out, _) = expect(0, copy.run(&["status", "-q"]));
    assert!(
        out.starts_with("modified  train_losses ") && out.lines().count() == 1,
        "{out}"
    );
    let (_, err) = expect(2, copy.run(&["run", "-q", "nonsense"]));
    assert!(err.starts_with("error: "), "{err}");

    let (out, err) = expect(0, copy.run(&["run", "-v", "pretrain@0"]));
    assert!(out.starts_with("1 stage: 1 fresh;"), "{out}");
    for line in [
        "pipeline: ",
        "lock:     ",
        "outputs:  ",
        "cache:    ",
        "pretrain@0 fresh",
    ] {
        assert!(
            err.lines().any(|found| found.starts_with(line)),
            "{line}\n{err}"
        );
    }
    let set = "vars.optimizer={sgd: {learning_rate: 0.5, momentum: 0.5}}";
    let more = [
        "--set",
        set,
        "--set",
        "pretrain.training.steps=3",
        "--set",
        "pretrain.init_std=1",
    ];
    let (short, _) = expect(
        0,
        copy.run(&[&["status", "pretrain@0"], &more[..]].concat()),
    );
    let (long, _) = expect(
        0,
        copy.run(&[&["status", "pretrain@0", "-v"], &more[..]].concat()),
    );
    assert!(
        short.contains("; and 1 more") && !long.contains("more"),
        "{short}{long}"
    );
    assert_eq!(long.matches("param ").count(), 4, "{long}");
    expect(2, copy.run(&["-q", "-v", "status"]));
}

/// What bash completes a line with, which ends at the cursor. As bash does, it hands over the words in parts: those
/// of its own characters and the others.
fn completed(copy: &Copy, line: &str) -> Vec<String> {
    let is_apart = |c: char| "@=:".contains(c);
    let mut parts: Vec<String> = Vec::new();
    for word in line.split(' ') {
        let mut last = None;
        for c in word.chars() {
            match last.replace(is_apart(c)) {
                Some(apart) if apart == is_apart(c) => parts.last_mut().expect("a part").push(c),
                _ => parts.push(c.into()),
            }
        }
        if word.is_empty() {
            parts.push(String::new());
        }
    }
    let quoted: Vec<String> = parts.iter().map(|part| format!("'{part}'")).collect();
    let printed = copy.sh(&format!(
        "set +eu\nsource <(icl-repro completions bash)\n\
         answer=$(complete -p icl-repro | sed 's/.*-F \\([^ ]*\\) .*/\\1/')\n\
         COMP_WORDBREAKS=$' \\t\\n\"\\x27@><=;|&(:'\n\
         COMP_LINE='{line}' COMP_POINT={} COMP_WORDS=({}) COMP_CWORD={}\n\
         $answer\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
        line.len(),
        quoted.join(" "),
        parts.len() - 1,
    ));
    let lines = printed.lines().filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

#[test]
fn bash_completes_verbs_options_and_values() {
    let copy = Copy::empty();
    let complete = |words: &str| completed(&copy, &format!("icl-repro {words}"));
    assert_eq!(complete("ver"), ["verify"]);
    assert_eq!(complete("run --down"), ["--downstream"]);
    assert_eq!(complete("status --color "), ["auto", "always", "never"]);
    assert_eq!(complete("graph --format m"), ["mermaid"]);
    assert_eq!(
        complete("graph --format=m"),
        ["mermaid"],
        "without what bash has already"
    );
    assert_eq!(complete("completions z"), ["zsh"]);
    assert_eq!(complete("schema verify-"), ["verify-rebuild"]);
    assert_eq!(complete("man gr"), ["graph"]);
    // There is no pipeline.
    assert!(complete("run tas").is_empty());
}

/// From pipeline.yaml alone: the copy has no cache, and gets none.
#[test]
fn bash_completes_stages_groups_profiles_and_published_files() {
    let copy = Copy::fresh();
    let complete = |words: &str| completed(&copy, &format!("icl-repro {words}"));
    assert_eq!(complete("run closed_f"), ["closed_forms"]);
    let found = complete("status closed_forms tas");
    assert_eq!(found, ["tasks", "tasks@*"]);
    // bash has the part before @ already.
    assert_eq!(
        complete("explain tasks@2"),
        [
            "2", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29"
        ]
    );
    assert!(complete("run tasks@").contains(&"*".to_owned()));
    assert_eq!(complete("repeat closed_f"), ["closed_forms"]);
    assert_eq!(complete("run --group appen"), ["appendix"]);
    assert_eq!(complete("run --group=appen"), ["appendix"]);
    assert!(
        complete("run appen").contains(&"appendix".to_owned()),
        "a group is a target"
    );
    assert_eq!(complete("--profile smo"), ["smoke"]);
    assert_eq!(
        complete("run figures/train_losses.s"),
        ["figures/train_losses.svg"]
    );
    assert_eq!(complete("verify figures/tab"), ["figures/tables/"]);
    assert!(complete("run src/").is_empty(), "no stage makes sources");
    assert!(complete("-C docs run closed_f").contains(&"closed_forms".to_owned()));
    // All stages do not drown in all options.
    assert!(complete("run ").iter().all(|found| !found.starts_with('-')));
    assert!(
        !copy.path(".icl-repro").exists(),
        "asking leaves nothing behind"
    );

    // What cannot be read completes nothing of it, in silence; the grammar is not in it.
    std::fs::write(copy.path("pipeline.yaml"), "version: 2\nstages: [").expect("a file");
    let words = ["2", "icl-repro", "run", "closed_f"];
    let output = copy.run(&[&["--what-can-stand-here"], &words[..]].concat());
    assert_eq!(expect(0, output), (String::new(), String::new()));
    assert!(complete("run closed_f").is_empty());
    assert_eq!(complete("run --down"), ["--downstream"]);
}

/// The words after the first argument are somebody's unfinished line: whatever they are, nobody hears of it.
#[test]
fn what_makes_no_sense_completes_nothing() {
    let copy = Copy::empty();
    for words in [
        &[][..],
        &["x"],
        &["9", "icl-repro"],
        &["1"],
        &["-1", "a", "b"],
        &["0", "icl-repro"],
    ] {
        let output = copy.run(&[&["--what-can-stand-here"], words].concat());
        let (out, err) = expect(0, output);
        assert_eq!((out.as_str(), err.as_str()), ("", ""), "{words:?}");
    }
}

/// Every script asks the program; where its shell is installed, the script is read by it.
#[test]
fn the_scripts_are_in_the_languages_of_their_shells() {
    for (shell, name, check) in [
        (Shell::Bash, "bash", &["-n"][..]),
        (Shell::Zsh, "zsh", &["-n"]),
        (Shell::Fish, "fish", &["--no-execute"]),
    ] {
        let script = app().completions(shell);
        assert!(script.contains("--what-can-stand-here"), "{script}");
        for left in ["PROGRAM", "FUNCTION", "ARGUMENT"] {
            assert!(!script.contains(left), "{script}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("script");
        std::fs::write(&file, &script).expect("a file");
        match std::process::Command::new(name)
            .args(check)
            .arg(&file)
            .output()
        {
            Ok(output) => drop(expect(0, output)),
            Err(error) => assert!(name != "bash", "{error}"),
        }
    }
}

/// In a terminal of that width, and where none says its width.
#[test]
fn no_line_of_the_help_is_wider_than_80_columns() {
    fn check(command: &mut clap::Command, path: &str) -> usize {
        for help in [command.render_help(), command.render_long_help()] {
            for line in help.to_string().lines() {
                assert!(line.chars().count() <= 80, "{path}: {line}");
            }
        }
        let mut count = 1;
        for verb in command.get_subcommands_mut() {
            count += check(verb, &format!("{path} {}", verb.get_name()));
        }
        count
    }
    let mut command = app().command();
    command.build();
    assert!(check(&mut command, "icl-repro") > 30);
    let copy = Copy::empty();
    for option in ["--help", "-h"] {
        let (out, _) = expect(0, copy.run(&["run", option]));
        assert!(out.lines().count() > 30, "{out}");
        assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    }
}

#[test]
fn the_manual_has_a_page_for_the_program_and_each_verb() {
    let pages = app().manual().expect("pages");
    assert_eq!(pages.len(), verbs().len() + 1);
    let copy = Copy::empty();
    let (out, _) = expect(0, copy.run(&["man", "--out", "pages"]));
    assert_eq!(out, format!("{} pages written below pages\n", pages.len()));
    let year = regex::Regex::new(r"\b20\d\d-\d\d").expect("a pattern");
    for page in &pages {
        let file = std::fs::read_to_string(copy.path(&format!("pages/{}.1", page.name)));
        assert_eq!(
            file.expect("a page"),
            page.text,
            "{}: other bytes",
            page.name
        );
        for part in [
            ".TH ",
            ".SH NAME",
            ".SH SYNOPSIS",
            ".SH OPTIONS",
            "EXIT STATUS",
        ] {
            assert!(page.text.contains(part), "{}: {part}", page.name);
        }
        assert!(!year.is_match(&page.text), "{}: a date", page.name);
    }
    let (out, _) = expect(0, copy.run(&["man", "run"]));
    assert!(
        out.contains("EXAMPLES") && out.contains("icl\\-repro run pretrain"),
        "{out}"
    );
    let (_, err) = expect(2, copy.run(&["man", "verfy"]));
    assert!(err.contains("did you mean `verify`?"), "{err}");
    std::fs::write(copy.path("blocked"), "a file").expect("a file");
    let (_, err) = expect(1, copy.run(&["man", "--out", "blocked/pages"]));
    assert!(err.contains("blocked"), "{err}");
}
