//! Where nothing can be watched: what a command reads is declared, and the run says that nothing was watched.

use super::contained::is_alive;
use super::folder::Folder;

const PIPELINE: &str = "version: 2
stages:
  declared:
    kind: command
    params: {run: [sh, script, \"{out.x}\"], reads: [script, 'data*']}
    outputs: {x: figures/x.txt}
  silent:
    kind: command
    params: {run: [sh, script, \"{out.y}\"]}
    outputs: {y: figures/y.txt}
";

/// Starts a program to which the kernel says that it has no Landlock: the call is answered by a filter.
const WITHOUT: &str = r#"
import ctypes, os, struct, sys
CREATE_RULESET, ENOSYS = 444, 38
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, CREATE_RULESET), (0x06, 0, 0, 0x50000 | ENOSYS), (0x06, 0, 0, 0x7FFF0000)]
filter = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
program = Program(len(steps), ctypes.addressof(filter))
prctl = ctypes.CDLL(None, use_errno=True).prctl
assert prctl(38, 1, 0, 0, 0) == 0 and prctl(22, 2, ctypes.byref(program), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"#;

fn run(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = folder.command("python3");
    command.args(["-c", WITHOUT, env!("CARGO_BIN_EXE_retrace")]);
    let output = command.args(arguments).output().expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output.status.code(), said)
}

#[test]
fn what_is_declared_is_trusted_and_what_is_not_does_not_run() {
    let files = [
        ("pipeline.yaml", PIPELINE),
        ("script", "cat data > \"$1\"\n"),
        ("data", "1\n"),
        ("other", "1\n"),
    ];
    let folder = Folder::with(&files);
    let (code, said) = run(&folder, &["run", "--keep-going"]);
    assert_eq!(code, Some(1), "{said}");
    for words in [
        "declared: nothing was watched, `reads` is trusted: the kernel has no Landlock",
        "silent: what a command reads cannot be watched here: the kernel has no Landlock",
        "name all files that it reads under `reads`",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(folder.read("figures/x.txt"), "1\n");
    assert!(!folder.at("figures/y.txt").exists());
    let state = |expected: &str| {
        let (_, said) = run(&folder, &["status", "declared"]);
        assert!(said.starts_with(expected), "{said}");
    };
    state("fresh");
    folder.write("other", "2\n");
    state("fresh");
    folder.write("data", "2\n");
    state("stale");
    folder.write("pipeline.yaml", PIPELINE.replace("data*", "none*"));
    let (code, said) = run(&folder, &["run", "declared"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("`none*` matches no file"), "{said}");
}

#[test]
fn what_takes_too_long_is_ended_with_what_it_started() {
    let pipeline = PIPELINE.replace("reads: [script, 'data*']", "reads: [script], timeout: 0.5");
    let folder = Folder::with(&[
        ("pipeline.yaml", &pipeline),
        ("script", "sleep 4714 &\nsleep 4714\n"),
    ]);
    let (code, said) = run(&folder, &["run", "declared"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("longer than its timeout of 0.5 s"), "{said}");
    // Its end is asked for, and comes when the system gets to it.
    let begun = std::time::Instant::now();
    while is_alive("4714") && begun.elapsed().as_secs() < 60 {
        std::thread::yield_now();
    }
    assert!(!is_alive("4714"));
}
