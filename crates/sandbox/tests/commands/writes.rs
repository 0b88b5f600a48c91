//! Writes outside of the scratch folder are refused and named, by whatever call; within it all work.

use super::place::{Place, exists};
use sandbox::Refused;
use std::collections::BTreeSet;

/// Each way to change something, in the folder `AT` that holds `file`, `other` and the folder `folder`.
const WAYS: &str = "
import os, socket, sys
at = os.environ['AT'] + '/'
def way(name, *does):
    try:
        does[0](*does[1:])
        print(name, 'done')
    except OSError as error:
        print(name, os.strerror(error.errno))
def by_descriptor(change, *rest):
    file = os.open(at + 'file', os.O_RDONLY)
    try: change(file, *rest)
    finally: os.close(file)
def bind():
    with socket.socket(socket.AF_UNIX) as s: s.bind(at + 'socket')
way('new', lambda: open(at + 'new', 'w').close())
way('append', lambda: open(at + 'file', 'a').close())
way('update', lambda: open(at + 'file', 'r+').close())
way('truncate', os.truncate, at + 'other', 1)
way('chmod', os.chmod, at + 'file', 0o600)
way('chown', os.chown, at + 'file', os.getuid(), -1)
way('utime', os.utime, at + 'file', (1, 1))
way('fchmod', by_descriptor, os.chmod, 0o600)
way('fchown', by_descriptor, os.chown, os.getuid(), -1)
way('futimens', by_descriptor, os.utime, (1, 1))
way('mkdir', os.mkdir, at + 'made')
way('symlink', os.symlink, 'file', at + 'link')
way('hardlink', os.link, at + 'file', at + 'hard')
way('mkfifo', os.mkfifo, at + 'fifo')
way('bind', bind)
way('rename', os.rename, at + 'other', at + 'renamed')
way('unlink', os.unlink, at + 'file')
way('rmdir', os.rmdir, at + 'folder')
";

const FILES: [(&str, &str); 2] = [("file", "text"), ("other", "text")];

fn place(name: &str) -> Place {
    let mut place = Place::new();
    for (file, text) in FILES {
        place.write(&format!("{name}/{file}"), text);
    }
    std::fs::create_dir(place.repo.join(name).join("folder")).expect("a folder");
    place.bounds.readable = vec![place.home.clone()];
    place
}

fn ways(place: &Place, at: &str) -> super::place::Ran {
    let at = place.repo.join(at);
    place.python(&format!(
        "import os; os.environ['AT'] = {:?}{WAYS}",
        at.display().to_string()
    ))
}

#[test]
fn outside_all_are_refused_and_named() {
    let place = place("here");
    let ran = ways(&place, "here").succeeded();
    let done: Vec<&str> = ran
        .log
        .lines()
        .filter(|line| line.ends_with("done"))
        .collect();
    assert_eq!(done, Vec::<&str>::new());
    assert_eq!(ran.log.lines().count(), 18, "{}", ran.log);
    let expected: BTreeSet<Refused> = [
        "new", "file", "other", "made", "link", "hard", "fifo", "socket", "renamed", "folder",
    ]
    .into_iter()
    .map(|name| Refused::Write(place.repo.join("here").join(name)))
    .collect();
    assert_eq!(ran.seen().refused, expected, "{}", ran.log);
    let mut names: Vec<_> = std::fs::read_dir(place.repo.join("here"))
        .expect("it is still there")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["file", "folder", "other"]);
    let file = std::fs::metadata(place.repo.join("here/file")).expect("it is still there");
    let (now, day) = (
        std::time::SystemTime::now(),
        std::time::Duration::from_secs(86_400),
    );
    assert!(
        now.duration_since(file.modified().expect("a time"))
            .expect("the past")
            < day
    );
}

#[test]
fn inside_all_work() {
    let mut place = place("here");
    place.bounds.writable.push(place.repo.join("here"));
    let ran = ways(&place, "here").succeeded().refused_nothing();
    let failed: Vec<&str> = ran
        .log
        .lines()
        .filter(|line| !line.ends_with("done"))
        .collect();
    assert_eq!(failed, Vec::<&str>::new());
    assert_eq!(ran.read(), Vec::<String>::new());
}

#[test]
fn what_the_kernel_says_anyway_is_no_offence() {
    let place = Place::with(&[("file", "text"), ("folder/x", "")]);
    let ran = place.sh(
        "mkdir -p $REPO/folder $SCRATCH/a/b; rm -f $REPO/none; mkdir $REPO/none/deep
         mv $SCRATCH/a/b $SCRATCH/c; rmdir $SCRATCH/c",
    );
    let ran = ran.succeeded().refused_nothing();
    assert!(ran.log.contains("No such file"), "{}", ran.log);
    let script = "
import os
for flags in [os.O_WRONLY, os.O_RDWR | os.O_CREAT | os.O_DIRECTORY]:
    try: os.open('none', flags)
    except OSError as error: print(os.strerror(error.errno))
try: os.mkdir('folder')
except FileExistsError: print('exists')
";
    let ran = place.python(script).succeeded();
    assert!(
        ran.log.contains("No such file") && ran.log.ends_with("exists\n"),
        "{}",
        ran.log
    );
}

#[test]
fn between_inside_and_outside() {
    let place = Place::with(&[("file", "text")]);
    std::fs::write(place.scratch.join("mine"), "").expect("a file");
    let ran = place.python(
        "
import os, shutil
repo, scratch = os.environ['REPO'], os.environ['SCRATCH']
for name, does in [
    ('out', lambda: os.rename(scratch + '/mine', repo + '/mine')),
    ('in', lambda: os.rename(repo + '/file', scratch + '/file')),
    ('link out', lambda: os.link(scratch + '/mine', repo + '/linked')),
    ('link in', lambda: os.link(repo + '/file', scratch + '/linked')),
    ('copy', lambda: shutil.copy2(repo + '/file', scratch + '/copy')),
]:
    try: does(); print(name, 'done')
    except OSError as error: print(name, os.strerror(error.errno))
",
    );
    let said = "out Permission denied\nin Permission denied\nlink out Permission denied\n\
                link in Invalid cross-device link\ncopy done\n";
    assert_eq!(ran.log, said);
    let expected: BTreeSet<Refused> = ["mine", "file", "linked"]
        .into_iter()
        .map(|name| Refused::Write(place.repo.join(name)))
        .collect();
    assert_eq!(ran.seen().refused, expected);
    assert!(exists(&place.scratch.join("copy")) && !exists(&place.repo.join("mine")));
}

#[test]
fn a_file_without_a_name_gets_one() {
    let place = Place::new();
    let script = "
import os
scratch = os.environ['SCRATCH']
file = os.open(scratch, os.O_TMPFILE | os.O_RDWR)
os.write(file, b'x')
os.link(f'/proc/self/fd/{file}', scratch + '/named', src_dir_fd=file, follow_symlinks=True)
print(open(scratch + '/named').read())
try: os.open(os.environ['REPO'], os.O_TMPFILE | os.O_RDWR)
except OSError as error: print(error.strerror)
";
    let ran = place.python(script).succeeded();
    assert_eq!(ran.log, "x\nPermission denied\n");
    let refused: Vec<_> = ran.seen().refused.iter().cloned().collect();
    assert_eq!(refused, [Refused::Write(place.repo.clone())]);
}

#[test]
fn a_cache_is_neither_read_nor_written_and_that_is_no_offence() {
    let place = Place::with(&[("main.py", "import helper"), ("helper.py", "")]);
    let ran = place
        .run(super::place::PYTHON, &["main.py"])
        .succeeded()
        .refused_nothing();
    assert!(!exists(&place.repo.join("__pycache__")));
    assert!(
        ran.in_repo(&ran.seen().hidden)
            .contains(&"__pycache__".into())
    );
}
