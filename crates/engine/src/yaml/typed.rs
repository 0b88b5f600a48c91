//! Reads a [`Node`] into a typed value through serde, keeping places in errors.
//!
//! An error raised anywhere inside is reported at the innermost value (or key) it concerns. The type
//! decides how the text of an option is read: a text has it as it stands, a number in decimal digits,
//! the rest as YAML.

use crate::base::error::{Error, Place, Result};
use crate::yaml::node::{Key, Node, Value};
use crate::yaml::numbers;
use crate::yaml::type_error::TypeError;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

/// Reads `node` as a `T`.
pub fn from_node<T: DeserializeOwned>(node: &Node) -> Result<T> {
    T::deserialize(NodeReader(node)).map_err(|e| {
        let error = Error::config(e.message).at(e.place.as_ref().unwrap_or(&node.place));
        match (e.suggestion, e.hint) {
            (Some((wrong, known)), _) => error.suggest(&wrong, known.iter().copied()),
            (None, Some(hint)) => error.hint(hint),
            (None, None) => error,
        }
    })
}

type TypeResult<T> = std::result::Result<T, TypeError>;

struct NodeReader<'a>(&'a Node);

impl NodeReader<'_> {
    fn read<'de, V: Visitor<'de>>(self, visitor: V) -> TypeResult<V::Value> {
        if self.0.as_written().is_some() {
            let yaml = self.0.as_yaml()?;
            return NodeReader(&yaml).read(visitor);
        }
        match &self.0.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(b) => visitor.visit_bool(*b),
            Value::Int(i) => numbers::visit_whole(*i, visitor),
            Value::Float(x) => visitor.visit_f64(*x),
            Value::Text(s) => visitor.visit_str(s),
            Value::List(items) => {
                let mut rest = Items(items.iter());
                let value = visitor.visit_seq(&mut rest)?;
                // A type that takes fewer stops without a word.
                match rest.0.len() {
                    0 => Ok(value),
                    left => {
                        let taken = items.len() - left;
                        let values = if taken == 1 { "value" } else { "values" };
                        let message = format!("expected {taken} {values}, not {}", items.len());
                        Err(TypeError::new(message))
                    }
                }
            }
            Value::Map(entries) => visitor.visit_map(Entries {
                rest: entries.iter(),
                value: None,
            }),
        }
    }

    fn whole<'de, V: Visitor<'de>>(self, visitor: V) -> TypeResult<V::Value> {
        numbers::whole(self.0, visitor).map_err(|e| e.at(&self.0.place))
    }

    fn float<'de, V: Visitor<'de>>(self, visitor: V) -> TypeResult<V::Value> {
        numbers::float(self.0, visitor).map_err(|e| e.at(&self.0.place))
    }

    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> TypeResult<V::Value> {
        let place = &self.0.place;
        match self.0.as_written() {
            Some(text) => visitor.visit_str(text).map_err(|e: TypeError| e.at(place)),
            None => self.deserialize_any(visitor),
        }
    }
}

macro_rules! read_as {
    ($($deserialize:ident)* => $how:ident) => {
        $(fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> TypeResult<V::Value> {
            self.$how(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for NodeReader<'_> {
    type Error = TypeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> TypeResult<V::Value> {
        let place = &self.0.place;
        self.read(visitor).map_err(|e| e.at(place))
    }

    read_as! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 => whole
    }
    read_as! { deserialize_f32 deserialize_f64 => float }
    read_as! { deserialize_str deserialize_string deserialize_char deserialize_identifier => text }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> TypeResult<V::Value> {
        let place = &self.0.place;
        let read = match self.0.as_written().map(str::trim) {
            None => self.read(visitor),
            Some("true") => visitor.visit_bool(true),
            Some("false") => visitor.visit_bool(false),
            Some(_) => Err(TypeError::expected("`true` or `false`", &self.0.describe())),
        };
        read.map_err(|e| e.at(place))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> TypeResult<V::Value> {
        match self.0.is_nothing() {
            true => visitor.visit_none(),
            false => visitor.visit_some(self),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> TypeResult<V::Value> {
        match &self.0.value {
            // By position nobody means parameters.
            Value::List(_) => Err(TypeError::expected("a mapping", "a list").at(&self.0.place)),
            _ => self.deserialize_any(visitor),
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
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> TypeResult<V::Value> {
        let node = self.0;
        // A name is a text: taken as it stands, unless it is the key of its settings.
        if let Some(text) = node.as_written() {
            match node.as_yaml() {
                Ok(yaml) if matches!(yaml.value, Value::Map(_)) => {
                    return NodeReader(&yaml).deserialize_enum(name, variants, visitor);
                }
                Err(error) if text.trim_start().starts_with('{') => return Err(error.into()),
                _ => {}
            }
            let name = Variant {
                name: text.trim(),
                name_place: &node.place,
                content: None,
            };
            return visitor.visit_enum(name).map_err(|e| e.at(&node.place));
        }
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
                return Err(TypeError::new(message).at(&node.place));
            }
        };
        visitor.visit_enum(access).map_err(|e| e.at(&node.place))
    }

    forward_to_deserialize_any! {
        bytes byte_buf unit unit_struct seq tuple tuple_struct map ignored_any
    }
}

/// Reads a value; what a type says of a value it does not accept is said of that value.
fn read<'de, T: DeserializeSeed<'de>>(node: &Node, seed: T) -> TypeResult<T::Value> {
    seed.deserialize(NodeReader(node))
        .map_err(|e| e.at(&node.place))
}

struct Items<'a>(std::slice::Iter<'a, Node>);

impl<'de> SeqAccess<'de> for &mut Items<'_> {
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
        let value = self
            .value
            .take()
            .ok_or_else(|| TypeError::new("a value was read before its key".to_owned()))?;
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
            .ok_or_else(|| TypeError::new(message()))
    }
}

impl<'de> VariantAccess<'de> for Content<'_> {
    type Error = TypeError;

    fn unit_variant(self) -> TypeResult<()> {
        match self.content {
            None => Ok(()),
            Some(node) => {
                let message = format!("`{}` takes no settings", self.name);
                Err(TypeError::new(message).at(&node.place))
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
            ("d: 0\nrate: 1\noptimizer: plain", "p:1:4", "at least 1"),
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
