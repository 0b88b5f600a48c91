//! A source file as tokens, without what cannot affect what it does: comments, documentation, layout,
//! `#[cfg(test)]` items, declarations of modules, commas before a closing bracket, and the `#[inline(never)]` of a generic
//! function: that only says which crate its code is made in, and so how it is optimised there.
//!
//! Knows tokens and groups, not what a name stands for.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A token; groups are flattened into their delimiters.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Open(char),
    Close(char),
    Ident(String),
    Punct(char),
    Literal(String),
}

/// The tokens of a file.
///
/// # Errors
/// What is no Rust, and `#[path]`: a module would be in a file that nobody looks for.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    // What the compiler takes for one line end, a checkout may have as two characters.
    let plain = text.replace("\r\n", "\n");
    let stream: TokenStream = plain.parse().map_err(|e| format!("{e}"))?;
    let mut tokens = Vec::new();
    flatten(stream.into_iter().collect(), false, &mut tokens)?;
    Ok(tokens)
}

/// `generic`: whether these stand in an `impl` with parameters of its own.
fn flatten(trees: Vec<TokenTree>, generic: bool, tokens: &mut Vec<Token>) -> Result<(), String> {
    let mut i = 0;
    let mut of_impl = generic;
    while i < trees.len() {
        if let Some((after, text)) = attribute(&trees, i) {
            if text.starts_with("path=") {
                return Err("`#[path]` hides a file from the digests".into());
            }
            if text.starts_with("doc=") {
                i = after;
                continue;
            }
            if text == "cfg(test)" {
                i = item_end(&trees, after);
                continue;
            }
            if text == "inline(never)" && is_generic_function(&trees, after, generic) {
                i = after;
                continue;
            }
        }
        if let Some(after) = module_declaration(&trees, i) {
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
                let before = i.checked_sub(1).map(|i| &trees[i]);
                tokens.push(Token::Open(open));
                flatten(without_last_comma(group, before), of_impl, tokens)?;
                if open == '{' {
                    of_impl = generic;
                }
                tokens.push(Token::Close(close));
            }
            TokenTree::Ident(ident) => {
                if ident == "impl" && is_punct(&trees, i + 1, '<') {
                    of_impl = true;
                }
                tokens.push(Token::Ident(ident.to_string()));
            }
            TokenTree::Punct(punct) => tokens.push(Token::Punct(punct.as_char())),
            TokenTree::Literal(literal) => tokens.push(Token::Literal(literal.to_string())),
        }
        i += 1;
    }
    Ok(())
}

/// What is in a group. A formatter adds a last comma where it breaks lines; only in a tuple of one does
/// it mean something.
fn without_last_comma(group: &Group, before: Option<&TokenTree>) -> Vec<TokenTree> {
    let comma = |tree: &TokenTree| matches!(tree, TokenTree::Punct(p) if p.as_char() == ',');
    let mut trees: Vec<TokenTree> = group.stream().into_iter().collect();
    let several = trees.iter().filter(|tree| comma(tree)).count() > 1;
    let call = match before {
        Some(TokenTree::Ident(name)) => !KEYWORDS.contains(&name.to_string().as_str()),
        Some(TokenTree::Punct(p)) => p.as_char() == '>',
        _ => false,
    };
    let free = group.delimiter() != Delimiter::Parenthesis || several || call;
    if free && trees.last().is_some_and(comma) {
        trees.pop();
    }
    trees
}

/// After these a parenthesis opens a tuple, not the arguments of a call.
const KEYWORDS: [&str; 11] = [
    "as", "break", "else", "for", "if", "in", "let", "match", "mut", "return", "while",
];

/// The end of the attribute that starts at `i`, and its content without white space.
fn attribute(trees: &[TokenTree], i: usize) -> Option<(usize, String)> {
    if !is_punct(trees, i, '#') {
        return None;
    }
    let at = if is_punct(trees, i + 1, '!') {
        i + 2
    } else {
        i + 1
    };
    match trees.get(at)? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
            let text: String = group.stream().to_string().split_whitespace().collect();
            Some((at + 1, text))
        }
        _ => None,
    }
}

/// Whether the tree at `i` is this character.
fn is_punct(trees: &[TokenTree], i: usize, c: char) -> bool {
    matches!(trees.get(i), Some(TokenTree::Punct(p)) if p.as_char() == c)
}

/// Whether a function is declared at `i`, behind more attributes and its qualifiers, that has parameters of its own or is one
/// of a generic `impl`.
fn is_generic_function(trees: &[TokenTree], mut i: usize, generic: bool) -> bool {
    while let Some((after, _)) = attribute(trees, i) {
        i = after;
    }
    while let Some(tree) = trees.get(i) {
        match tree {
            TokenTree::Ident(name) if name == "fn" => {
                return generic || is_punct(trees, i + 2, '<');
            }
            TokenTree::Ident(_) | TokenTree::Group(_) | TokenTree::Literal(_) => i += 1,
            TokenTree::Punct(_) => return false,
        }
    }
    false
}

/// The end of an item: its body, or its semicolon.
fn item_end(trees: &[TokenTree], mut i: usize) -> usize {
    while let Some(tree) = trees.get(i) {
        i += 1;
        match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return i,
            TokenTree::Punct(punct) if punct.as_char() == ';' => return i,
            _ => {}
        }
    }
    i
}

/// The end of a `mod name;` that starts at `i`, with its visibility: who names the module finds its file.
fn module_declaration(trees: &[TokenTree], mut i: usize) -> Option<usize> {
    let ident = |i: usize| match trees.get(i) {
        Some(TokenTree::Ident(name)) => Some(name.to_string()),
        _ => None,
    };
    if ident(i).as_deref() == Some("pub") {
        i += 1;
        if matches!(trees.get(i), Some(TokenTree::Group(_))) {
            i += 1;
        }
    }
    let ends = matches!(trees.get(i + 2), Some(TokenTree::Punct(p)) if p.as_char() == ';');
    (ident(i).as_deref() == Some("mod") && ident(i + 1).is_some() && ends).then_some(i + 3)
}
