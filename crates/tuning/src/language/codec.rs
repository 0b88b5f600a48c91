//! Between text and tokens, as whoever builds prompts needs it. Does not know how a tokenizer works.

/// A tokenizer, seen from prompts.
pub trait Codec {
    /// The tokens of a text, with nothing added before or after it.
    ///
    /// # Errors
    /// A text that the tokenizer cannot write.
    fn encode(&self, text: &str) -> Result<Vec<u32>, String>;

    /// The text of tokens; bytes that are no text yet, as in the middle of a letter, may be replaced.
    ///
    /// # Errors
    /// A token that the tokenizer does not have.
    fn decode(&self, tokens: &[u32]) -> Result<String, String>;
}

/// Each byte of UTF-8 is a token of that number: for models that are trained from nothing, and for tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bytes;

impl Bytes {
    /// Tokens that there are.
    pub const VOCABULARY: usize = 256;
}

impl Codec for Bytes {
    fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
        Ok(text.bytes().map(u32::from).collect())
    }

    fn decode(&self, tokens: &[u32]) -> Result<String, String> {
        let byte = |&token: &u32| {
            u8::try_from(token).map_err(|_| format!("token {token} is no byte: there are 256"))
        };
        let bytes: Vec<u8> = tokens.iter().map(byte).collect::<Result<_, _>>()?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back() {
        let text = "Größe 0\n";
        let tokens = Bytes.encode(text).unwrap();
        assert_eq!(tokens.len(), text.len());
        assert_eq!(Bytes.decode(&tokens).unwrap(), text);
        assert_eq!(Bytes.decode(&tokens[..3]).unwrap(), "Gr\u{fffd}");
        let wrong = Bytes.decode(&[256]).unwrap_err();
        assert_eq!(wrong, "token 256 is no byte: there are 256");
    }
}
