//! However a command ends, nothing that it started is left.

use super::place::{Place, exists, processes_with, wait_until};
use sandbox::{End, Ended, Refused};
use std::io::Write;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

/// A length of sleep that no other test and no other process asks for, by its last digits.
fn sleep(digits: &str) -> String {
    format!("7{}.{digits}", std::process::id())
}

#[test]
fn a_child_that_left_is_killed_and_named() {
    let place = Place::new();
    let word = sleep("01");
    let ran = place.sh(&format!(
        "setsid nohup sleep {word} > /dev/null 2>&1 & (sleep {word} &) ; echo done"
    ));
    let ran = ran.succeeded();
    assert_eq!(ran.log, "done\n");
    assert_eq!(ran.ended.left_behind, ["sleep", "sleep"]);
    assert_eq!(processes_with(&word), Vec::<String>::new());
}

#[test]
fn a_hundred_forks_are_all_gone() {
    let place = Place::new();
    let word = sleep("02");
    let ran = place
        .sh(&format!(
            "for i in $(seq 100); do sleep {word} & done; echo done"
        ))
        .succeeded();
    assert_eq!(ran.ended.left_behind.len(), 100);
    assert_eq!(processes_with(&word), Vec::<String>::new());
}

#[test]
fn one_that_is_waited_for_is_not_left_behind() {
    let place = Place::new();
    let ran = place
        .sh("for i in 1 2 3; do sleep 0.01 & done; wait; sleep 0.02 &")
        .succeeded();
    assert_eq!(ran.ended.left_behind, Vec::<String>::new());
}

#[test]
fn a_fork_bomb_is_contained() {
    let mut place = Place::new();
    place.bounds.processes = Some(20);
    place.bounds.timeout = Some(Duration::from_secs(1));
    let marker = sleep("03");
    let script = format!(
        "import os\nmarker = '{marker}'\nwhile True:\n  try: os.fork()\n  except OSError: pass\n"
    );
    let ran = place.python(&script);
    assert_eq!(ran.ended.end, End::TimedOut);
    let what = Refused::Other("more than 20 processes at a time".into());
    assert!(
        ran.seen().refused.contains(&what),
        "{:?}",
        ran.seen().refused
    );
    assert_eq!(processes_with(&marker), Vec::<String>::new());
}

#[test]
fn processes_up_to_the_limit_are_let() {
    let mut place = Place::new();
    place.bounds.processes = Some(4);
    // Those that have ended make room.
    let ran =
        place.sh("for i in $(seq 20); do /bin/true; done; sleep 0.1 & sleep 0.1 & wait; echo done");
    let ran = ran.succeeded().refused_nothing();
    assert_eq!(ran.log, "done\n");
    let ran = place.sh("sleep 1 & sleep 1 & sleep 1 & sleep 1 & wait");
    assert_eq!(ran.seen().refused.len(), 1, "{:?}", ran.seen().refused);
}

#[test]
fn time_is_limited() {
    let mut place = Place::new();
    place.bounds.timeout = Some(Duration::from_millis(300));
    let word = sleep("04");
    let start = Instant::now();
    // One that does not want to go.
    let ran = place.sh(&format!(
        "trap '' TERM HUP INT; (setsid sleep {word} &); sleep {word}"
    ));
    assert_eq!(ran.ended.end, End::TimedOut);
    assert!(start.elapsed() >= Duration::from_millis(300));
    assert_eq!(processes_with(&word), Vec::<String>::new());
}

/// A command of which two processes sleep, one in a session of its own.
fn two_sleepers(place: &Place, word: &str) -> Child {
    let script = format!("setsid sleep {word} & sleep {word}");
    let child = place.start(&place.command("/bin/sh", &["-c", &script]));
    wait_until("both sleep", || {
        let found = processes_with(word);
        let asleep = found.iter().filter(|line| line.starts_with("sleep"));
        asleep.count() == 2
    });
    child
}

#[test]
fn a_command_can_be_cancelled() {
    let place = Place::new();
    let word = sleep("05");
    let mut child = two_sleepers(&place, &word);
    writeln!(child.stdin.as_mut().expect("a pipe"), "cancel").expect("it listens");
    let output = child.wait_with_output().expect("it ends");
    let ended: Ended = serde_json::from_slice(&output.stdout).expect("its report");
    assert_eq!(ended.end, End::Cancelled);
    assert_eq!(processes_with(&word), Vec::<String>::new());
}

#[test]
fn nothing_outlives_a_caller_that_is_killed() {
    let place = Place::new();
    let word = sleep("06");
    let mut child = two_sleepers(&place, &word);
    child.kill().expect("it is ours");
    child.wait().expect("it has ended");
    wait_until("all are gone", || processes_with(&word).is_empty());
}

#[test]
fn a_watcher_that_is_ended_is_told() {
    let place = Place::new();
    let word = sleep("07");
    let child = two_sleepers(&place, &word);
    // Its only child watches the command.
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let watcher = std::fs::read_to_string(children).expect("a list");
    let kill = std::process::Command::new("kill")
        .arg(watcher.trim())
        .status();
    assert!(kill.expect("it starts").success(), "one child, {watcher}");
    let output = child.wait_with_output().expect("it ends");
    let ended: Ended = serde_json::from_slice(&output.stdout).expect("its report");
    assert_eq!(ended.end, End::Unseen(15));
    // Nobody was left to end what it had started.
    let kill = std::process::Command::new("pkill")
        .args(["-KILL", "-f", &word])
        .status();
    assert!(kill.expect("it starts").success(), "some were left");
    wait_until("all are gone", || processes_with(&word).is_empty());
}

#[test]
fn a_signal_is_told() {
    let place = Place::new();
    assert_eq!(place.sh("kill -9 $$").ended.end, End::Killed(9));
    assert_eq!(place.sh("kill -TERM $$").ended.end, End::Killed(15));
    assert_eq!(place.sh("exit 7").ended.end, End::Exited(7));
}

#[test]
fn processes_outside_cannot_be_signalled() {
    let place = Place::new();
    let own = std::process::id();
    let ran = place.sh(&format!(
        "kill -0 {own} && echo reached; sleep 60 & kill $! && echo child"
    ));
    assert!(
        !ran.log.contains("reached") && ran.log.ends_with("child\n"),
        "{}",
        ran.log
    );
    let refused: Vec<_> = ran.seen().refused.iter().cloned().collect();
    assert_eq!(
        refused,
        [Refused::Other(format!("to signal process {own}"))]
    );
}

#[test]
fn shared_memory_is_ones_own_and_removed() {
    let place = Place::new();
    let name = format!("/dev/shm/sandbox-test-{}", std::process::id());
    std::fs::write(&name, "another's").expect("shared memory");
    let script = format!(
        "
import multiprocessing, os
if __name__ == '__main__':
    with multiprocessing.get_context('fork').Pool(2) as pool:
        print(sum(pool.map(abs, range(-5, 5))))
    lock = multiprocessing.Lock()
    open('{name}-left', 'w').write('x')
    print(open('{name}-left').read())
    try: open('{name}')
    except OSError as error: print(error.strerror)
"
    );
    let ran = place.python(&script).succeeded();
    std::fs::remove_file(&name).expect("nobody else removes it");
    assert_eq!(ran.log, "25\nx\nPermission denied\n");
    let refused: Vec<_> = ran.seen().refused.iter().cloned().collect();
    assert_eq!(refused, [Refused::Read(name.clone().into())]);
    assert!(!exists(Path::new(&format!("{name}-left"))));
}
