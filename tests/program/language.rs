//! The tasks in words as they lie below data/, against the rules that data/language/README.md states.

use flate2::read::GzDecoder;
use icl::math::stream::Stream;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use tuning::language::items::{Item, parse};
use tuning::language::letters::letter_prompt;
use tuning::language::prompt::{query, shots};
use tuning::language::split::{Shares, Split, split};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(name)
}

fn unpacked(name: &str) -> String {
    let bytes = std::fs::read(data(name)).expect("a file");
    let mut text = String::new();
    GzDecoder::new(&bytes[..])
        .read_to_string(&mut text)
        .expect("gzip of UTF-8");
    text
}

fn items() -> Vec<Item> {
    parse(unpacked("language/tasks.tsv.gz").as_bytes()).expect("items")
}

fn tasks(items: &[Item]) -> BTreeMap<&str, Vec<&Item>> {
    let mut tasks: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
    for item in items {
        tasks.entry(&item.task).or_default().push(item);
    }
    tasks
}

#[test]
fn the_readme_counts_the_items_and_shows_some_of_them() {
    let readme = std::fs::read_to_string(data("language/README.md")).expect("a page");
    let mut listed = BTreeMap::new();
    for line in readme.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let count: usize = cells[3].parse().expect("a count");
        listed.insert(cells[1].trim_matches('`').to_owned(), (count, cells[2]));
    }
    let items = items();
    let tasks = tasks(&items);
    assert_eq!(listed.len(), tasks.len());
    for (task, items) in &tasks {
        let (count, example) = listed[*task];
        assert_eq!(items.len(), count, "{task}");
        let (question, answer) = example.split_once(", ").expect("an example");
        let shown = |item: &&Item| item.question == question && item.answer == answer;
        assert!(items.iter().any(shown), "{task}: {example}");
    }
}

#[test]
fn items_are_sorted_by_task_and_rank_and_answers_are_words() {
    let items = items();
    let place = |item: &Item| (item.task.clone(), item.rank);
    assert!(items.is_sorted_by_key(place));
    for (task, items) in tasks(&items) {
        let ranks: Vec<usize> = items.iter().map(|item| item.rank).collect();
        assert!(ranks.into_iter().eq(1..=items.len()), "{task}");
    }
    for item in &items {
        let names = item.task.starts_with("country_") || item.task.starts_with("english_");
        let is_lower = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
        let is_words = |text: &str| {
            text.split(' ')
                .all(|word| !word.is_empty() && word.chars().all(char::is_alphabetic))
        };
        assert!(item.question != item.answer, "{item:?}");
        assert!(
            is_words(&item.question) && is_words(&item.answer),
            "{item:?}"
        );
        assert!(names || is_lower(&item.question), "{item:?}");
        match item.task.as_str() {
            "upper_case" => assert_eq!(item.answer, item.question.to_uppercase()),
            "first_letter" => assert_eq!(item.answer, item.question[..1]),
            "past_regular" => assert!(item.answer.ends_with("ed"), "{item:?}"),
            "plural_regular" => assert!(item.answer.ends_with('s'), "{item:?}"),
            "comparative" => assert!(
                item.answer.ends_with('r') || item.answer == "worse",
                "{item:?}"
            ),
            _ => assert!(names || is_lower(&item.answer), "{item:?}"),
        }
    }
}

#[test]
fn forms_and_facts_are_right() {
    let items = items();
    let answer = |task: &str, question: &str| {
        let found = items
            .iter()
            .find(|item| item.task == task && item.question == question);
        found.map(|item| item.answer.as_str())
    };
    for (task, question, expected) in [
        ("past_irregular", "sing", "sang"),
        ("past_irregular", "fly", "flew"),
        ("past_irregular", "begin", "began"),
        ("past_irregular", "win", "won"),
        ("past_regular", "occur", "occurred"),
        ("past_regular", "limit", "limited"),
        ("plural_irregular", "child", "children"),
        ("plural_regular", "box", "boxes"),
        ("comparative", "big", "bigger"),
        ("comparative", "good", "better"),
        ("hypernym_class", "dog", "animal"),
        ("hypernym_class", "violin", "instrument"),
        ("country_continent", "Canada", "North America"),
        ("country_language", "Brazil", "Portuguese"),
        ("english_spanish", "German", "alemán"),
    ] {
        assert_eq!(answer(task, question), Some(expected), "{task} {question}");
    }
    // Two forms, the verb itself, two official languages, two continents, classes by the sense.
    for (task, question) in [
        ("past_irregular", "burn"),
        ("past_irregular", "show"),
        ("past_regular", "cut"),
        ("past_regular", "travel"),
        ("plural_regular", "sheep"),
        ("country_language", "Switzerland"),
        ("country_continent", "Russia"),
        ("hypernym_class", "chicken"),
    ] {
        assert_eq!(answer(task, question), None, "{task} {question}");
    }
}

#[test]
fn every_task_splits_near_its_shares_and_no_question_is_in_two_splits() {
    let items = items();
    let shares = Shares {
        development: 0.1,
        test: 0.4,
    };
    let splits = split(&items, shares, 1).expect("some of each");
    let mut of: BTreeMap<String, Split> = BTreeMap::new();
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for (item, split) in items.iter().zip(&splits) {
        counts.entry(&item.task).or_default()[*split as usize] += 1;
        let first = of.entry(item.question.to_lowercase()).or_insert(*split);
        assert_eq!(first, split, "{item:?}");
    }
    for (task, [train, development, test]) in counts {
        let n = (train + development + test) as f64;
        let (development, test) = (development as f64 / n, test as f64 / n);
        assert!((0.35..=0.45).contains(&test), "{task}: {test}");
        assert!(
            (0.06..=0.15).contains(&development),
            "{task}: {development}"
        );
    }
}

#[test]
fn letters_are_dealt_to_the_classes_of_words() {
    let items = items();
    let words: Vec<Item> = items
        .into_iter()
        .filter(|item| item.task == "hypernym_class")
        .collect();
    let classes: BTreeSet<&str> = words.iter().map(|word| word.answer.as_str()).collect();
    assert_eq!(classes.len(), 13);
    let prompt = letter_prompt(&words, 4, 10, &mut Stream::new(0, "a test", &[])).expect("words");
    let text = shots(&prompt.shots) + &query(&prompt.query);
    assert_eq!(text.matches(" -> ").count(), 10);
    assert!(text.ends_with(" ->"), "{text}");
}
