//! The two sides of a file in which git left the markers of a merge that it could not finish.
//!
//! Knows no lock: what the sides mean is the reader's business.

/// A text as each side of a merge has it.
#[derive(Debug, PartialEq)]
pub struct Sides {
    pub ours: Vec<u8>,
    pub theirs: Vec<u8>,
    /// What both started from, where git wrote that down too (`merge.conflictStyle` diff3, zdiff3).
    pub base: Option<Vec<u8>>,
    /// The line of the first marker.
    pub line: usize,
}

/// Where between markers a line stands.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Both,
    Ours,
    Base,
    Theirs,
}

/// The fewest characters of a marker; inside the base of a merge of merges there are longer ones.
const MARKER: usize = 7;

/// Takes a text with markers apart; `None` when there are none.
///
/// # Errors
/// The line of a marker that has no end.
pub fn sides(text: &[u8]) -> Option<Result<Sides, usize>> {
    let (mut at, mut length, mut start) = (At::Both, MARKER, 0);
    let mut sides = Sides {
        ours: Vec::new(),
        theirs: Vec::new(),
        base: None,
        line: 0,
    };
    for (index, line) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let is = |sign| marker(line).filter(|(found, _)| *found == sign);
        let closes = |sign| is(sign).is_some_and(|(_, found)| found == length);
        match at {
            At::Both if is(b'<').is_some() => {
                length = is(b'<').map_or(MARKER, |(_, found)| found);
                start = index + 1;
                if sides.line == 0 {
                    sides.line = start;
                }
                at = At::Ours;
            }
            At::Ours if closes(b'|') => at = At::Base,
            At::Ours | At::Base if closes(b'=') => at = At::Theirs,
            At::Theirs if closes(b'>') => at = At::Both,
            At::Both => {
                sides.ours.extend_from_slice(line);
                sides.theirs.extend_from_slice(line);
                sides.base.get_or_insert_default().extend_from_slice(line);
            }
            At::Ours => sides.ours.extend_from_slice(line),
            At::Base => sides.base.get_or_insert_default().extend_from_slice(line),
            At::Theirs => sides.theirs.extend_from_slice(line),
        }
    }
    if sides.line == 0 {
        return None;
    }
    if at != At::Both {
        return Some(Err(start));
    }
    // Lines of both sides were kept for a base that may not be there.
    let has_base = text
        .split(|&byte| byte == b'\n')
        .any(|line| marker(line).is_some_and(|(sign, _)| sign == b'|'));
    sides.base = sides.base.filter(|_| has_base);
    Some(Ok(sides))
}

/// The sign and the length of a marker: a run of one sign, then nothing or a space and words.
fn marker(line: &[u8]) -> Option<(u8, usize)> {
    let sign = *line.first().filter(|sign| b"<|=>".contains(sign))?;
    let length = line.iter().take_while(|byte| **byte == sign).count();
    let ends = line
        .get(length)
        .is_none_or(|byte| [b' ', b'\n', b'\r'].contains(byte));
    (length >= MARKER && ends).then_some((sign, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, String, Option<String>) {
        let sides = sides(text.as_bytes()).expect("markers").expect("whole");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (text(sides.ours), text(sides.theirs), sides.base.map(text))
    }

    #[test]
    fn both_sides_come_apart_with_and_without_a_base() {
        let two = "a\n<<<<<<< HEAD\nb\n=======\nc\nd\n>>>>>>> other\ne\n<<<<<<< HEAD\n=======\nf\n>>>>>>> other\n";
        assert_eq!(
            parts(two),
            ("a\nb\ne\n".into(), "a\nc\nd\ne\nf\n".into(), None)
        );
        let three = "a\r\n<<<<<<< ours\r\nb\r\n||||||| 1a2b\r\n<<<<<<<<< inner\r\n=======\r\nc\r\n>>>>>>> theirs\r\n";
        let base = "a\r\n<<<<<<<<< inner\r\n".to_owned();
        assert_eq!(
            parts(three),
            ("a\r\nb\r\n".into(), "a\r\nc\r\n".into(), Some(base))
        );
    }

    #[test]
    fn what_is_no_marker_is_text_and_what_does_not_end_is_told() {
        for text in [
            "",
            "a\n=======\nb\n",
            "<<<<<<\n",
            "<<<<<<<x\n",
            " <<<<<<< HEAD\n",
        ] {
            assert_eq!(sides(text.as_bytes()), None, "{text}");
        }
        for text in ["a\n<<<<<<< HEAD\nb\n", "a\n<<<<<<< HEAD\nb\n=======\nc\n"] {
            assert_eq!(sides(text.as_bytes()), Some(Err(2)), "{text}");
        }
    }
}
