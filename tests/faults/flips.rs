//! One bit flipped in every kind of file that is kept, and objects cut short.

use crate::repository::{Files, Repository, files_below, number};
use icl::math::stream::Stream;
use retrace::base::digest::Digest;
use retrace::store::stat::{Stamp, seal, unseal};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What is kept, and how many in twenty of the flips hit it.
const KINDS: [(&str, usize); 8] = [
    (".icl-repro/objects", 7),
    (".icl-repro/actions.log", 3),
    (".icl-repro/stat", 1),
    (".icl-repro/confirmed", 1),
    (".icl-repro/history.jsonl", 1),
    (".icl-repro/format", 1),
    ("pipeline.lock", 3),
    ("figures", 2),
];
/// Outputs that are not committed: the last share.
const INTERMEDIATE: (&str, usize) = ("artifacts", 1);

/// Which file a flip hits, and whether its time of modification is put back.
struct Flip {
    kind: &'static str,
    path: PathBuf,
    byte: usize,
    bit: u8,
    keeps_time: bool,
}

impl Flip {
    fn choose(repository: &Repository, kind: &'static str, random: &mut Stream) -> Flip {
        let files = files_below(&repository.path(kind));
        let path = files[below(random, files.len())].clone();
        let size = fs::metadata(&path).expect("a file").len() as usize;
        Flip {
            kind,
            path,
            byte: below(random, size),
            bit: 1 << below(random, 8),
            keeps_time: below(random, 2) == 0,
        }
    }

    fn make(&self) {
        damage(&self.path, self.keeps_time, |bytes| {
            bytes[self.byte] ^= self.bit;
        });
    }
}

fn below(random: &mut Stream, end: usize) -> usize {
    ((random.uniform() * end as f64) as usize).min(end - 1)
}

/// Changes a file in place, whatever its permissions.
fn damage(path: &Path, keeps_time: bool, change: impl FnOnce(&mut Vec<u8>)) {
    let meta = fs::metadata(path).expect("a file");
    let mut bytes = fs::read(path).expect("readable");
    change(&mut bytes);
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("ours");
    fs::write(path, bytes).expect("a file");
    if keeps_time {
        let file = fs::File::options().write(true).open(path).expect("ours");
        let modified = meta.modified().expect("a time");
        file.set_modified(modified).expect("ours");
    }
    fs::set_permissions(path, meta.permissions()).expect("ours");
}

/// A repository with everything made, and confirmed.
fn made() -> (Repository, Files) {
    let repository = Repository::new();
    repository.expect(0, &["run"]);
    repository.expect(0, &["run"]);
    // The second looks when all stamps are old enough to be remembered, which takes some runs.
    while files_below(&repository.path(".icl-repro/confirmed")).is_empty() {
        repository.expect(0, &["run"]);
    }
    let results = repository.results();
    (repository, results)
}

#[test]
fn a_flipped_bit_is_found_and_named_or_harms_nothing_and_heals() {
    let flips = number("ICL_REPRO_FLIPS", 200);
    let (repository, expected) = made();
    let mut random = Stream::new(0, "flipped bits", &[]);
    let shares = KINDS.iter().chain([&INTERMEDIATE]);
    let kinds: Vec<&str> = shares
        .flat_map(|(kind, share)| std::iter::repeat_n(*kind, *share))
        .collect();
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for n in 0..flips {
        while files_below(&repository.path(".icl-repro/confirmed")).is_empty() {
            repository.expect(0, &["run"]);
        }
        if kinds[n % kinds.len()].ends_with("actions.log") {
            // Lines of results that were made again say nothing.
            repository.expect(0, &["gc"]);
        }
        let flip = Flip::choose(&repository, kinds[n % kinds.len()], &mut random);
        let whole = fs::read(&flip.path).expect("readable");
        flip.make();
        let outcome = check(&repository, &flip, &whole, &expected);
        *counts.entry((flip.kind, outcome)).or_default() += 1;
    }
    for ((kind, outcome), count) in counts {
        eprintln!("{kind}: {count} {outcome}");
    }
}

/// Looks, runs, and looks again; says what became of the flip.
fn check(repository: &Repository, flip: &Flip, whole: &[u8], expected: &Files) -> &'static str {
    let shown = flip.path.strip_prefix(&repository.root).expect("below");
    let context = format!("{} byte {} bit {}", shown.display(), flip.byte, flip.bit);
    let verified = repository.run(&["verify"]);
    let name = shown.to_string_lossy();
    let is_output = ["figures", "artifacts"].contains(&flip.kind);
    if is_output || flip.kind.ends_with("objects") {
        assert_eq!(verified.code, Some(3), "{context}\n{}", verified.text);
        assert!(
            verified.text.contains(&*name),
            "{context}\n{}",
            verified.text
        );
    }
    let lock = flip.kind == "pipeline.lock";
    if lock {
        assert!(
            [2, 3].map(Some).contains(&verified.code),
            "{context}\n{}",
            verified.text
        );
    }
    let ran = repository.run(&["run"]);
    let outcome = match ran.code {
        Some(0) if verified.code == Some(3) => "found by verify, healed by a run",
        Some(0) if ran.text.contains(" ran (") => "found by the run, which made it again",
        Some(0) => "not believed: no result rests on it",
        // A newer format, or what nobody could have written: named, and left alone.
        Some(2) => {
            assert!(ran.text.contains("hint: "), "{context}\n{}", ran.text);
            assert!(
                ran.text.contains("pipeline.lock") || ran.text.contains(".icl-repro"),
                "{context}\n{}",
                ran.text
            );
            let left = fs::read(&flip.path).expect("readable");
            assert_eq!(whole.len(), left.len(), "{context}: it is left alone");
            assert_ne!(whole, left, "{context}: it is left alone");
            fs::write(&flip.path, whole).expect("ours");
            "refused by name, and left alone"
        }
        // The lock is what results are compared with: no run makes it agree.
        Some(3) if lock => {
            assert!(
                ran.text.contains("the lock was left alone"),
                "{context}\n{}",
                ran.text
            );
            fs::write(&flip.path, whole).expect("ours");
            "reported as a difference, and left alone"
        }
        _ => panic!("{context}: {:?}\n{}", ran.code, ran.text),
    };
    repository.expect(0, &["run"]);
    let found = repository.results();
    assert!(
        found == *expected,
        "{context}: the results are those of before"
    );
    let verified = repository.expect(0, &["verify"]);
    assert!(verified.contains("equal the lock"), "{context}\n{verified}");
    outcome
}

#[test]
fn an_object_cut_anywhere_is_named_and_made_again() {
    let (repository, expected) = made();
    for object in files_below(&repository.path(".icl-repro/objects")) {
        let size = fs::metadata(&object).expect("a file").len() as usize;
        for length in [0, size / 2, size - 1] {
            damage(&object, true, |bytes| bytes.truncate(length));
            let found = repository.expect(3, &["verify"]);
            let name = object.file_name().expect("a name").to_string_lossy();
            assert!(
                found.contains(&*name) && found.contains("damaged"),
                "{found}"
            );
            repository.expect(0, &["run"]);
            repository.expect(0, &["verify"]);
        }
    }
    assert!(repository.results() == expected);
}

/// Makes the memory of files say of a file as it is now that its content is the one of before: as
/// if the disk had lost the bit without a trace in the file's times.
fn leave_no_trace(repository: &Repository, path: &Path) {
    let memory = repository.path(".icl-repro/stat");
    let text = fs::read(&memory).expect("readable");
    let first = text.split(|&byte| byte == b'\n').next().expect("a line");
    let first = String::from_utf8(first.to_vec()).expect("UTF-8");
    let title = first.rsplitn(3, ' ').nth(2).expect("a title");
    let body = unseal(title, &text).expect("whole");
    let mut forged = Vec::new();
    let mut known = 0;
    for line in body.split(|&byte| byte == b'\n').filter(|l| !l.is_empty()) {
        let (stamp, rest) = Stamp::read(line).expect("a stamp");
        let is_it = rest.ends_with(path.as_os_str().as_bytes());
        known += usize::from(is_it);
        let stamp = match is_it {
            true => Stamp::of(path).expect("a file"),
            false => stamp,
        };
        stamp.write(&mut forged);
        forged.extend_from_slice(rest);
        forged.push(b'\n');
    }
    assert_eq!(known, 1, "{} is remembered", path.display());
    fs::write(&memory, seal(title, &forged)).expect("a file");
}

#[test]
fn a_bit_that_the_disk_lost_without_a_trace_is_found_by_verify_and_healed_by_paranoid() {
    let (repository, expected) = made();
    let mut random = Stream::new(0, "lost bits", &[]);
    for object in files_below(&repository.path(".icl-repro/objects")) {
        let size = fs::metadata(&object).expect("a file").len() as usize;
        let byte = below(&mut random, size);
        damage(&object, true, |bytes| bytes[byte] ^= 1);
        leave_no_trace(&repository, &object);
        // What a plain run promises is no more than what the file system says.
        repository.expect(0, &["run"]);
        let found = repository.expect(3, &["verify"]);
        assert!(found.contains("damaged"), "{found}");
        repository.expect(0, &["run", "--paranoid"]);
        repository.expect(0, &["verify"]);
        assert!(Digest::of_file(&object).is_ok());
        repository.expect(0, &["run"]);
    }
    assert!(repository.results() == expected);
}

#[test]
fn a_plain_run_that_trips_over_such_a_bit_says_so_and_the_next_one_heals() {
    let (repository, expected) = made();
    for output in files_below(&repository.path("figures")) {
        let object = object_of(&repository, &output);
        let whole = fs::read(&object).expect("readable");
        damage(&object, true, |bytes| bytes[0] ^= 1);
        leave_no_trace(&repository, &object);
        fs::remove_file(&output).expect("ours");
        let said = repository.expect(1, &["run"]);
        assert!(said.contains("is damaged"), "{said}");
        repository.expect(0, &["run"]);
        assert_eq!(fs::read(&object).expect("readable"), whole);
        repository.expect(0, &["run"]);
    }
    assert!(repository.results() == expected);
}

fn object_of(repository: &Repository, output: &Path) -> PathBuf {
    let (digest, _) = Digest::of_file(output).expect("readable");
    let text = digest.to_string();
    repository
        .path(".icl-repro/objects")
        .join(&text[..2])
        .join(&text[2..])
}
