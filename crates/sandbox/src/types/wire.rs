//! Paths and words of the system in JSON: text where they are UTF-8, otherwise a list of bytes.
//!
//! For `#[serde(with = ...)]`: [`one`], [`many`] (any collection of them) and [`pairs`].

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

#[derive(Serialize)]
#[serde(untagged)]
enum Given<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Taken {
    Text(String),
    Bytes(Vec<u8>),
}

fn give(word: &OsStr) -> Given<'_> {
    match word.to_str() {
        Some(text) => Given::Text(text),
        None => Given::Bytes(word.as_bytes()),
    }
}

impl Taken {
    fn word(self) -> OsString {
        match self {
            Taken::Text(text) => text.into(),
            Taken::Bytes(bytes) => OsString::from_vec(bytes),
        }
    }
}

pub mod one {
    use super::*;

    pub fn serialize<S: Serializer, W: AsRef<OsStr>>(word: &W, to: S) -> Result<S::Ok, S::Error> {
        give(word.as_ref()).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>, W: From<OsString>>(
        from: D,
    ) -> Result<W, D::Error> {
        Taken::deserialize(from).map(|taken| taken.word().into())
    }
}

pub mod many {
    use super::*;

    pub fn serialize<'a, S: Serializer, C, W>(words: &'a C, to: S) -> Result<S::Ok, S::Error>
    where
        &'a C: IntoIterator<Item = &'a W>,
        W: AsRef<OsStr> + 'a,
    {
        to.collect_seq(words.into_iter().map(|word| give(word.as_ref())))
    }

    pub fn deserialize<'de, D, C, W>(from: D) -> Result<C, D::Error>
    where
        D: Deserializer<'de>,
        C: IntoIterator<Item = W> + FromIterator<W>,
        W: From<OsString>,
    {
        let words = Vec::<Taken>::deserialize(from)?;
        Ok(words.into_iter().map(|taken| taken.word().into()).collect())
    }
}

pub mod pairs {
    use super::*;
    use std::collections::BTreeMap;

    type Pairs = BTreeMap<OsString, OsString>;

    pub fn serialize<S: Serializer>(pairs: &Pairs, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(pairs.iter().map(|(name, value)| (give(name), give(value))))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Pairs, D::Error> {
        let pairs = Vec::<(Taken, Taken)>::deserialize(from)?;
        let words = |(name, value): (Taken, Taken)| (name.word(), value.word());
        Ok(pairs.into_iter().map(words).collect())
    }
}
