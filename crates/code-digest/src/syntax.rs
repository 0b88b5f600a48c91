//! What a file says of other files: its imports, and the paths in its code.
//!
//! Knows how a path is written, not where it leads.

use crate::tokens::Token;
use std::collections::BTreeSet;

/// A piece of a file, in its order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    /// A token that names nothing.
    Token(Token),
    /// A path of at least two steps.
    Path(Vec<String>),
    /// Imports that stand one behind the other: formatters sort them.
    Imports(Vec<Import>),
}

/// One name that a `use` brings, or all of a module.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Import {
    /// `pub`, `pub(crate)`, or nothing.
    pub visibility: String,
    pub path: Vec<String>,
    /// Under which name it is known here; `None` for all that is in the path (`*`).
    pub name: Option<String>,
}

/// Takes the tokens of a file apart.
pub(crate) fn pieces(tokens: &[Token]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        if let Some((after, imports)) = imports(tokens, i) {
            match pieces.last_mut() {
                Some(Piece::Imports(before)) => before.extend(imports),
                _ => pieces.push(Piece::Imports(imports)),
            }
            i = after;
            continue;
        }
        let (path, after) = path(tokens, i);
        if path.len() > 1 && !(i >= 2 && is_colons(tokens, i - 2)) {
            pieces.push(Piece::Path(path));
            i = after;
        } else {
            pieces.push(Piece::Token(tokens[i].clone()));
            i += 1;
        }
    }
    pieces
}

fn is_colons(tokens: &[Token], i: usize) -> bool {
    let colon = Some(&Token::Punct(':'));
    tokens.get(i) == colon && tokens.get(i + 1) == colon
}

fn ident(tokens: &[Token], i: usize) -> Option<&str> {
    match tokens.get(i) {
        Some(Token::Ident(name)) => Some(name),
        _ => None,
    }
}

/// The names that stand at `i` with `::` between them, and where they end.
fn path(tokens: &[Token], mut i: usize) -> (Vec<String>, usize) {
    let mut steps = Vec::new();
    while let Some(step) = ident(tokens, i) {
        steps.push(step.to_owned());
        i += 1;
        if !is_colons(tokens, i) || ident(tokens, i + 2).is_none() {
            break;
        }
        i += 2;
    }
    (steps, i)
}

/// The `use` that starts at `i` with its visibility: where it ends, and what it brings.
fn imports(tokens: &[Token], i: usize) -> Option<(usize, Vec<Import>)> {
    let starts_item = match i.checked_sub(1).map(|i| &tokens[i]) {
        None | Some(Token::Open('{') | Token::Close('}' | ']') | Token::Punct(';')) => true,
        Some(_) => false,
    };
    if !starts_item {
        return None;
    }
    let mut at = i;
    let mut visibility = String::new();
    if ident(tokens, at) == Some("pub") {
        visibility.push_str("pub");
        at += 1;
        if tokens.get(at) == Some(&Token::Open('(')) {
            while tokens.get(at)? != &Token::Close(')') {
                visibility.push_str(ident(tokens, at).unwrap_or("("));
                at += 1;
            }
            at += 1;
        }
    }
    if ident(tokens, at) != Some("use") {
        return None;
    }
    at += 1;
    if is_colons(tokens, at) {
        at += 2;
    }
    let mut found = Vec::new();
    let mut end = tree(tokens, at, &mut Vec::new(), &mut |path, name| {
        found.push(Import {
            visibility: visibility.clone(),
            path,
            name,
        });
    });
    if tokens.get(end) == Some(&Token::Punct(';')) {
        end += 1;
    }
    Some((end, found))
}

/// Reads the tree of a `use` at `i`, below a path; returns where it ends.
fn tree(
    tokens: &[Token],
    mut i: usize,
    above: &mut Vec<String>,
    found: &mut impl FnMut(Vec<String>, Option<String>),
) -> usize {
    let depth = above.len();
    loop {
        match tokens.get(i) {
            Some(Token::Ident(step)) => {
                i += 1;
                if is_colons(tokens, i) {
                    above.push(step.clone());
                    i += 2;
                    continue;
                }
                if step != "self" || above.is_empty() {
                    above.push(step.clone());
                }
                let mut name = above.last().cloned();
                if ident(tokens, i) == Some("as") {
                    name = ident(tokens, i + 1).map(str::to_owned);
                    i += 2;
                }
                found(above.clone(), name);
            }
            Some(Token::Open('{')) => {
                i += 1;
                while !matches!(tokens.get(i), None | Some(Token::Close('}'))) {
                    match &tokens[i] {
                        Token::Punct(',') => i += 1,
                        _ => i = tree(tokens, i, above, found),
                    }
                }
                i += 1;
            }
            Some(Token::Punct('*')) => {
                found(above.clone(), None);
                i += 1;
            }
            _ => i += 1,
        }
        above.truncate(depth);
        return i;
    }
}

/// What in a file would make its digest say less than it should.
pub(crate) fn hidden(tokens: &[Token]) -> Option<String> {
    for i in 0..tokens.len() {
        let include = ["include", "include_str", "include_bytes"];
        if let Some(name) = ident(tokens, i).filter(|name| include.contains(name))
            && tokens.get(i + 1) == Some(&Token::Punct('!'))
        {
            return Some(format!("`{name}!` hides a dependency from the keys"));
        }
        if ident(tokens, i) == Some("macro_export") {
            return Some("`macro_export` gives a macro a path that leads to no file".into());
        }
    }
    foreign_impl(tokens)
}

/// An `impl` whose type and trait are both defined elsewhere: who uses it names neither file.
fn foreign_impl(tokens: &[Token]) -> Option<String> {
    let definition = |i: usize| {
        let keyword = ["struct", "enum", "trait", "union", "type"].contains(&ident(tokens, i)?);
        if keyword { ident(tokens, i + 1) } else { None }
    };
    let defined: BTreeSet<&str> = (0..tokens.len()).filter_map(definition).collect();
    (0..tokens.len()).find_map(|i| {
        let item = match i.checked_sub(1).map(|j| &tokens[j]) {
            None | Some(Token::Close('}' | ']') | Token::Punct(';')) => true,
            Some(Token::Ident(name)) => name == "unsafe",
            // `impl Trait` in a type position follows punctuation or opens a group.
            Some(Token::Open('{')) => true,
            _ => false,
        };
        if ident(tokens, i) != Some("impl") || !item {
            return None;
        }
        let header = tokens[i + 1..]
            .iter()
            .take_while(|token| **token != Token::Open('{'));
        // In a macro the names stand for something else.
        if header.clone().any(|token| *token == Token::Punct('$')) {
            return None;
        }
        let names: Vec<&str> = header
            .filter_map(|token| match token {
                Token::Ident(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        let known = names.is_empty() || names.iter().any(|name| defined.contains(name));
        (!known).then(|| {
            let names = names.join(" ");
            format!(
                "`impl {names}` stands in a file that defines neither: code digests follow names"
            )
        })
    })
}

/// Whether the file asks for its own name: a digest of what it reaches is wanted.
pub(crate) fn names_itself(tokens: &[Token]) -> bool {
    (0..tokens.len()).any(|i| {
        ident(tokens, i) == Some("file")
            && tokens.get(i + 1) == Some(&Token::Punct('!'))
            && tokens.get(i + 2) == Some(&Token::Open('('))
    })
}
