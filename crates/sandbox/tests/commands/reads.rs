//! What a command reads, looks for and lists is seen, and nothing else.

use super::place::{PYTHON, Place};
use sandbox::{End, Refused};

const MAIN: &str = "
import helper
print(helper.x, open('data/a.csv').read())
";

#[test]
fn a_python_program_of_two_modules_and_its_data() {
    let place = Place::with(&[
        ("main.py", MAIN),
        ("helper.py", "x = 3"),
        ("data/a.csv", "1,2"),
        ("data/b.csv", "3,4"),
        ("unrelated.py", "y = 4"),
    ]);
    let ran = place
        .run(PYTHON, &["main.py"])
        .succeeded()
        .refused_nothing();
    assert_eq!(ran.log, "3 1,2\n");
    assert_eq!(ran.read(), ["data/a.csv", "helper.py", "main.py"]);
    // A module of the same name that is added would be found by its folder's listing.
    assert_eq!(ran.in_repo(&ran.seen().listed), [""]);
    let programs: Vec<_> = ran.seen().executed.iter().collect();
    let real = std::fs::canonicalize(PYTHON).expect("python3 is installed");
    assert_eq!(programs, [&real]);
    let hidden = ran.in_repo(&ran.seen().hidden);
    assert!(
        hidden.iter().all(|name| name.starts_with("__pycache__")),
        "{hidden:?}"
    );
    assert!(!place.repo.join("__pycache__").exists());
}

#[test]
fn modules_that_are_looked_for_in_vain() {
    let place = Place::with(&[
        ("pkg/__init__.py", ""),
        ("pkg/one.py", ""),
        ("pkg/two.py", ""),
    ]);
    let script = "
import sys; sys.path.insert(0, '')
import pkg.one
try: import pkg.three
except ImportError: print('none')
import os; print(os.path.exists('settings.toml'), os.path.isdir('pkg'))
";
    let ran = place.python(script).succeeded().refused_nothing();
    assert_eq!(ran.log, "none\nFalse True\n");
    assert_eq!(ran.read(), ["pkg/__init__.py", "pkg/one.py"]);
    assert!(ran.in_repo(&ran.seen().listed).contains(&"pkg".into()));
    assert!(
        ran.in_repo(&ran.seen().absent)
            .contains(&"settings.toml".into())
    );
    assert!(
        !ran.in_repo(&ran.seen().absent)
            .contains(&"pkg/two.py".into())
    );
}

#[test]
fn shells_and_what_they_call() {
    let place = Place::with(&[
        ("a", "1\n"),
        ("b", "2\n"),
        ("c", "3\n"),
        ("folder/d", "4\n"),
    ]);
    let ran =
        place.sh("cat < a; cat b | cat; test -e nothing || echo none; cd folder && cat d ../c");
    let ran = ran.succeeded().refused_nothing();
    assert_eq!(ran.log, "1\n2\nnone\n4\n3\n");
    assert_eq!(ran.read(), ["a", "b", "c", "folder/d"]);
    assert_eq!(ran.in_repo(&ran.seen().absent), ["nothing"]);
    assert_eq!(ran.in_repo(&ran.seen().folders), ["folder"]);
    assert_eq!(ran.in_repo(&ran.seen().listed), Vec::<String>::new());
    let ran = place.sh("ls folder").succeeded().refused_nothing();
    assert_eq!(ran.in_repo(&ran.seen().listed), ["folder"]);
}

#[test]
fn a_script_and_the_interpreters_that_it_names() {
    let place = Place::new();
    place.write_script("run.sh", "#!/bin/sh\n./inner\n");
    place.write_script("inner", "#!/usr/bin/env python3\nprint('inner')\n");
    let program = place.repo.join("run.sh").display().to_string();
    let ran = place.run(&program, &[]).succeeded().refused_nothing();
    assert_eq!(ran.log, "inner\n");
    assert_eq!(ran.read(), ["inner", "run.sh"]);
    for program in ["/bin/sh", "/usr/bin/env", PYTHON] {
        let real = std::fs::canonicalize(program).expect("it is installed");
        assert!(
            ran.seen().executed.contains(&real),
            "{:?}",
            ran.seen().executed
        );
    }
    assert!(ran.seen().executed.contains(&place.repo.join("inner")));
}

/// No library is in between that could be asked instead of the kernel.
#[test]
fn a_static_program() {
    let place = Place::with(&[("data", "text\n")]);
    let source = "
#include <fcntl.h>
#include <unistd.h>
int main(void) {
    char bytes[5];
    int file = open(\"data\", O_RDONLY);
    return read(file, bytes, 5) == 5 && write(1, bytes, 5) == 5 ? 0 : 1;
}";
    place.compile("static", source, &["-static"]);
    let program = place.repo.join("static").display().to_string();
    let ran = place.run(&program, &[]).succeeded().refused_nothing();
    assert_eq!(ran.log, "text\n");
    assert_eq!(ran.read(), ["data", "static"]);
}

#[test]
fn what_is_hidden_is_not_there_and_what_is_shown_is() {
    let mut place = Place::with(&[
        (".store/keys", "secret"),
        (".store/objects/ab", "object"),
        (".store/objects/cd", "other"),
        (".git/HEAD", "ref"),
        ("sub/.git/HEAD", "ref"),
    ]);
    place.bounds.hidden = vec![place.repo.join(".store"), place.repo.join("not-there")];
    place.bounds.hidden_names.push(".git".into());
    place.bounds.shown = vec![place.repo.join(".store/objects/ab")];
    let ran = place.sh(
        "cat .store/keys .git/HEAD sub/.git/HEAD .store/objects/cd; ls .store
         test -e .git || echo no git; test -d .store && echo a way; cat .store/objects/ab",
    );
    assert_eq!(ran.ended.end, End::Exited(0));
    assert_eq!(
        ran.log.matches("No such file or directory").count(),
        4,
        "{}",
        ran.log
    );
    assert!(
        ran.log.contains("cannot open directory '.store'"),
        "{}",
        ran.log
    );
    assert!(ran.log.ends_with("no git\na way\nobject"), "{}", ran.log);
    assert!(!ran.log.contains("secret") && !ran.log.contains("other"));
    assert_eq!(ran.read(), [".store/objects/ab"]);
    let hidden = [
        ".git",
        ".git/HEAD",
        ".store",
        ".store/keys",
        ".store/objects/cd",
        "sub/.git/HEAD",
    ];
    assert_eq!(ran.in_repo(&ran.seen().hidden), hidden);
    assert!(ran.seen().refused.is_empty(), "{:?}", ran.seen().refused);
}

#[test]
fn a_scratch_folder_below_something_hidden() {
    let mut place = Place::with(&[(".store/runs/1/x", ""), (".store/keys", "secret")]);
    place.bounds.hidden = vec![place.repo.join(".store")];
    place.bounds.writable = vec![place.repo.join(".store/runs/1")];
    let ran = place.sh("cd .store/runs/1 && echo out > y && cat x y && ls; cat ../../keys");
    assert!(ran.log.starts_with("out\nx\ny\n"), "{}", ran.log);
    assert!(ran.log.contains("No such file"), "{}", ran.log);
    assert_eq!(ran.read(), Vec::<String>::new());
    assert_eq!(ran.in_repo(&ran.seen().hidden), [".store/keys"]);
}

#[test]
fn a_file_of_the_home_folder() {
    let place = Place::new();
    let secret = place.home.join("secret");
    std::fs::write(&secret, "secret").expect("a file");
    let ran = place.sh("cat ~/secret; ls ~; cat ~/none; test -e ~/secret && echo there");
    assert!(
        ran.log.contains("Permission denied") && ran.log.ends_with("there\n"),
        "{}",
        ran.log
    );
    let refused: Vec<_> = ran.seen().refused.iter().cloned().collect();
    assert_eq!(
        refused,
        [Refused::Read(place.home.clone()), Refused::Read(secret)]
    );
}

#[test]
fn a_program_of_the_home_folder() {
    let place = Place::new();
    let program = place.home.join("program");
    std::fs::copy("/bin/true", &program).expect("a program");
    let ran = place.sh("~/program");
    assert_eq!(ran.ended.end, End::Exited(126), "{}", ran.log);
    let refused: Vec<_> = ran.seen().refused.iter().cloned().collect();
    assert_eq!(refused, [Refused::Read(program.clone())]);
    let mut place = place;
    place.bounds.readable = vec![place.home.clone()];
    let ran = place.sh("~/program").succeeded().refused_nothing();
    assert!(ran.seen().executed.contains(&program));
}

#[test]
fn threads_that_open_files_at_once() {
    let place = Place::new();
    for number in 0..800 {
        place.write(&format!("data/{number:03}"), "x");
    }
    let script = "
import threading
def read(start):
    for number in range(start, 800, 8):
        assert open(f'data/{number:03}').read() == 'x'
threads = [threading.Thread(target=read, args=(start,)) for start in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
";
    let ran = place.python(script).succeeded().refused_nothing();
    let expected: Vec<String> = (0..800).map(|number| format!("data/{number:03}")).collect();
    assert_eq!(ran.read(), expected);
}

#[test]
fn twenty_thousand_opens() {
    let place = Place::new();
    for number in 0..2_000 {
        place.write(&format!("data/{number:04}"), "");
    }
    let script = "
import os
for turn in range(10):
    for number in range(2000):
        os.close(os.open(f'data/{number:04}', os.O_RDONLY))
";
    let ran = place.python(script).succeeded().refused_nothing();
    assert_eq!(ran.seen().read.len(), 2_000);
}

#[test]
fn names_that_are_no_text() {
    let place = Place::new();
    let ran = place.python(
        r"
open(b'/dev/null')
import os
print(os.path.exists(b'caf\xe9'), os.path.exists('naïve'))
",
    );
    let ran = ran.succeeded().refused_nothing();
    use std::os::unix::ffi::OsStrExt;
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9");
    assert!(ran.seen().absent.contains(&place.repo.join(name)));
    assert!(ran.seen().absent.contains(&place.repo.join("naïve")));
}

#[test]
fn descriptors_have_names_too() {
    let place = Place::with(&[("a", "1\n")]);
    let ran = place.sh(
        "echo out > /dev/stdout; echo err > /dev/stderr; echo in | cat /dev/stdin
         exec 7< a; cat /proc/self/fd/7 /dev/fd/7; cat /dev/null; readlink /proc/self/exe",
    );
    let ran = ran.succeeded().refused_nothing();
    assert!(ran.log.starts_with("out\nerr\nin\n1\n1\n/"), "{}", ran.log);
    assert!(ran.log.ends_with("/readlink\n") || ran.log.ends_with("/coreutils\n"));
    assert_eq!(ran.read(), ["a"]);
}

/// Where the supervisor is fooled, the kernel still refuses: a second thread exchanges the path between the
/// supervisor's look and the kernel's.
#[test]
fn what_is_exchanged_behind_the_watchers_back_is_refused_all_the_same() {
    let place = Place::with(&[("data", "data")]);
    let secret = place.home.join("secret");
    std::fs::write(&secret, "secret").expect("a file");
    let source = "
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
static char path[4096];
static const char *other;
static void *exchange(void *unused) {
    for (;;) { strcpy(path, other); strcpy(path, \"data\"); }
    return unused;
}
int main(int count, char **words) {
    pthread_t thread;
    int read_secret = 0, read_data = 0;
    other = words[1];
    pthread_create(&thread, 0, exchange, 0);
    for (int turn = 0; turn < 10000 || !read_data; turn++) {
        char byte = 0;
        int file = open(path, O_RDONLY);
        if (file >= 0 && read(file, &byte, 1) == 1) { read_secret += byte == 's'; read_data += byte == 'd'; }
        close(file);
    }
    printf(\"%d\\n\", read_secret);
    return 0;
}";
    place.compile("exchange", source, &["-O1", "-pthread"]);
    let program = place.repo.join("exchange").display().to_string();
    let ran = place
        .run(&program, &[&secret.display().to_string()])
        .succeeded();
    assert_eq!(ran.log, "0\n");
}

/// A path that starts with a slash and does not begin at the root would be misread.
#[test]
fn a_root_for_one_call_is_not_to_be_had() {
    let place = Place::with(&[("data", "data")]);
    let script = "
import ctypes, os, struct
libc = ctypes.CDLL(None, use_errno=True)
folder = os.open('.', os.O_PATH)
def openat2(path, resolve):
    how = struct.pack('QQQ', os.O_RDONLY, 0, resolve)
    file = libc.syscall(437, folder, path, how, len(how))
    return os.read(file, 9) if file >= 0 else os.strerror(ctypes.get_errno())
print(openat2(b'/data', 0x10), openat2(b'data', 0x08))
";
    let ran = place.python(script).succeeded().refused_nothing();
    assert_eq!(ran.log, "Function not implemented b'data'\n");
    assert_eq!(ran.read(), ["data"]);
}

/// An administrator may read such memory all the same.
#[test]
fn what_nobody_may_read_is_not_done_unwatched() {
    let place = Place::with(&[("data", "data")]);
    let script = "
import ctypes
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
try: open('data')
except PermissionError: pass
";
    let ran = place.python(script).succeeded();
    let said = "to look at files while nobody may read its memory";
    let refused = ran.seen().refused.contains(&Refused::Other(said.into()));
    assert!(refused != (ran.read() == ["data"]), "{:?}", ran.seen());
}
