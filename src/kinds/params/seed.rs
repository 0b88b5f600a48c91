//! Seeds as pipeline.yaml writes them: a number, or a list of numbers that together are one seed.
//!
//! A list is for draws that depend on several random factors: `[1, 24]` is another seed than `[24, 1]`,
//! `[1]` or 1. Does not know what is drawn.

use icl::math::stream::seed_of;
use schemars::JsonSchema;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// A seed, of one part or of several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Seed {
    Whole(u64),
    Parts(#[schemars(length(min = 1))] Vec<u64>),
}

impl Seed {
    /// The number itself, or [`seed_of`] the parts.
    pub fn get(&self) -> u64 {
        match self {
            Seed::Whole(seed) => *seed,
            Seed::Parts(parts) => seed_of(parts),
        }
    }
}

impl<'de> Deserialize<'de> for Seed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl<'de> Visitor<'de> for Reads {
            type Value = Seed;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a whole number of at least 0, or a list of such")
            }
            fn visit_u64<E: Error>(self, seed: u64) -> Result<Seed, E> {
                Ok(Seed::Whole(seed))
            }
            fn visit_f64<E: Error>(self, seed: f64) -> Result<Seed, E> {
                // As everywhere a whole number may be written as 1.0 or 1e5; above 2^53 it is not exact.
                match seed.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&seed) {
                    true => Ok(Seed::Whole(seed as u64)),
                    false => Err(E::custom(format!(
                        "{seed} is no whole number of at least 0"
                    ))),
                }
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Seed, A::Error> {
                let mut seed = Vec::new();
                while let Some(part) = parts.next_element()? {
                    seed.push(part);
                }
                match seed.is_empty() {
                    true => Err(A::Error::custom("a seed has at least one part")),
                    false => Ok(Seed::Parts(seed)),
                }
            }
        }
        deserializer.deserialize_any(Reads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Seed, String> {
        serde_json::from_str(text).map_err(|e| e.to_string())
    }

    #[test]
    fn numbers_are_themselves_and_lists_are_hashed() {
        assert_eq!(read("7").unwrap().get(), 7);
        assert_eq!(read("1e3").unwrap().get(), 1000);
        let seeds: Vec<u64> = ["7", "[7]", "[0, 7]", "[7, 0]"]
            .iter()
            .map(|text| read(text).unwrap().get())
            .collect();
        for (at, seed) in seeds.iter().enumerate() {
            assert!(!seeds[..at].contains(seed), "{seeds:?}");
        }
        for text in ["7", "[7]", "[0,7]"] {
            assert_eq!(serde_json::to_string(&read(text).unwrap()).unwrap(), text);
        }
    }

    #[test]
    fn what_is_no_seed_is_refused() {
        for text in [
            "-1", "0.5", "[]", "[-1]", "[0, 0.5]", "[[1]]", "\"1\"", "null", "1e300",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
