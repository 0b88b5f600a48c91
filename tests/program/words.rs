//! The names of CLDR as they lie below data/, against the rules that data/words/cut.py states.

use flate2::read::GzDecoder;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use tuning::words::features::Vocabulary;

fn text() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/words/names.tsv.gz");
    let bytes = std::fs::read(path).expect("the names");
    let mut text = String::new();
    GzDecoder::new(&bytes[..])
        .read_to_string(&mut text)
        .expect("gzip of UTF-8");
    text
}

/// Language, thing and name of each line.
fn rows(text: &str) -> Vec<[&str; 3]> {
    let row = |line| -> [&str; 3] {
        let fields: Vec<&str> = str::split(line, '\t').collect();
        fields.try_into().expect("three columns")
    };
    text.lines().map(row).collect()
}

#[test]
fn names_are_sorted_and_each_language_has_enough() {
    let text = text();
    let rows = rows(&text);
    assert!(rows.is_sorted_by(|a, b| (a[1], a[0]) < (b[1], b[0])));
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for [language, thing, _] in &rows {
        let kind = thing.split('/').next();
        assert!(matches!(kind, Some("language" | "territory" | "script")));
        *sizes.entry(language).or_default() += 1;
    }
    assert_eq!((rows.len(), sizes.len()), (101_068, 116));
    assert!(sizes.values().all(|&size| size >= 400), "{sizes:?}");
}

#[test]
fn no_language_is_a_copy_of_another() {
    let text = text();
    let mut languages: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for [language, thing, name] in rows(&text) {
        languages.entry(language).or_default().insert(thing, name);
    }
    // Haitian repeats French, `no` repeats `nb`: the first of each stays.
    assert!(languages.contains_key("fr") && !languages.contains_key("ht"));
    assert!(languages.contains_key("nb") && !languages.contains_key("no"));
    for (one, names) in &languages {
        for (other, others) in languages.range(*one..).skip(1) {
            let both: Vec<bool> = { names.iter() }
                .filter_map(|(thing, name)| others.get(thing).map(|other| name == other))
                .collect();
            let equal = both.iter().filter(|equal| **equal).count();
            let share = equal as f64 / both.len() as f64;
            assert!(share < 0.8, "{one} and {other}: {share}");
        }
    }
}

/// What the documentation of the vocabulary says of collisions: a name is told by all its ids.
#[test]
fn names_with_other_letters_hardly_ever_have_the_same_ids() {
    let text = text();
    let vocabulary = Vocabulary::new(8192).expect("a size");
    let names: BTreeSet<String> = rows(&text)
        .iter()
        .map(|row| row[2].to_lowercase())
        .collect();
    let mut bags: BTreeMap<Vec<u32>, usize> = BTreeMap::new();
    for name in &names {
        *bags.entry(vocabulary.bag(name)).or_default() += 1;
    }
    let alike: usize = bags.values().filter(|&&names| names > 1).sum();
    assert!(alike * 1000 < names.len(), "{alike} of {}", names.len());
}
