//! What code can affect what: sources as tokens, who names whom, and digests of both.
//!
//! A file is digested as its tokens without comments, documentation and `#[cfg(test)]` items. A file
//! reaches every file that it names by a path (`crate::...`, `super::...`), and every locked
//! dependency that it names, and all that these reach. Two rules make that complete, and reading
//! fails where they are broken: an `impl` stands in the file of its type or of its trait, and no file
//! pulls in another by `include!`, `include_str!` or `include_bytes!`.
//!
//! The engine (`pipeline/`) is left out: it never affects an output byte, and its contract with the
//! stages has a version of its own in every key.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Folders that cannot affect an output.
const OUTSIDE: [&str; 2] = ["pipeline/", "cli/"];
/// Dependencies that cannot affect an output: `schemars` describes parameters to editors.
const WITHOUT_EFFECT: [&str; 1] = ["schemars"];

/// All sources of the crate, digested and linked.
pub struct Code {
    files: BTreeMap<String, Source>,
    crates: BTreeMap<String, String>,
    /// Digest of the lock of the dependencies.
    lock: String,
}

struct Source {
    /// Digest of the tokens.
    digest: String,
    /// Digest of the bytes.
    raw: String,
    /// Files that it names.
    files: BTreeSet<String>,
    /// Dependencies that it names.
    crates: BTreeSet<String>,
}

impl Code {
    /// Reads every `.rs` file below `src`, and the lock of the dependencies.
    pub fn read(src: &Path, lock: &Path) -> Result<Code, String> {
        let mut texts = BTreeMap::new();
        collect(src, "", &mut texts)?;
        let lock = std::fs::read_to_string(lock).map_err(|e| format!("Cargo.lock: {e}"))?;
        Code::link(&texts, &lock)
    }

    /// Links sources given as text: names relative to `src`, and the text of Cargo.lock.
    pub fn link(texts: &BTreeMap<String, String>, lock: &str) -> Result<Code, String> {
        let crates = locked_crates(lock);
        let mut files = BTreeMap::new();
        for (name, text) in texts {
            let in_file = |e: String| format!("src/{name}: {e}");
            // What the compiler takes for one line end, a checkout may have as two characters.
            let plain = text.replace("\r\n", "\n");
            let stream: TokenStream = plain.parse().map_err(|e| in_file(format!("{e}")))?;
            let tokens = Tokens::of(stream);
            if !is_outside(name) {
                tokens.check_impls().map_err(in_file)?;
            }
            let mut source = Source {
                digest: tokens.digest(),
                raw: blake3::hash(text.as_bytes()).to_hex()[..16].to_owned(),
                files: BTreeSet::new(),
                crates: BTreeSet::new(),
            };
            for path in tokens.paths().map_err(in_file)? {
                if ["crate", "super", "self"].contains(&path[0].as_str()) {
                    let found = resolve(name, &path, texts);
                    // A folder's name could stand for any of its files later on.
                    if found.as_ref().is_some_and(|file| file.ends_with("/mod.rs"))
                        && !is_outside(name)
                    {
                        let path = path.join("::");
                        return Err(in_file(format!("`{path}` names a folder: name its file")));
                    }
                    source.files.extend(found);
                } else if crates.contains_key(&path[0])
                    && !WITHOUT_EFFECT.contains(&path[0].as_str())
                {
                    source.crates.insert(path[0].clone());
                }
            }
            files.insert(name.clone(), source);
        }
        let lock = blake3::hash(lock.as_bytes()).to_hex().to_string();
        Ok(Code {
            files,
            crates,
            lock,
        })
    }

    /// The names of all files, relative to `src`.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Each file with the files that it names.
    pub fn imports(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.files.iter().map(move |(name, source)| {
            (
                name.as_str(),
                source.files.iter().map(String::as_str).collect(),
            )
        })
    }

    /// Everything that can affect what a file does: names with token digests or locked versions.
    pub fn reach(&self, file: &str) -> Vec<(String, String)> {
        let mut reached = BTreeSet::from([file]);
        let mut crates = BTreeSet::new();
        let mut ahead = vec![file];
        while let Some(source) = ahead.pop().and_then(|name| self.files.get(name)) {
            crates.extend(source.crates.iter().map(String::as_str));
            for next in &source.files {
                if !is_outside(next) && reached.insert(next) {
                    ahead.push(next);
                }
            }
        }
        let files = reached
            .iter()
            .filter_map(|name| Some((name.to_string(), self.files.get(*name)?.digest.clone())));
        let crates = crates
            .iter()
            .map(|name| (format!("crate {name}"), self.crates[*name].clone()));
        files.chain(crates).collect()
    }

    /// A digest of all sources and locked dependencies: it tells this program from others.
    pub fn program(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (name, source) in &self.files {
            hasher.update(format!("{name}\n{}\n", source.raw).as_bytes());
        }
        hasher.update(self.lock.as_bytes());
        hasher.finalize().to_hex().to_string()
    }

    /// The digest of each file's bytes, to notice that the sources are not those of the binary.
    pub fn raw(&self) -> Vec<(&str, &str)> {
        self.files
            .iter()
            .map(|(name, source)| (name.as_str(), source.raw.as_str()))
            .collect()
    }
}

fn is_outside(file: &str) -> bool {
    !file.contains('/') || OUTSIDE.iter().any(|folder| file.starts_with(folder))
}

fn collect(
    folder: &Path,
    prefix: &str,
    texts: &mut BTreeMap<String, String>,
) -> Result<(), String> {
    let error = |e: std::io::Error| format!("{}: {e}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(error)? {
        let entry = entry.map_err(error)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), texts)?;
        } else if name.ends_with(".rs") {
            texts.insert(name, std::fs::read_to_string(entry.path()).map_err(error)?);
        }
    }
    Ok(())
}

/// The file that a path names: the longest prefix of the path that is a module with a file.
fn resolve(from: &str, path: &[String], texts: &BTreeMap<String, String>) -> Option<String> {
    let module = from.trim_end_matches(".rs");
    let module = module.strip_suffix("/mod").unwrap_or(module);
    let mut steps: Vec<&str> = match path[0].as_str() {
        "crate" => Vec::new(),
        _ => module.split('/').collect(),
    };
    let mut rest = &path[1..];
    if path[0] == "super" {
        steps.pop();
    }
    while rest.first().is_some_and(|step| step == "super") {
        steps.pop();
        rest = &rest[1..];
    }
    let given = steps.len();
    steps.extend(rest.iter().map(String::as_str));
    (1..=steps.len())
        .rev()
        .take_while(|&n| n + 1 > given)
        .find_map(|n| {
            let module = steps[..n].join("/");
            let files = [format!("{module}.rs"), format!("{module}/mod.rs")];
            files
                .into_iter()
                .find(|file| texts.contains_key(file) && file != from)
        })
}

/// A file's tokens, without what cannot affect what it does.
struct Tokens(Vec<Token>);

/// A token; groups are flattened into their delimiters.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    Open(char),
    Close(char),
    Ident(String),
    Punct(char),
    Literal(String),
}

impl Tokens {
    fn of(stream: TokenStream) -> Self {
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        Tokens(tokens)
    }

    fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for token in &self.0 {
            let (tag, text) = match token {
                Token::Open(c) => (0u8, c.to_string()),
                Token::Close(c) => (1, c.to_string()),
                Token::Ident(text) => (2, text.clone()),
                Token::Punct(c) => (3, c.to_string()),
                Token::Literal(text) => (4, text.clone()),
            };
            hasher.update(&[tag]);
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }

    /// Every path of at least two steps, with groups of a `use` spelled out.
    fn paths(&self) -> Result<Vec<Vec<String>>, String> {
        let mut paths = Vec::new();
        let mut i = 0;
        while i < self.0.len() {
            if let Token::Ident(name) = &self.0[i] {
                let starts_path = self.is_colons(i + 1) && !(i >= 2 && self.is_colons(i - 2));
                if starts_path {
                    self.path(i, &mut Vec::new(), &mut paths);
                }
                let include = ["include", "include_str", "include_bytes"].contains(&name.as_str());
                let generated = self.0.get(i + 3) == Some(&Token::Ident("concat".into()));
                if include && self.0.get(i + 1) == Some(&Token::Punct('!')) && !generated {
                    return Err(format!("`{name}!` hides a dependency from the keys"));
                }
            }
            i += 1;
        }
        Ok(paths)
    }

    fn is_colons(&self, i: usize) -> bool {
        let colon = Some(&Token::Punct(':'));
        self.0.get(i) == colon && self.0.get(i + 1) == colon
    }

    /// Reads the path, or the group of paths, that starts at `i`; returns where it ends.
    fn path(&self, mut i: usize, prefix: &mut Vec<String>, paths: &mut Vec<Vec<String>>) -> usize {
        let depth = prefix.len();
        loop {
            match self.0.get(i) {
                Some(Token::Ident(step)) => {
                    prefix.push(step.clone());
                    i += 1;
                    if self.is_colons(i) {
                        i += 2;
                        continue;
                    }
                    paths.push(prefix.clone());
                }
                Some(Token::Open('{')) => {
                    i += 1;
                    while !matches!(self.0.get(i), None | Some(Token::Close('}'))) {
                        match &self.0[i] {
                            Token::Ident(_) | Token::Open('{') => i = self.path(i, prefix, paths),
                            _ => i += 1,
                        }
                    }
                    i += 1;
                }
                // A glob, a turbofish or anything else ends the path.
                _ => paths.push(prefix.clone()),
            }
            prefix.truncate(depth);
            return i;
        }
    }

    /// Finds an `impl` whose type and trait are both defined elsewhere.
    fn check_impls(&self) -> Result<(), String> {
        let ident = |i: usize| match self.0.get(i) {
            Some(Token::Ident(name)) => Some(name.as_str()),
            _ => None,
        };
        let definition = |i: usize| {
            let keyword = ["struct", "enum", "trait", "union", "type"].contains(&ident(i)?);
            if keyword { ident(i + 1) } else { None }
        };
        let defined: BTreeSet<&str> = (0..self.0.len()).filter_map(definition).collect();
        for i in 0..self.0.len() {
            let before = i.checked_sub(1).map(|j| &self.0[j]);
            let item = match before {
                None | Some(Token::Close('}' | ']') | Token::Punct(';')) => true,
                Some(Token::Ident(name)) => name == "unsafe",
                // `impl Trait` in a type position follows punctuation or opens a group.
                Some(Token::Open('{')) => true,
                _ => false,
            };
            if ident(i) != Some("impl") || !item {
                continue;
            }
            let names = self.impl_names(i + 1);
            if !names.is_empty() && !names.iter().any(|name| defined.contains(name.as_str())) {
                let names = names.join(" ");
                return Err(format!(
                    "`impl {names}` stands in a file that defines neither: code digests follow names"
                ));
            }
        }
        Ok(())
    }

    /// Every name in the header of an `impl` (who uses it must name one of them); none in a macro.
    fn impl_names(&self, start: usize) -> Vec<String> {
        let header = self.0[start..]
            .iter()
            .take_while(|token| **token != Token::Open('{'));
        let in_macro = header.clone().any(|token| *token == Token::Punct('$'));
        let names = header.filter_map(|token| match token {
            Token::Ident(name) if !in_macro => Some(name.clone()),
            _ => None,
        });
        names.collect()
    }
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    let mut i = 0;
    while i < trees.len() {
        if let Some(after) = documentation(&trees, i) {
            i = after;
            continue;
        }
        if let Some(after) = test_item(&trees, i) {
            i = after;
            continue;
        }
        match &trees[i] {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ('(', ')'),
                    Delimiter::Brace => ('{', '}'),
                    Delimiter::Bracket => ('[', ']'),
                    Delimiter::None => (' ', ' '),
                };
                tokens.push(Token::Open(open));
                flatten(group.stream(), tokens);
                tokens.push(Token::Close(close));
            }
            TokenTree::Ident(ident) => tokens.push(Token::Ident(ident.to_string())),
            TokenTree::Punct(punct) => tokens.push(Token::Punct(punct.as_char())),
            TokenTree::Literal(literal) => tokens.push(Token::Literal(literal.to_string())),
        }
        i += 1;
    }
}

/// The end of the attribute that starts at `i`, and its content.
fn attribute(trees: &[TokenTree], i: usize) -> Option<(usize, String)> {
    let punct =
        |i: usize, c: char| matches!(trees.get(i), Some(TokenTree::Punct(p)) if p.as_char() == c);
    if !punct(i, '#') {
        return None;
    }
    let at = if punct(i + 1, '!') { i + 2 } else { i + 1 };
    match trees.get(at)? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
            let text: String = group.stream().to_string().split_whitespace().collect();
            Some((at + 1, text))
        }
        _ => None,
    }
}

fn documentation(trees: &[TokenTree], i: usize) -> Option<usize> {
    let (after, text) = attribute(trees, i)?;
    text.starts_with("doc=").then_some(after)
}

/// The end of an item under `#[cfg(test)]`: its body, or its semicolon.
fn test_item(trees: &[TokenTree], i: usize) -> Option<usize> {
    let (mut i, text) = attribute(trees, i)?;
    if text != "cfg(test)" {
        return None;
    }
    while let Some(tree) = trees.get(i) {
        i += 1;
        match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return Some(i),
            TokenTree::Punct(punct) if punct.as_char() == ';' => return Some(i),
            _ => {}
        }
    }
    Some(i)
}

/// Each package of Cargo.lock, by its name in Rust: its version, and a digest of the versions of all
/// that it depends on. Of several versions of one package the newest counts, with a digest of all.
fn locked_crates(lock: &str) -> BTreeMap<String, String> {
    let mut packages: BTreeMap<String, Vec<(String, Vec<String>)>> = BTreeMap::new();
    for block in lock.split("[[package]]").skip(1) {
        let field = |key: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(key))?;
            Some(line.trim_start_matches(" = ").trim_matches('"').to_owned())
        };
        let depends = block
            .lines()
            .filter_map(|line| line.strip_prefix(" \""))
            .map(|line| line.split(['"', ' ']).next().unwrap_or_default().to_owned());
        if let (Some(name), Some(version)) = (field("name"), field("version")) {
            packages
                .entry(name)
                .or_default()
                .push((version, depends.collect()));
        }
    }
    let renamed = BTreeMap::from([("serde-saphyr", "serde_yaml")]);
    let mut crates = BTreeMap::new();
    for (name, versions) in &packages {
        let mut reached = BTreeSet::from([name.as_str()]);
        let mut ahead = vec![name.as_str()];
        while let Some(next) = ahead.pop() {
            for (_, depends) in packages.get(next).into_iter().flatten() {
                ahead.extend(
                    depends
                        .iter()
                        .map(String::as_str)
                        .filter(|d| reached.insert(d)),
                );
            }
        }
        let mut hasher = blake3::Hasher::new();
        for name in reached {
            for (version, _) in packages.get(name).into_iter().flatten() {
                hasher.update(format!("{name} {version}\n").as_bytes());
            }
        }
        let version = versions
            .last()
            .map(|(version, _)| version.as_str())
            .unwrap_or_default();
        let digest = &hasher.finalize().to_hex()[..8];
        let rust_name = renamed
            .get(name.as_str())
            .map_or(name.replace('-', "_"), |n| n.to_string());
        crates.insert(rust_name, format!("{version}+{digest}"));
    }
    crates
}
