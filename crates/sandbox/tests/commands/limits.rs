//! Memory, files and what is said: each has an end.

use super::place::Place;
use sandbox::End;

#[test]
fn memory_is_limited_and_told() {
    let mut place = Place::new();
    let script = "x = bytearray(200_000_000); print(len(x))";
    let ran = place.python(script).succeeded();
    assert!(ran.ended.memory > 200_000_000, "{}", ran.ended.memory);
    place.bounds.memory = Some(100_000_000);
    let ran = place.python(script);
    assert_eq!(ran.ended.end, End::Exited(1));
    assert!(ran.log.contains("MemoryError"), "{}", ran.log);
    assert!(ran.ended.memory < 100_000_000, "{}", ran.ended.memory);
}

#[test]
fn files_are_limited() {
    let mut place = Place::new();
    place.bounds.file_size = Some(1_000_000);
    let ran = place.sh("head -c 2000000 /dev/zero > $SCRATCH/big");
    assert_ne!(ran.ended.end, End::Exited(0));
    let size = std::fs::metadata(place.scratch.join("big"))
        .expect("it was begun")
        .len();
    assert_eq!(size, 1_000_000);
}

#[test]
fn so_is_the_log() {
    let mut place = Place::new();
    place.bounds.file_size = Some(100_000);
    let ran = place.sh("head -c 1000000 /dev/zero").succeeded();
    assert!(
        ran.log
            .ends_with("[900000 more bytes were cut off: the limit is 100000]\n")
    );
    assert!(ran.log.len() < 101_000);
}

#[test]
fn both_streams_are_logged_in_order() {
    let place = Place::new();
    let ran = place
        .sh("echo 1; echo 2 >&2; echo 3; cat; echo 4 >&2")
        .succeeded();
    // And stdin is empty.
    assert_eq!(ran.log, "1\n2\n3\n4\n");
}

#[test]
fn the_environment_is_what_was_given() {
    let place = Place::new();
    let mut command = place.command("/usr/bin/env", &[]);
    command.environment = [("ONLY".into(), "this".into())].into();
    let ended = place.try_command(&command).expect("it runs");
    assert_eq!(
        (ended.end, place.log().as_str()),
        (End::Exited(0), "ONLY=this\n")
    );
}
