//! Reads a [`Node`] into a typed value through serde, keeping places in errors.
//!
//! An error raised anywhere inside is reported at the innermost value (or key) it concerns.

use crate::pipeline::error::{Error, Place, Result};
use crate::pipeline::node::{Key, Node, Value};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use std::fmt;

/// Reads `node` as a `T`.
pub fn from_node<T: DeserializeOwned>(node: &Node) -> Result<T> {
    T::deserialize(NodeReader(node)).map_err(|e| {
        let error = Error::config(e.message).at(e.place.as_ref().unwrap_or(&node.place));
        match e.suggestion {
            Some((wrong, known)) => error.suggest(&wrong, known.iter().copied()),
            None => error,
        }
    })
}

/// A serde error that remembers the place of the value it is about.
#[derive(Debug)]
struct TypeError {
    message: String,
    place: Option<Place>,
    suggestion: Option<(String, &'static [&'static str])>,
}

impl TypeError {
    fn at(mut self, place: &Place) -> Self {
        self.place.get_or_insert_with(|| place.clone());
        self
    }
}

impl fmt::Display for TypeError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TypeError {}

impl serde::de::Error for TypeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        TypeError {
            message: message.to_string(),
            place: None,
            suggestion: None,
        }
    }

    fn invalid_type(found: Unexpected, expected: &dyn Expected) -> Self {
        // serde names Rust's types; the reader of a pipeline knows none.
        let expected = match expected.to_string().as_str() {
            "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of at least 0".to_owned(),
            "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
            "f32" | "f64" => "a number".to_owned(),
            "a string" => "text".to_owned(),
            "a boolean" => "`true` or `false`".to_owned(),
            other => other.replace("struct ", "a mapping: "),
        };
        let found = match found {
            Unexpected::Str(text) => format!("the text `{text}`"),
            Unexpected::Signed(number) => format!("the number {number}"),
            Unexpected::Unsigned(number) => format!("the number {number}"),
            Unexpected::Float(number) => format!("the number {number}"),
            Unexpected::Bool(value) => format!("`{value}`"),
            Unexpected::Unit => "nothing".to_owned(),
            Unexpected::Seq => "a list".to_owned(),
            Unexpected::Map => "a mapping".to_owned(),
            other => other.to_string(),
        };
        Self::custom(format!("expected {expected}, not {found}"))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        TypeError {
            message: format!("unknown key `{field}`"),
            place: None,
            suggestion: Some((field.to_owned(), expected)),
        }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        TypeError {
            message: format!("unknown value `{variant}`"),
            place: None,
            suggestion: Some((variant.to_owned(), expected)),
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format!("the key `{field}` is missing"))
    }
}

type TypeResult<T> = std::result::Result<T, TypeError>;

struct NodeReader<'a>(&'a Node);

impl NodeReader<'_> {
    fn read<'de, V: Visitor<'de>>(self, visitor: V) -> TypeResult<V::Value> {
        match &self.0.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(b) => visitor.visit_bool(*b),
            Value::Int(i) => match (u64::try_from(*i), i64::try_from(*i)) {
                (Ok(i), _) => visitor.visit_u64(i),
                (_, Ok(i)) => visitor.visit_i64(i),
                _ => Err(serde::de::Error::custom(format!(
                    "the number {i} is too large"
                ))),
            },
            Value::Float(x) => visitor.visit_f64(*x),
            Value::Text(s) => visitor.visit_str(s),
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            Value::Map(entries) => visitor.visit_map(Entries {
                rest: entries.iter(),
                value: None,
            }),
        }
    }
}

impl<'de> Deserializer<'de> for NodeReader<'_> {
    type Error = TypeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> TypeResult<V::Value> {
        let place = &self.0.place;
        self.read(visitor).map_err(|e| e.at(place))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> TypeResult<V::Value> {
        match self.0.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> TypeResult<V::Value> {
        let place = &self.0.place;
        visitor
            .visit_newtype_struct(NodeReader(self.0))
            .map_err(|e| e.at(place))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> TypeResult<V::Value> {
        let node = self.0;
        let access = match &node.value {
            Value::Text(text) => Variant {
                name: text,
                name_place: &node.place,
                content: None,
            },
            Value::Map(entries) if entries.len() == 1 => {
                let (key, content) = &entries[0];
                Variant {
                    name: &key.text,
                    name_place: &key.place,
                    content: Some(content),
                }
            }
            _ => {
                let names = variants.join("`, `");
                let message = format!("expected one of `{names}`, not {}", node.describe());
                return Err(<TypeError as serde::de::Error>::custom(message).at(&node.place));
            }
        };
        visitor.visit_enum(access).map_err(|e| e.at(&node.place))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// Reads a value; what a type says of a value it does not accept is said of that value.
fn read<'de, T: DeserializeSeed<'de>>(node: &Node, seed: T) -> TypeResult<T::Value> {
    seed.deserialize(NodeReader(node))
        .map_err(|e| e.at(&node.place))
}

struct Items<'a>(std::slice::Iter<'a, Node>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = TypeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> TypeResult<Option<T::Value>> {
        self.0.next().map(|node| read(node, seed)).transpose()
    }
}

struct Entries<'a> {
    rest: std::slice::Iter<'a, (Key, Node)>,
    value: Option<&'a Node>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = TypeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> TypeResult<Option<K::Value>> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        let reader = serde::de::value::StrDeserializer::new(&key.text);
        seed.deserialize(reader)
            .map(Some)
            .map_err(|e: TypeError| e.at(&key.place))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> TypeResult<V::Value> {
        let value = self.value.take().ok_or_else(|| {
            <TypeError as serde::de::Error>::custom("a value was read before its key")
        })?;
        read(value, seed)
    }
}

struct Variant<'a> {
    name: &'a str,
    name_place: &'a Place,
    content: Option<&'a Node>,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = TypeError;
    type Variant = Content<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> TypeResult<(V::Value, Self::Variant)> {
        let reader = serde::de::value::StrDeserializer::new(self.name);
        let variant = seed
            .deserialize(reader)
            .map_err(|e: TypeError| e.at(self.name_place))?;
        Ok((
            variant,
            Content {
                name: self.name,
                content: self.content,
            },
        ))
    }
}

/// What stands under an enum's variant name.
struct Content<'a> {
    name: &'a str,
    content: Option<&'a Node>,
}

impl<'a> Content<'a> {
    fn reader(&self) -> TypeResult<NodeReader<'a>> {
        let message = || format!("`{}` needs settings below it", self.name);
        self.content
            .map(NodeReader)
            .ok_or_else(|| serde::de::Error::custom(message()))
    }
}

impl<'de> VariantAccess<'de> for Content<'_> {
    type Error = TypeError;

    fn unit_variant(self) -> TypeResult<()> {
        match self.content {
            None => Ok(()),
            Some(node) => {
                let message = format!("`{}` takes no settings", self.name);
                Err(<TypeError as serde::de::Error>::custom(message).at(&node.place))
            }
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> TypeResult<T::Value> {
        seed.deserialize(self.reader()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> TypeResult<V::Value> {
        self.reader()?.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> TypeResult<V::Value> {
        self.reader()?.deserialize_any(visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::num::NonZeroUsize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Params {
        d: NonZeroUsize,
        rate: f64,
        optimizer: Optimizer,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    enum Optimizer {
        Sgd { momentum: f64 },
        Plain,
    }

    fn read(text: &str) -> Result<Params> {
        from_node(&Node::parse("p", text)?)
    }

    #[test]
    fn typed_values_are_read() {
        let p = read("d: 5\nrate: 1\noptimizer: {sgd: {momentum: 0.9}}\n").unwrap();
        assert_eq!((p.d.get(), p.rate), (5, 1.0));
        assert!(matches!(p.optimizer, Optimizer::Sgd { momentum } if momentum == 0.9));
        let p = read("d: 5\nrate: 1\noptimizer: plain\n").unwrap();
        assert!(matches!(p.optimizer, Optimizer::Plain));
    }

    #[test]
    fn errors_point_at_the_value_or_key() {
        let cases = [
            ("d: 0\nrate: 1\noptimizer: plain", "p:1:4", "nonzero"),
            (
                "d: 1\nrate: x\noptimizer: plain",
                "p:2:7",
                "expected a number, not the text `x`",
            ),
            (
                "d: 1\nrat: 1\noptimizer: plain",
                "p:2:1",
                "unknown key `rat`",
            ),
            (
                "d: 1\nrate: 1\noptimizer: {sgd: {momentum: a}}",
                "p:3:29",
                "expected a number",
            ),
            (
                "d: 1\nrate: 1\noptimizer: {sdg: {momentum: 1}}",
                "p:3:13",
                "unknown value `sdg`",
            ),
            ("d: 1\nrate: 1\noptimizer: sgd", "p:3:12", "needs settings"),
            ("d: 1\noptimizer: plain", "p:1:1", "`rate` is missing"),
        ];
        for (text, place, message) in cases {
            let error = read(text).unwrap_err();
            assert_eq!(
                error.place.as_ref().unwrap().to_string(),
                place,
                "{text}: {error}"
            );
            assert!(error.message.contains(message), "{text}: {error}");
        }
        let error = read("d: 1\nrat: 1\noptimizer: plain").unwrap_err();
        assert_eq!(error.hint.as_deref(), Some("did you mean `rate`?"));
    }
}
