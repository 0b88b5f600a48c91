//! Links and folders by descriptor: what is read is told by a name that the caller can find.

use super::place::Place;
use sandbox::Refused;
use std::os::unix::fs::symlink;

#[test]
fn a_link_within_the_repository_is_told_by_its_name() {
    let place = Place::with(&[("data/v2/a", "2\n"), ("b", "b\n")]);
    symlink("v2", place.repo.join("data/current")).expect("a link");
    symlink("../b", place.repo.join("data/b")).expect("a link");
    symlink("nothing", place.repo.join("broken")).expect("a link");
    let ran =
        place.sh("cat data/current/a data/b; readlink data/b; test -e broken; test -h broken");
    let ran = ran.succeeded().refused_nothing();
    assert_eq!(ran.log, "2\nb\n../b\n");
    assert_eq!(ran.read(), ["data/b", "data/current/a"]);
    assert_eq!(ran.in_repo(&ran.seen().links), ["broken", "data/b"]);
    assert_eq!(ran.in_repo(&ran.seen().absent), ["broken"]);
}

#[test]
fn a_link_from_elsewhere_is_told_by_where_it_leads() {
    let place = Place::with(&[("data/a", "1\n"), ("b", "2\n")]);
    symlink(place.repo.join("data"), place.scratch.join("in")).expect("a link");
    symlink(place.repo.join("b"), place.scratch.join("b")).expect("a link");
    let ran =
        place.sh("cat $SCRATCH/in/a $SCRATCH/b; echo x > $SCRATCH/in/new; echo x >> $SCRATCH/b");
    assert!(ran.log.starts_with("1\n2\n"), "{}", ran.log);
    assert_eq!(ran.read(), ["b", "data/a"]);
    let refused: Vec<_> = ran.seen().refused.iter().cloned().collect();
    let write = |name: &str| Refused::Write(place.scratch.join(name));
    assert_eq!(refused, [write("b"), write("in/new")]);
    assert!(!place.repo.join("data/new").exists());
}

#[test]
fn a_link_out_of_the_repository_is_refused() {
    let place = Place::with(&[("a", "")]);
    std::fs::write(place.home.join("secret"), "secret").expect("a file");
    symlink(place.home.join("secret"), place.repo.join("link")).expect("a link");
    symlink(&place.home, place.repo.join("folder")).expect("a link");
    let ran = place.sh("cat link folder/secret");
    assert!(!ran.log.contains("secret\n") && ran.log.contains("Permission denied"));
    let refused: Vec<_> = ran.seen().refused.iter().cloned().collect();
    let read = |name: &str| Refused::Read(place.repo.join(name));
    assert_eq!(refused, [read("folder/secret"), read("link")]);
}

#[test]
fn a_repository_that_is_named_by_a_link() {
    let mut place = Place::with(&[("data/a", "1\n")]);
    let link = place.home.join("link");
    symlink(&place.repo, &link).expect("a link");
    place.bounds.watched = vec![link.clone()];
    let ran = place.sh(&format!("cat data/a {}/data/a", link.display()));
    let ran = ran.succeeded().refused_nothing();
    assert_eq!(
        (ran.log.as_str(), ran.read()),
        ("1\n1\n", vec!["data/a".into()])
    );
}

#[test]
fn paths_from_the_descriptor_of_a_folder() {
    let place = Place::with(&[("data/a", "1"), ("data/deep/b", "2"), ("c", "3")]);
    let script = "
import os
folder = os.open('data', os.O_PATH | os.O_DIRECTORY)
def text(name): return os.read(os.open(name, os.O_RDONLY, dir_fd=folder), 9).decode()
print(text('a'), text('deep/../deep/b'), text('../c'))
print(os.stat('a', dir_fd=folder).st_size, os.access('none', os.R_OK, dir_fd=folder))
os.chdir('data/deep')
print(open('../a').read(), os.listdir('.'))
";
    let ran = place.python(script).succeeded().refused_nothing();
    assert_eq!(ran.log, "1 2 3\n1 False\n1 ['b']\n");
    assert_eq!(ran.read(), ["c", "data/a", "data/deep/b"]);
    assert_eq!(ran.in_repo(&ran.seen().absent), ["data/none"]);
    assert_eq!(ran.in_repo(&ran.seen().listed), ["data/deep"]);
}
