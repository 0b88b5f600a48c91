//! Text that is brought to a number of tokens with zeros on its left.
//!
//! Does not know what the text is, nor how the tokenizer cuts digits.

use crate::language::codec::Codec;

const FILLER: &str = "0";

/// A tokenizer that joins digits needs a few tries.
const TRIES: usize = 64;

/// The fewest zeros, as found by steps towards it, with which `text(zeros)` has `wanted` tokens; then that text.
///
/// # Errors
/// A text that is longer without zeros, and a tokenizer with which the length cannot be reached.
pub fn fill(
    codec: &dyn Codec,
    wanted: usize,
    text: impl Fn(&str) -> String,
) -> Result<String, String> {
    let mut zeros = 0_usize;
    for _ in 0..TRIES {
        let found = text(&FILLER.repeat(zeros));
        let tokens = codec.encode(&found)?.len();
        if tokens == wanted {
            return Ok(found);
        }
        let next = zeros + wanted;
        match next.checked_sub(tokens) {
            Some(next) if next > 0 || zeros > 0 => zeros = next,
            _ => {
                return Err(format!(
                    "it has {tokens} tokens, which zeros cannot bring to {wanted}"
                ));
            }
        }
    }
    Err(format!(
        "no number of zeros gives it {wanted} tokens with this tokenizer"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::codec::Bytes;

    /// Joins up to three digits, as some tokenizers do.
    struct Threes;

    impl Codec for Threes {
        fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
            let (mut tokens, mut digits) = (Vec::new(), 0);
            for byte in text.bytes() {
                let joins = byte.is_ascii_digit() && digits % 3 != 0;
                digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
                if !joins {
                    tokens.push(u32::from(byte));
                }
            }
            Ok(tokens)
        }

        fn decode(&self, _: &[u32]) -> Result<String, String> {
            Err("not asked".into())
        }
    }

    #[test]
    fn lengths_are_reached_with_zeros_on_the_left() {
        let text = |zeros: &str| format!("{zeros}[Query] x");
        for wanted in [9, 10, 100, 1000] {
            let filled = fill(&Bytes, wanted, text).unwrap();
            assert_eq!(filled.len(), wanted);
            assert!(filled.ends_with("0[Query] x") || wanted == 9);
            let filled = fill(&Threes, wanted, text).unwrap();
            assert_eq!(Threes.encode(&filled).unwrap().len(), wanted);
            assert_eq!(filled.trim_start_matches('0'), "[Query] x");
        }
    }

    #[test]
    fn what_cannot_be_reached_is_told() {
        let told = fill(&Bytes, 3, |zeros| format!("{zeros}long")).unwrap_err();
        assert_eq!(told, "it has 4 tokens, which zeros cannot bring to 3");
        // Every zero counts twice.
        let told = fill(&Bytes, 3, |zeros| format!("{zeros}{zeros}")).unwrap_err();
        assert!(told.contains("3 tokens"), "{told}");
    }
}
