//! Commands that do what they may not: contained, named, nothing half-written, no process left.

use crate::folder::Folder;
use std::net::{TcpListener, UdpSocket};
use std::time::Duration;

/// A repository with a stage that runs a script, with these params besides.
fn with(script: &str, params: &str) -> Folder {
    let interpreter = if script.contains("import ") {
        "python3"
    } else {
        "sh"
    };
    let text = format!(
        "version: 2\nstages:\n  one:\n    kind: command\n    params: {{run: [{interpreter}, script, \"{{out.x}}\"]{params}}}\n    outputs: {{x: figures/x.txt}}\n"
    );
    Folder::with(&[("pipeline.yaml", &text), ("script", script)])
}

#[track_caller]
fn fails(folder: &Folder, words: &[&str]) -> String {
    let said = folder.expect(1, &["run"]);
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
    folder.nothing_recorded("one");
    said
}

/// Whether a process that is called so is alive.
pub fn is_alive(name: &str) -> bool {
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    processes.into_iter().any(|process| {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line)
            .split('\0')
            .any(|word| word == name)
    })
}

#[test]
fn no_network_of_any_kind() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let folder = with(
        &format!("import socket\nsocket.create_connection(('127.0.0.1', {port}))\n"),
        "",
    );
    fails(&folder, &["it may not use the network (IPv4", "Permission"]);

    let receiver = UdpSocket::bind("127.0.0.1:0").expect("a port");
    receiver.set_nonblocking(true).expect("a socket");
    let port = receiver.local_addr().expect("an address").port();
    let script = format!(
        "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.sendto(b'x', ('127.0.0.1', {port}))\n"
    );
    fails(&with(&script, ""), &["it may not use the network (IPv4"]);
    assert!(receiver.recv(&mut [0; 8]).is_err(), "nothing arrived");
}

#[test]
fn a_command_that_goes_on_without_the_network_is_warned_of() {
    let script = "import socket, sys\ntry:\n    socket.socket()\nexcept OSError:\n    open(sys.argv[1], 'w').write('none')\n";
    let folder = with(script, "");
    let said = folder.expect(0, &["run"]);
    assert!(
        said.contains("went on although it may not use the network"),
        "{said}"
    );
    assert_eq!(folder.read("figures/x.txt"), "none");
}

#[test]
fn nothing_is_read_at_home_and_nothing_written_elsewhere() {
    let secret = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let secret = secret.path().join("secret");
    std::fs::write(&secret, "mine").expect("a file");
    let shown = secret.display();
    let folder = with(&format!("cat {shown} > \"$1\"\n"), "");
    fails(&folder, &["it may not read", "secret"]);

    let folder = with("echo 1 > script2 && echo other > script\n", "");
    fails(&folder, &["it may not write script"]);
    assert!(
        folder.read("script").starts_with("echo 1"),
        "the repository is as it was"
    );
    assert!(!folder.at("script2").exists());

    let target = secret.with_file_name("written");
    let folder = with(&format!("echo 1 > {}\n", target.display()), "");
    fails(&folder, &["it may not write", "written"]);
    assert!(!target.exists());

    let folder = with(
        "echo 1 > figures/other.txt; rm script; echo 2 > \"$1\"\n",
        "",
    );
    folder.expect(0, &["run"]);
    assert!(folder.at("script").is_file() && !folder.at("figures/other.txt").exists());
}

#[test]
fn a_child_that_stays_is_ended_and_named() {
    let folder = with("sleep 4711 &\necho 1 > \"$1\"\n", "");
    let said = folder.expect(0, &["run"]);
    assert!(
        said.contains("left processes behind") && said.contains("sleep"),
        "{said}"
    );
    assert!(!is_alive("4711"));
}

#[test]
fn a_hundred_forks_are_bounded() {
    let script = "import os, sys, time\nfor _ in range(100):\n    if os.fork() == 0:\n        time.sleep(4712)\nopen(sys.argv[1], 'w').write('all')\n";
    fails(&with(script, ", processes: 20"), &["BlockingIOError"]);
    // Where they are allowed, none of them stays.
    let folder = with(script, "");
    let said = folder.expect(0, &["run"]);
    assert!(said.contains("left processes behind"), "{said}");
    let repository = folder.path();
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let mut folders = processes.filter_map(|one| std::fs::read_link(one.path().join("cwd")).ok());
    assert!(!folders.any(|folder| folder.starts_with(&repository)));
}

#[test]
fn time_memory_and_files_have_their_bounds() {
    let folder = with("sleep 4713 & sleep 4713\n", ", timeout: 1");
    fails(&folder, &["longer than its timeout of 1 s"]);
    assert!(!is_alive("4713"));
    let folder = with(
        "import sys\nx = bytearray(600_000_000)\n",
        ", memory: 300 MB",
    );
    fails(&folder, &["MemoryError"]);
    // One that would fill the disk.
    let folder = with("cat /dev/zero > \"$1\"\n", ", file_size: 3 MB");
    fails(
        &folder,
        &[
            "exit code 153",
            "signal 25",
            "a file larger than `file_size`",
        ],
    );
}

#[test]
fn what_changes_while_it_is_read_is_no_result() {
    let text = "version: 2\nstages:\n  one:\n    kind: command\n    params: {run: [sh, script, \"{out.x}\"]}\n    outputs: {x: figures/x.txt}\n";
    // The command itself cannot write there: another program does, told by a pipe.
    let folder = Folder::with(&[("pipeline.yaml", text), ("data", "1\n")]);
    folder.write(
        "script",
        "cat data > \"$1\"\necho > now\nwhile [ -e data ] && [ \"$(cat data)\" = 1 ]; do :; done\n",
    );
    let data = folder.at("data");
    let scratch = folder.at(".retrace");
    let editor = std::thread::spawn(move || {
        // As soon as the view has the file `now`, the command has read the first state.
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            if has_file(&scratch, "now") {
                std::fs::write(&data, "2\n").expect("a file");
                return true;
            }
            std::thread::yield_now();
        }
        false
    });
    let (code, said) = folder.run(&["run"]);
    assert!(editor.join().expect("a thread"), "{said}");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("data changed while the stage ran"), "{said}");
    folder.nothing_recorded("one");
}

fn has_file(folder: &std::path::Path, name: &str) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| {
        entry.file_name() == name
            || (entry.file_type().is_ok_and(|kind| kind.is_dir()) && has_file(&entry.path(), name))
    })
}
