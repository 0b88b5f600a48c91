//! `docs/reference/verbs.md` and `docs/reference/exit-codes.md` say what the program says of itself.

use crate::docs::copy::root;
use icl_repro::app::{PROGRAM, app};
use icl_repro::registry;
use icl_repro::verbs::examples::EXAMPLES;
use retrace::resolve::select::Selection;
use retrace::resolve::stages::Pipeline;
use retrace::spec::file::Spec;
use retrace::spec::settings::Settings;
use retrace_cli::examples;
use std::fmt::Write as _;

fn current(name: &str, text: &str) {
    let path = root().join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, text).expect("a file");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let hint = "`make docs` rewrites it";
    assert!(found == text, "{name} is out of date: {hint}");
}

/// Options as lines of a table.
fn options<'a>(text: &mut String, arguments: impl Iterator<Item = &'a clap::Arg>) {
    text.push_str("| option | what it does |\n| --- | --- |\n");
    for argument in arguments {
        let mut name = match (argument.get_short(), argument.get_long()) {
            (Some(short), Some(long)) => format!("-{short}, --{long}"),
            (Some(short), None) => format!("-{short}"),
            (None, Some(long)) => format!("--{long}"),
            (None, None) => String::new(),
        };
        if argument.is_positional() || argument.get_action().takes_values() {
            let values = argument.get_value_names().unwrap_or_default();
            let values: Vec<&str> = values.iter().map(|value| value.as_str()).collect();
            name = format!("{name} {}", values.join(" ")).trim().to_owned();
        }
        let mut about = argument.get_help().unwrap_or_default().to_string();
        let values: Vec<String> = argument
            .get_possible_values()
            .iter()
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        if argument.get_action().takes_values() && !values.is_empty() {
            let _ = write!(about, ": {}", values.join(", "));
        }
        let defaults = argument.get_default_values().iter();
        let defaults: Vec<_> = defaults.map(|value| value.to_string_lossy()).collect();
        if argument.get_action().takes_values() && !defaults.is_empty() {
            let _ = write!(about, " (default: {})", defaults.join(", "));
        }
        let _ = writeln!(text, "| `{name}` | {} |", about.replace('|', "\\|"));
    }
}

fn verbs() -> String {
    let mut text =
        "# Verbs\n\nMade from the program's own grammar by `tests/program/docs/reference.rs`; \
`icl-repro VERB --help` and `icl-repro man` say the same.\n\n## Options of every verb\n\n"
            .to_owned();
    let command = app().command();
    options(&mut text, command.get_arguments());
    for verb in command.get_subcommands() {
        let _ = writeln!(text, "\n## {}\n", verb.get_name());
        let _ = writeln!(text, "{}.\n", verb.get_about().unwrap_or_default());
        if verb.get_arguments().next().is_some() {
            options(&mut text, verb.get_arguments());
            text.push('\n');
        }
        text.push_str("| example | what it does |\n| --- | --- |\n");
        for (example, about) in examples::of(EXAMPLES, verb.get_name()) {
            let _ = writeln!(text, "| `{} {example}` | {about} |", PROGRAM);
        }
    }
    text
}

fn exit_codes() -> String {
    let mut text = "# Exit codes\n\nScripts and CI may depend on them.\n\n\
| code | what it means |\n| --- | --- |\n"
        .to_owned();
    for exit in app().program().exits() {
        let _ = writeln!(text, "| {} | {} |", exit.code, exit.meaning);
    }
    text
}

/// How much each group of pipeline.yaml is.
fn groups() -> String {
    let yaml = std::fs::read_to_string(root().join("pipeline.yaml")).expect("a pipeline");
    let spec = Spec::parse("pipeline.yaml", &yaml).expect("a pipeline");
    let pipeline = Pipeline::resolve(spec, &registry::kinds(), &Settings::default());
    let pipeline = pipeline.expect("it resolves");
    let mut text = "# Groups\n\nMade from pipeline.yaml by `tests/program/docs/reference.rs`. \
`icl-repro run --group NAME` makes a group's own stages and all that they need; the published files are those below `figures/`.\n\n\
| group | stages of its own | with what they need | outputs | of these published | `icl-repro run` makes it |\n\
| --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    let mut line = |name: &str, selection: &Selection, made: &str| {
        let stages = selection.closure.iter().map(|&s| &pipeline.stages[s]);
        let outputs: Vec<_> = stages.flat_map(|stage| &stage.outputs).collect();
        let published = outputs
            .iter()
            .filter(|(_, path)| path.starts_with("figures"));
        let (own, all) = (selection.targets.len(), selection.closure.len());
        let (outputs, published) = (outputs.len(), published.count());
        let _ = writeln!(
            text,
            "| {name} | {own} | {all} | {outputs} | {published} | {made} |"
        );
    };
    for group in &pipeline.groups {
        let selection = pipeline.select(&[], std::slice::from_ref(&group.name));
        let made = if group.opt_in { "when asked" } else { "yes" };
        line(
            &format!("`{}`", group.name),
            &selection.expect("a group"),
            made,
        );
    }
    line(
        "all but those made when asked",
        &pipeline.select(&[], &[]).expect("all"),
        "yes",
    );
    line("everything", &pipeline.everything().expect("all"), "");
    text
}

#[test]
fn the_generated_pages_are_current() {
    current("docs/reference/groups.md", &groups());
    current("docs/reference/verbs.md", &verbs());
    current("docs/reference/exit-codes.md", &exit_codes());
}

/// The columns that the page lists are those of the committed tables.
#[test]
fn columns_of_tables_are_listed() {
    let page = std::fs::read_to_string(root().join("docs/reference/formats.md")).expect("a page");
    let code = regex::Regex::new("`([^`]+)`").expect("a pattern");
    let mut listed = Vec::new();
    for line in page.lines().filter(|line| line.contains(".csv` | ")) {
        let words: Vec<&str> = code
            .captures_iter(line)
            .map(|c| c.extract::<1>().1[0])
            .collect();
        let table = root().join("figures/tables").join(words[0]);
        let csv = std::fs::read_to_string(table).expect("a table");
        let header = csv.lines().next().expect("a header");
        assert_eq!(words[1..].join(","), header, "{}", words[0]);
        listed.push(words[0].to_owned());
    }
    let files = std::fs::read_dir(root().join("figures/tables")).expect("a folder");
    let names = files.map(|file| {
        file.expect("a file")
            .file_name()
            .to_string_lossy()
            .into_owned()
    });
    let mut tables: Vec<String> = names.filter(|name| name.ends_with(".csv")).collect();
    tables.sort();
    listed.sort();
    assert_eq!(listed, tables);
}
