//! Reading Markdown, as far as the documentation uses it.

use crate::docs::copy::root;
use std::path::{Path, PathBuf};

/// A document of the repository.
pub struct Document {
    /// From the root: `docs/theory.md`.
    pub name: String,
    pub text: String,
}

/// A fenced block.
pub struct Block {
    pub language: String,
    /// 1-based line of its first line.
    pub line: usize,
    pub text: String,
}

/// README.md and all documents below docs/.
pub fn documents() -> Vec<Document> {
    let mut names = vec![PathBuf::from("README.md")];
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).expect("a folder") {
            let path = folder.join(entry.expect("an entry").file_name());
            if root().join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                names.push(path);
            }
        }
    }
    names.sort();
    let read = |name: PathBuf| Document {
        text: std::fs::read_to_string(root().join(&name)).expect("a document"),
        name: name.to_string_lossy().into_owned(),
    };
    names.into_iter().map(read).collect()
}

impl Document {
    pub fn folder(&self) -> &Path {
        Path::new(&self.name).parent().unwrap_or(Path::new(""))
    }

    /// Fenced blocks.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut inside = false;
        for (number, line) in self.text.lines().enumerate() {
            match line.trim_start().strip_prefix("```") {
                Some(language) if !inside => {
                    inside = true;
                    blocks.push(Block {
                        language: language.to_owned(),
                        line: number + 2,
                        text: String::new(),
                    });
                }
                Some(_) => inside = false,
                None if inside => {
                    let block = blocks.last_mut().expect("an open block");
                    block.text += line;
                    block.text.push('\n');
                }
                None => {}
            }
        }
        assert!(!inside, "{}: a block is not closed", self.name);
        blocks
    }

    /// The lines outside of fenced blocks.
    pub fn prose(&self) -> String {
        let mut inside = false;
        let mut prose = String::new();
        for line in self.text.lines() {
            if line.trim_start().starts_with("```") {
                inside = !inside;
            } else if !inside {
                prose += line;
                prose.push('\n');
            }
        }
        prose
    }

    /// Anchors of its headings, as mdBook and GitHub make them.
    pub fn anchors(&self) -> Vec<String> {
        let prose = self.prose();
        let headings = prose.lines().filter(|line| line.starts_with('#'));
        headings
            .map(|line| {
                let title = line.trim_start_matches('#').trim().to_lowercase();
                let kept = title.chars().filter_map(|c| match c {
                    ' ' => Some('-'),
                    c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
                    _ => None,
                });
                kept.collect()
            })
            .collect()
    }

    /// Targets of links and pictures outside of code.
    pub fn links(&self) -> Vec<String> {
        let code = regex::Regex::new("`[^`]*`").expect("a pattern");
        let link = regex::Regex::new(r"\]\(([^)\s]+)\)").expect("a pattern");
        let prose = self.prose();
        let prose = code.replace_all(&prose, "code");
        let found = link.captures_iter(&prose);
        found.map(|capture| capture[1].to_owned()).collect()
    }
}
