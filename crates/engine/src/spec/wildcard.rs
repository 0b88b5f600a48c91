//! What the wildcards of a glob matched: the label of an artifact that a glob found.
//!
//! `*` is as short as may be. Wildcards side by side are one; what others stand apart is joined by
//! commas. What a glob means, the library says that matches ids with it.

use std::collections::BTreeSet;

/// A piece of a glob.
enum Piece {
    Text(char),
    Many,
    /// `?` or `[...]`.
    One(glob::Pattern),
}

/// The text behind the wildcards of `glob` in `id`; `None` where it does not match.
pub fn matched(glob: &str, id: &str) -> Option<String> {
    let (pieces, id) = (pieces(glob)?, id.chars().collect::<Vec<char>>());
    let mut ends = Vec::new();
    walk(&pieces, &id, 0, 0, &mut ends, &mut BTreeSet::new()).then_some(())?;
    // `ends[p]` is where piece p ends; runs of wildcards are one.
    let (mut parts, mut start, mut is_open) = (Vec::<String>::new(), 0, false);
    for (piece, end) in pieces.iter().zip(ends) {
        let is_wild = !matches!(piece, Piece::Text(_));
        let text = id[start..end].iter();
        match parts.last_mut().filter(|_| is_open) {
            Some(part) if is_wild => part.extend(text),
            _ if is_wild => parts.push(text.collect()),
            _ => {}
        }
        (start, is_open) = (end, is_wild);
    }
    Some(parts.join(","))
}

/// Whether the pieces from `p` on match from `at` on, with where each ends. `dead` are the pairs known
/// not to: without them a few `*` take exponential time.
fn walk(
    pieces: &[Piece],
    id: &[char],
    p: usize,
    at: usize,
    ends: &mut Vec<usize>,
    dead: &mut BTreeSet<(usize, usize)>,
) -> bool {
    let Some(piece) = pieces.get(p) else {
        return at == id.len();
    };
    if dead.contains(&(p, at)) {
        return false;
    }
    let is_one = |c: &char| match piece {
        Piece::Text(text) => text == c,
        Piece::Many => false,
        Piece::One(one) => one.matches(&c.to_string()),
    };
    let next = match piece {
        Piece::Many => at..id.len() + 1,
        _ if id.get(at).is_some_and(is_one) => at + 1..at + 2,
        _ => 0..0,
    };
    for end in next {
        ends.push(end);
        if walk(pieces, id, p + 1, end, ends, dead) {
            return true;
        }
        ends.pop();
    }
    dead.insert((p, at));
    false
}

fn pieces(glob: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = glob;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '[' => {
                // A bracket that comes first is one of the characters.
                let skipped = if rest.starts_with("[!") { 3 } else { 2 };
                skipped + rest.get(skipped..)?.find(']')? + 1
            }
            c => c.len_utf8(),
        };
        let (piece, after) = rest.split_at(length);
        pieces.push(match c {
            '*' => Piece::Many,
            '?' | '[' => Piece::One(glob::Pattern::new(piece).ok()?),
            c => Piece::Text(c),
        });
        rest = after;
    }
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_what_the_wildcards_matched() {
        let cases = [
            ("s@*", "s@a,b", Some("a,b")),
            ("s@0,*", "s@0,zs", Some("zs")),
            ("s@*,0", "s@a,0", Some("a")),
            ("s@*,x,*", "s@a,x,b", Some("a,b")),
            ("s@[!0]*", "s@10", Some("10")),
            ("s@[!0]*", "s@0", None),
            ("s@[!0]*,zs", "s@11,zs", Some("11")),
            ("s@?,*", "s@4,a", Some("4,a")),
            ("s@[]]", "s@]", Some("]")),
            ("*", "s@1", Some("s@1")),
            ("s@1", "s@1", Some("")),
            ("s@*b", "s@abab", Some("aba")),
            ("s@*,0", "s@a,1", None),
        ];
        for (glob, id, label) in cases {
            assert_eq!(matched(glob, id).as_deref(), label, "{glob} {id}");
            let library = glob::Pattern::new(glob).unwrap();
            assert_eq!(library.matches(id), label.is_some(), "{glob} {id}");
        }
    }

    #[test]
    fn many_stars_end() {
        let glob = "*a".repeat(40) + "b";
        assert_eq!(matched(&glob, &"a".repeat(100)), None);
    }
}
