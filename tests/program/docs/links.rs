//! Chapters exist and are all listed; links and their anchors lead somewhere.

use crate::docs::copy::root;
use crate::docs::text::{Document, documents};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

const SUMMARY: &str = "docs/SUMMARY.md";

/// Without `.` and `..`; `None` when it leaves the repository.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !plain.pop() {
                    return None;
                }
            }
            part => plain.push(part),
        }
    }
    Some(plain)
}

/// What is wrong with a document's links.
fn broken(document: &Document, all: &BTreeMap<PathBuf, &Document>) -> Vec<String> {
    let mut wrong = Vec::new();
    for link in document.links() {
        if link.starts_with("https://") {
            continue;
        }
        let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
        let target = match path {
            "" => Some(PathBuf::from(&document.name)),
            path => plain(&document.folder().join(path)),
        };
        let Some(target) = target.filter(|target| root().join(target).exists()) else {
            wrong.push(format!("{}: {link} does not exist", document.name));
            continue;
        };
        let known = |to: &&Document| to.anchors().iter().any(|known| known == anchor);
        if !anchor.is_empty() && !all.get(&target).is_some_and(known) {
            wrong.push(format!("{}: {link} has no such heading", document.name));
        }
    }
    wrong
}

#[test]
fn every_link_leads_somewhere() {
    let documents = documents();
    let all: BTreeMap<PathBuf, &Document> = documents
        .iter()
        .map(|d| (PathBuf::from(&d.name), d))
        .collect();
    let wrong: Vec<String> = documents.iter().flat_map(|d| broken(d, &all)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(documents.iter().map(|d| d.links().len()).sum::<usize>() > 30);
}

#[test]
fn the_check_of_links_can_fail() {
    let document = Document {
        name: "docs/a.md".into(),
        text: "# One thing\n[a](#one-thing) [b](#two) [c](b.md) [d](../../x) `[e](f)`\n".into(),
    };
    let all = BTreeMap::from([(PathBuf::from("docs/a.md"), &document)]);
    // The document is not on the disk, but the one that it stands for is.
    let shown = Document {
        name: "docs/theory.md".into(),
        text: document.text.clone(),
    };
    let all: BTreeMap<PathBuf, &Document> = all
        .into_iter()
        .chain([(PathBuf::from("docs/theory.md"), &shown)])
        .collect();
    let wrong = broken(&shown, &all);
    assert_eq!(wrong.len(), 3, "{wrong:?}");
}

#[test]
fn every_chapter_exists_and_every_document_is_a_chapter() {
    let documents = documents();
    let summary = documents.iter().find(|d| d.name == SUMMARY);
    let summary = summary.expect("the book has a summary");
    let chapters: Vec<PathBuf> = summary
        .links()
        .iter()
        .map(|link| plain(&summary.folder().join(link)).expect("inside"))
        .collect();
    for chapter in &chapters {
        assert!(root().join(chapter).is_file(), "{}", chapter.display());
    }
    let book = std::fs::read_to_string(root().join("book.toml")).expect("book.toml");
    assert!(book.contains("src = \"docs\""), "{book}");
    for document in &documents {
        let listed = chapters.contains(&PathBuf::from(&document.name));
        let outside = [SUMMARY, "README.md"].contains(&document.name.as_str());
        assert!(
            listed || outside,
            "{} is in no chapter of {SUMMARY}",
            document.name
        );
    }
}
