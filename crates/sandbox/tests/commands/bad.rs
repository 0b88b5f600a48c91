//! What cannot be run is refused in words, and nothing is left running.

use super::place::{PYTHON, Place};
use sandbox::{Bounds, Command};
use std::sync::atomic::AtomicBool;

#[track_caller]
fn refused(place: &Place, command: &Command, words: &[&str]) {
    let error = place.try_command(command).expect_err("it is refused");
    for word in words {
        assert!(error.contains(word), "{word}: {error}");
    }
}

#[test]
fn programs_that_cannot_be_started() {
    let place = Place::with(&[("text", "no program"), ("folder/x", "")]);
    refused(
        &place,
        &place.command("/no/such/program", &[]),
        &["/no/such/program", "No such file"],
    );
    refused(
        &place,
        &place.command("python3", &[]),
        &["program is python3", "absolute"],
    );
    let text = place.repo.join("text").display().to_string();
    refused(
        &place,
        &place.command(&text, &[]),
        &[&text, "Permission denied"],
    );
    let folder = place.repo.join("folder").display().to_string();
    refused(
        &place,
        &place.command(&folder, &[]),
        &[&folder, "Permission denied"],
    );
    place.write_script("nothing", "#!/no/such/interpreter\n");
    let nothing = place.repo.join("nothing").display().to_string();
    refused(
        &place,
        &place.command(&nothing, &[]),
        &[&nothing, "No such file"],
    );
}

#[test]
fn bounds_that_cannot_be() {
    let sane = Place::with(&[("file", "")]);
    let command = sane.command("/bin/true", &[]);
    let with = |change: fn(&mut Bounds, &Place), words: &[&str]| {
        let mut place = Place::with(&[("file", "")]);
        let mut bounds = place.bounds.clone();
        change(&mut bounds, &place);
        place.bounds = bounds;
        refused(&place, &place.command("/bin/true", &[]), words);
    };
    with(
        |b, _| b.watched = vec!["here".into()],
        &["watched is here", "absolute"],
    );
    with(
        |b, _| b.readable = vec!["/a/../b".into()],
        &["readable is /a/../b", "'..'"],
    );
    with(
        |b, _| b.readable = vec!["/no/such".into()],
        &["readable has /no/such", "No such file"],
    );
    with(
        |b, p| b.writable = vec![p.repo.join("file")],
        &["writable has", "file: no folder"],
    );
    with(
        |b, _| b.shown = vec!["/no/such".into()],
        &["shown has /no/such"],
    );
    with(
        |b, _| b.hidden_names = vec!["a/b".into()],
        &["hidden_names has a/b"],
    );
    with(
        |b, _| b.hidden_names = vec!["".into()],
        &["hidden_names has"],
    );
    with(|b, _| b.memory = Some(0), &["memory is 0"]);
    let mut elsewhere = command.clone();
    elsewhere.folder = "/no/such/folder".into();
    refused(
        &sane,
        &elsewhere,
        &["folder /no/such/folder", "No such file"],
    );
    let mut elsewhere = command;
    elsewhere.log = "/no/such/log".into();
    refused(&sane, &elsewhere, &["log /no/such/log", "No such file"]);
}

#[test]
fn a_program_that_did_not_say_what_it_is() {
    let place = Place::new();
    let command = place.command("/bin/true", &[]);
    let error = sandbox::run(&command, &place.bounds, &AtomicBool::new(false));
    let error = error
        .expect_err("this test called nothing first")
        .to_string();
    assert!(error.contains("act_if_asked"), "{error}");
}

#[test]
fn this_system_is_supported() {
    assert_eq!(sandbox::support(), Ok(()));
}

#[test]
fn a_virtual_environment_is_read_with_its_program() {
    let place = Place::new();
    let environment = place.home.join("venv");
    let status = std::process::Command::new(PYTHON)
        .args(["-m", "venv", "--without-pip"])
        .arg(&environment)
        .status();
    assert!(status.expect("python3 is installed").success());
    let modules = environment.join("lib");
    let inner = std::fs::read_dir(&modules)
        .expect("it has one")
        .flatten()
        .next();
    let packages = inner.expect("python3.x").path().join("site-packages");
    std::fs::write(packages.join("installed.py"), "x = 5").expect("a module");
    let program = environment.join("bin/python3").display().to_string();
    let ran = place.run(
        &program,
        &["-B", "-c", "import installed; print(installed.x)"],
    );
    let ran = ran.succeeded().refused_nothing();
    assert_eq!(ran.log, "5\n");
    assert_eq!(ran.read(), Vec::<String>::new());
}
