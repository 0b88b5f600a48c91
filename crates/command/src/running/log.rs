//! What a command printed, for a stage's log and for a message: its beginning and its end.

use std::path::Path;

/// So much of it is kept at either end.
const KEPT: usize = 256 << 10;
/// Lines and bytes of the end that a message has.
const LINES: usize = 12;
const BYTES: usize = 1_500;

/// What was printed; its middle is left out where it is long.
pub fn read(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_default();
    if bytes.len() <= 2 * KEPT {
        return String::from_utf8_lossy(&bytes).into_owned();
    }
    let (start, end) = (&bytes[..KEPT], &bytes[bytes.len() - KEPT..]);
    let left_out = bytes.len() - 2 * KEPT;
    format!(
        "{}\n[... {left_out} bytes ...]\n{}",
        String::from_utf8_lossy(start),
        String::from_utf8_lossy(end)
    )
}

/// The last lines, each set in.
pub fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    let mut shown: String = last.iter().map(|line| format!("\n  {line}")).collect();
    if let Some(excess) = shown.len().checked_sub(BYTES) {
        let cut = (excess..shown.len()).find(|&at| shown.is_char_boundary(at));
        shown = format!("\n  …{}", &shown[cut.unwrap_or(0)..]);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_text_is_shown_and_no_letter_is_cut() {
        assert_eq!(last_lines("a\nb\n"), "\n  a\n  b");
        let long = "é".repeat(4_000);
        let shown = last_lines(&long);
        assert!(shown.len() < BYTES + 10 && shown.ends_with('é'));
        let many: String = (0..100).map(|i| format!("{i}\n")).collect();
        assert!(last_lines(&many).starts_with("\n  88\n"));
        assert_eq!(last_lines(""), "");
    }
}
