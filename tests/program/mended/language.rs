//! What the tests of the pipeline language share, and names that are not there.

use crate::toy::{Ask, Repo};
use icl_repro::registry;
use retrace::base::error::{Error, ErrorKind, Result};
use retrace::resolve::stages::Pipeline;
use retrace::spec::file::Spec;
use retrace::spec::settings::Settings;

/// A stage of the toy kind in one line; `rest` are more sections.
pub fn join(name: &str, rest: &str) -> String {
    format!(
        "  {name}: {{kind: join, outputs: {{out: artifacts/{name}}}, params: {{text: {name}}}{rest}}}\n"
    )
}

pub fn stages(stages: &[String]) -> String {
    format!("version: 2\nstages:\n{}", stages.concat())
}

/// Resolves against the real kinds.
pub fn resolve(yaml: &str, sets: &[&str]) -> Result<Pipeline> {
    let settings = Settings {
        profile: None,
        sets: sets.iter().map(|set| set.to_string()).collect(),
    };
    let spec = Spec::parse("pipeline.yaml", yaml)?;
    let pipeline = Pipeline::resolve(spec, &registry::kinds(), &settings)?;
    pipeline.check_groups()?;
    Ok(pipeline)
}

/// What a toy pipeline is refused for; nothing has run and nothing is written.
pub fn refused(yaml: &str, ask: &Ask) -> Error {
    let repo = Repo::new(yaml);
    refused_in(&repo, ask)
}

/// The same in a repository.
pub fn refused_in(repo: &Repo, ask: &Ask) -> Error {
    let yaml = repo.read("pipeline.yaml");
    let before = repo.path("artifacts").exists();
    let error = match repo.run(ask) {
        Err(error) => error,
        Ok(summary) => panic!("{yaml}\n{summary:?}"),
    };
    assert_eq!(error.kind, ErrorKind::Config, "{yaml}\n{error}");
    assert!(repo.take_runs().is_empty(), "{yaml}");
    assert_eq!(repo.path("artifacts").exists(), before, "{yaml}");
    error
}

/// The message with its place, and the hint.
pub fn told(error: &Error) -> String {
    let hint = error.hint.as_deref().unwrap_or_default();
    format!("{error} | {hint}")
}

/// What is refused, and what must be said.
fn all_refused(cases: &[(&str, &str)], yaml: impl Fn(&str) -> String) {
    for (case, message) in cases {
        let told = told(&refused(&yaml(case), &Ask::default()));
        assert!(told.contains(message), "{case}\n{told}");
    }
}

#[test]
fn an_exclude_that_excludes_nothing_is_refused() {
    let cases = [
        ("{step: fra}", "axis `step` has no item `fra`"),
        ("{step: fra}", "did you mean `far`?"),
        ("{step: [near, fra]}", "no item `fra`"),
        ("{stpe: far}", "there is no axis `stpe`"),
        ("{step: []}", "names no item of axis `step`"),
        ("{step: {far: 1}}", "no item"),
        ("{step: null}", "no item `nothing`"),
        ("{step: Far}", "no item `Far`"),
        ("{lr: 0.2}", "axis `lr` has no item `0.2`"),
        ("{}", "without an axis leaves nothing"),
        ("{step: far, lr: 3}", "axis `lr` has no item `3`"),
        ("{step: [near, far]}", "leaves nothing of stage `s`"),
    ];
    let yaml = |exclude: &str| {
        let matrix = "matrix: {step: [near, far], lr: [0.1, 1]}";
        let output = "outputs: {out: \"artifacts/${step}-${lr}\"}";
        format!(
            "version: 2\nstages:\n  s: {{kind: join, {matrix}, exclude: [{exclude}], params: {{text: s}}, {output}}}\n"
        )
    };
    all_refused(&cases, yaml);
    // One that is there is excluded, in whichever way its number is written.
    for exclude in ["{lr: 0.1}", "{lr: 1e-1}", "{lr: \"0.1\"}", "{lr: [1.0]}"] {
        let repo = Repo::new(&yaml(exclude));
        let left = repo.with(&Ask::default(), |context| Ok(context.pipeline.stages.len()));
        assert_eq!(left.expect("it resolves"), 2, "{exclude}");
    }
}

#[test]
fn a_profile_that_names_nothing_is_refused_though_nobody_asks_for_it() {
    let cases = [
        ("vars.wrod: x", "there is no variable `wrod`"),
        ("vars.wrod: x", "did you mean `vars.word`?"),
        ("vars.look.colour: x", "did you mean `vars.look.color`?"),
        ("t.text: x", "there is no stage `t`"),
        ("ss.text: x", "`s`"),
        ("s@fra.text: x", "there is no stage `s@fra`"),
        ("s@fra.text: x", "did you mean `s@far`?"),
        ("\"x*.text\": x", "there is no stage"),
        ("s.txet: x", "unknown key `txet`"),
        ("s.text: [1]", "expected text, not a list"),
        ("s: x", "is not stage.param"),
        ("\"s[.text\": x", "is no glob"),
    ];
    all_refused(&cases, |change| {
        format!(
            "version: 2\nvars: {{word: w, look: {{color: red}}}}\nprofiles: {{p: {{{change}}}}}\nstages:\n  \
             s: {{kind: join, matrix: {{step: [near, far]}}, outputs: {{out: \"artifacts/${{step}}\"}}, \
             params: {{text: \"${{word}}\", note: \"${{look.color}}\"}}}}\n"
        )
    });
}

#[test]
fn a_change_of_a_variable_that_nothing_uses_is_refused() {
    let yaml = "version: 2\nvars: {used: a, unused: b, chain: \"${used}\", hidden: c}\n\
                profiles: {p: {vars.unused: x}}\nstages:\n  s: {kind: join, \
                override: {hidden: d}, params: {text: \"${chain}\", note: \"${hidden}\"}, \
                outputs: {out: artifacts/s}}\n";
    for sets in [&["vars.unused=x"], &["vars.hidden=x"]] {
        let ask = Ask {
            sets,
            ..Ask::default()
        };
        let told = told(&refused(yaml, &ask));
        assert!(told.contains("changes nothing"), "{told}");
    }
    let ask = Ask {
        profile: Some("p"),
        ..Ask::default()
    };
    assert!(told(&refused(yaml, &ask)).contains("changes nothing"));
    let repo = Repo::new(yaml);
    let ask = Ask {
        sets: &["vars.used=new"],
        ..Ask::default()
    };
    repo.run(&ask).expect("it runs");
    assert_eq!(repo.take_runs(), ["new"]);
    // One that stands there unused is named, and no more: it may wait for its stage.
    let unused = repo.with(&Ask::default(), |context| {
        let unused = context.pipeline.unused.iter();
        Ok(unused.map(|(name, _)| name.clone()).collect::<Vec<_>>())
    });
    assert_eq!(unused.expect("it resolves"), ["unused", "hidden"]);
}

#[test]
fn groups_name_stages_that_are_there() {
    let cases = [
        ("[t]", "there is no stage `t`"),
        ("[s, \"t*\"]", "there is no stage `t*`"),
        ("[]", "names no stage"),
        ("[s@fra]", "there is no stage `s@fra`"),
        ("[artifacts/s]", "there is no stage"),
    ];
    all_refused(&cases, |group| {
        format!("{}groups: {{g: {group}}}\n", stages(&[join("s", "")]))
    });
}

#[test]
fn a_variable_without_its_stage_gets_a_hint() {
    let yaml = "version: 2\nvars: {noise_var: n}\nstages:\n  s: {kind: join, \
                params: {text: \"${noise_var}\"}, outputs: {out: artifacts/s}}\n";
    for (set, hint) in [
        ("noise_var=0.2", "did you mean `vars.noise_var`?"),
        ("nois_var=0.2", "did you mean `vars.noise_var`?"),
        ("vars.nois_var=0.2", "did you mean `vars.noise_var`?"),
        ("var.noise_var=0.2", "did you mean `vars`?"),
        ("zzz=1", "vars.name for a variable"),
    ] {
        let ask = Ask {
            sets: &[set],
            ..Ask::default()
        };
        let told = told(&refused(yaml, &ask));
        assert!(told.contains(hint), "{set}\n{told}");
        assert!(told.contains(&format!("--set {set}")), "{told}");
    }
}
