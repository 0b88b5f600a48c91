//! A check: a quantity with what is expected of it, written as a sentence.
//!
//! `lowest-ratio of zs_v over pretrained on theta0, -theta0 at 1..20 within 1 ± 0.25 log`; the params that
//! enter the key have the same as a mapping. Knows what a check says, not how it is decided.

use crate::kinds::claims::quantity::{Evidence, Extent, QUANTITIES, Quantity, unknown};
use icl::theory::optima;
use retrace::base::error::nearest_name;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::str::SplitWhitespace;

/// A quantity with what is expected of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    pub quantity: Quantity,
    pub at: Extent,
    pub is: Relation,
    /// A number, or the name of a closed form.
    pub expected: Expected,
    /// Half the width of what counts as equal; for `within` alone.
    pub margin: f64,
    /// On which scale the values of seeds are averaged.
    pub scale: Scale,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    Within,
    Above,
    Below,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    #[default]
    Linear,
    /// Of positive numbers: the mean is the geometric one.
    Log,
}

/// What a quantity is compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "serde_json::Value", into = "serde_json::Value")]
pub enum Expected {
    Number(f64),
    Form(String),
}

/// The closed forms that a claim may name, with their formulas.
pub const FORMS: [(&str, &str); 7] = [
    ("noise-floor", "sigma2"),
    ("pretraining-loss", "1 + sigma2 - m/(m+1+d+d sigma2)"),
    ("pretraining-scale", "(m+1)/(m+1+d+d sigma2)"),
    ("authors-scale", "m/(m+1+d)"),
    ("value-only-floor", "sigma2 + 2/(d+4)"),
    ("zero-shot-limit", "1 + sigma2"),
    ("best-weight", "w*(m)"),
];

impl TryFrom<serde_json::Value> for Expected {
    type Error = String;
    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        if let Some(number) = value.as_f64() {
            return Ok(Expected::Number(number));
        }
        let known = FORMS.map(|(name, _)| name);
        match value.as_str() {
            Some(name) if known.contains(&name) => Ok(Expected::Form(name.to_owned())),
            Some(name) => Err(unknown("closed form", name, &known)),
            None => Err(format!("{value} is neither a number nor a closed form")),
        }
    }
}

impl From<Expected> for serde_json::Value {
    fn from(expected: Expected) -> serde_json::Value {
        match expected {
            Expected::Number(number) => number.into(),
            Expected::Form(name) => name.into(),
        }
    }
}

impl Expected {
    pub fn value(&self, evidence: &Evidence) -> f64 {
        let (setting, m) = (&evidence.setting, evidence.pretrain_shots);
        match self {
            Expected::Number(number) => *number,
            Expected::Form(name) => match name.as_str() {
                "noise-floor" => setting.noise_var(),
                "pretraining-loss" => optima::pretraining_loss(setting, m),
                "pretraining-scale" => optima::pretraining_scale(setting, m),
                "authors-scale" => optima::authors_pretraining_scale(setting.d(), m),
                "value-only-floor" => optima::value_only_zero_shot_loss(setting, 1.0),
                "zero-shot-limit" => optima::zero_shot_asymptote(setting),
                _ => optima::best_value_weight(setting, m, 1.0),
            },
        }
    }

    fn formula(&self) -> Option<&'static str> {
        let Expected::Form(name) = self else {
            return None;
        };
        let found = FORMS.iter().find(|(form, _)| form == name);
        found.map(|(_, formula)| *formula)
    }
}

impl Check {
    /// `1 + sigma2 = 1.1 within 0.03`.
    pub fn words(&self, value: f64) -> String {
        let number = shown(value);
        let value = match self.expected.formula() {
            Some(formula) => format!("{formula} = {number}"),
            None => number,
        };
        match self.is {
            Relation::Within => format!("{value} within {}", shown(self.margin)),
            Relation::Above => format!("above {value}"),
            Relation::Below => format!("below {value}"),
        }
    }
}

/// At most six decimals, none that say nothing; powers of ten where decimals say nothing.
pub fn shown(value: f64) -> String {
    if value != 0.0 && (value.abs() < 1e-4 || value.abs() >= 1e7) {
        return format!("{value:.1e}");
    }
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The words that say where a quantity is taken, and those that say what is expected.
const PLACES: [&str; 6] = ["from", "of", "over", "on", "at", "with"];
const RELATIONS: [&str; 3] = ["within", "above", "below"];
/// What a sentence looks like, for who wrote one that does not.
const FORM: &str = "QUANTITY [from SET] [of MODELS] [over MODELS] [on TASKS] [at N or N..M] [with NUMBER] \
                    within|above|below NUMBER [± MARGIN] [log]";

/// A check as a mapping, as it stands in the params that enter the key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    quantity: Quantity,
    #[serde(default)]
    at: Extent,
    is: Relation,
    expected: Expected,
    #[serde(default)]
    margin: f64,
    #[serde(default)]
    scale: Scale,
}

impl From<Parts> for Check {
    fn from(parts: Parts) -> Check {
        let Parts {
            quantity,
            at,
            is,
            expected,
            margin,
            scale,
        } = parts;
        Check {
            quantity,
            at,
            is,
            expected,
            margin,
            scale,
        }
    }
}

impl<'de> Deserialize<'de> for Check {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl<'de> Visitor<'de> for Written {
            type Value = Check;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                write!(
                    f,
                    "a check such as `lowest-error of zs on theta0 at 0 below 1`"
                )
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Check, E> {
                Check::read(text).map_err(E::custom)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Check, A::Error> {
                Parts::deserialize(MapAccessDeserializer::new(map)).map(Check::from)
            }
        }
        deserializer.deserialize_any(Written)
    }
}

impl JsonSchema for Check {
    fn schema_name() -> Cow<'static, str> {
        "Check".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = QUANTITIES.iter().map(|(name, _)| *name).collect();
        let (names, relations) = (names.join("|"), RELATIONS.join("|"));
        json_schema!({
            "description": FORM,
            "type": "string",
            "pattern": format!("^({names}) (.+ )?({relations}) "),
        })
    }
}

impl Check {
    /// Reads a sentence.
    ///
    /// # Errors
    /// The word that is not understood, with the nearest that is.
    pub fn read(text: &str) -> Result<Check, String> {
        let mut words = text.split_whitespace();
        let quantity = words.next().ok_or("a check begins with a quantity")?;
        let quantity = Quantity::try_from(quantity.to_owned())?;
        let mut at = Extent::default();
        let mut seen = Vec::new();
        let is = loop {
            let word = words.next().ok_or_else(|| {
                format!(
                    "what is expected is missing after `{text}`: {}",
                    RELATIONS.join(", ")
                )
            })?;
            if RELATIONS.contains(&word) {
                break word;
            }
            if seen.contains(&word) {
                return Err(format!("`{word}` stands twice in `{text}`"));
            }
            seen.push(word);
            match word {
                "from" => at.from = one(&mut words, word)?.to_owned(),
                "of" => at.of = several(&mut words, word)?,
                "over" => at.over = several(&mut words, word)?,
                "on" => at.tasks = several(&mut words, word)?,
                "at" => at.shots = Some(shots(one(&mut words, word)?)?),
                "with" => at.constant = Some(number(one(&mut words, word)?)?),
                _ => {
                    let known = PLACES.iter().chain(&RELATIONS).copied();
                    return Err(not_known(word, known));
                }
            }
        };
        let expected = one(&mut words, is)?;
        let expected = match number(expected) {
            Ok(number) => Expected::Number(number),
            Err(_) => Expected::try_from(serde_json::Value::from(expected))?,
        };
        let is = match is {
            "within" => Relation::Within,
            "above" => Relation::Above,
            _ => Relation::Below,
        };
        let (mut margin, mut scale) = (None, Scale::Linear);
        while let Some(word) = words.next() {
            match word {
                "±" if is == Relation::Within && margin.is_none() => {
                    margin = Some(number(one(&mut words, word)?)?);
                }
                "log" if scale == Scale::Linear => scale = Scale::Log,
                _ => return Err(not_known(word, ["±", "log"].into_iter())),
            }
        }
        Ok(Check {
            quantity,
            at,
            is,
            expected,
            margin: margin.unwrap_or_default(),
            scale,
        })
    }
}

/// The word after another.
fn one<'a>(words: &mut SplitWhitespace<'a>, after: &str) -> Result<&'a str, String> {
    let missing = || format!("something is missing after `{after}`: a check is {FORM}");
    words.next().ok_or_else(missing)
}

/// Words with commas between them.
fn several(words: &mut SplitWhitespace, after: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    loop {
        let word = one(words, after)?;
        let name = word.strip_suffix(',');
        found.push(name.unwrap_or(word).to_owned());
        if name.is_none() {
            return Ok(found);
        }
    }
}

fn number(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| format!("`{text}` is no number"))
}

/// `20`, or the first and the last: `1..40`.
fn shots(text: &str) -> Result<[u32; 2], String> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let whole = |text: &str| text.parse::<u32>();
    match (whole(first), whole(last)) {
        (Ok(first), Ok(last)) if first <= last => Ok([first, last]),
        _ => Err(format!(
            "`{text}` is no number of shots: write 20, or 1..40"
        )),
    }
}

fn not_known<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest_name(word, known.clone()) {
        Some(near) => format!("`{word}` says nothing here: did you mean `{near}`?"),
        None => {
            let known: Vec<&str> = known.collect();
            format!("`{word}` says nothing here; there are {}", known.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_the_mapping_that_enters_the_key() {
        let same = |sentence: &str, mapping: &str| {
            let read = Check::read(sentence).unwrap_or_else(|e| panic!("{sentence}: {e}"));
            assert_eq!(read, serde_json::from_str(mapping).unwrap(), "{sentence}");
            let json = serde_json::to_string(&read).unwrap();
            assert_eq!(read, serde_json::from_str(&json).unwrap(), "{sentence}");
            assert_eq!(read, serde_json::from_value(sentence.into()).unwrap());
        };
        same(
            "lowest-ratio from real of a, b over c on theta0, -theta0 at 1..20 within 1 ± 0.25 log",
            r#"{"quantity": "lowest-ratio", "at": {"from": "real", "of": ["a", "b"], "over": ["c"],
               "tasks": ["theta0", "-theta0"], "shots": [1, 20]}, "is": "within", "expected": 1,
               "margin": 0.25, "scale": "log"}"#,
        );
        same(
            "constant-miss of zs over pretrained with 0.52 above 0",
            r#"{"quantity": "constant-miss", "at": {"of": ["zs"], "over": ["pretrained"],
               "constant": 0.52}, "is": "above", "expected": 0}"#,
        );
        same(
            "best-weight at 20 within best-weight ± 1e-9",
            r#"{"quantity": "best-weight", "at": {"shots": [20, 20]}, "is": "within",
               "expected": "best-weight", "margin": 1e-9}"#,
        );
    }

    #[test]
    fn a_word_that_says_nothing_is_told_with_the_nearest() {
        for (sentence, message) in [
            ("", "begins with a quantity"),
            (
                "lowest-eror of a below 1",
                "there is no quantity `lowest-eror`",
            ),
            ("scale of a", "what is expected is missing"),
            ("scale ovr a below 1", "did you mean `over`?"),
            ("scale of a of b below 1", "`of` stands twice"),
            ("scale of a, below", "what is expected is missing"),
            ("scale of", "missing after `of`"),
            ("scale of a below", "missing after `below`"),
            (
                "scale of a below noise-flor",
                "there is no closed form `noise-flor`",
            ),
            ("scale of a below inf", "there is no closed form `inf`"),
            ("scale of a below 1 ± 0.1", "`±` says nothing here"),
            ("scale of a within 1 ± x", "`x` is no number"),
            ("scale of a within 1 ±", "missing after `±`"),
            ("scale of a within 1 lgo", "did you mean `log`?"),
            (
                "best-weight at 20..1 within 0",
                "`20..1` is no number of shots",
            ),
            ("best-weight at -1 within 0", "`-1` is no number of shots"),
        ] {
            let told = Check::read(sentence).expect_err(sentence);
            assert!(told.contains(message), "{sentence}: {told}");
        }
    }
}
