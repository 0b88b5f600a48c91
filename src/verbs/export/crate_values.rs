//! Small JSON-LD entities of a crate, each once: what is referred to by many is told apart by `@id`.
//!
//! Knows JSON-LD's flat form. Does not know what a stage is.

use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// Entities by their `@id`; so their order is that of the ids, on every machine.
#[derive(Default)]
pub struct Entities(BTreeMap<String, Map<String, Json>>);

impl Entities {
    /// Adds an entity; one that is there already is kept.
    pub fn add(&mut self, id: &str, kind: &str, properties: Json) {
        self.add_typed(id, json!(kind), properties);
    }

    /// Adds an entity of one type or several.
    pub fn add_typed(&mut self, id: &str, kinds: Json, properties: Json) {
        self.0.entry(id.to_owned()).or_insert_with(|| {
            let mut entity = match properties {
                Json::Object(map) => map,
                _ => Map::new(),
            };
            entity.insert("@id".into(), json!(id));
            entity.insert("@type".into(), kinds);
            entity
        });
    }

    /// Adds a reference to `to` under `property` of an entity that is there; each once.
    pub fn link(&mut self, from: &str, property: &str, to: &str) {
        let Some(entity) = self.0.get_mut(from) else {
            return;
        };
        let list = entity.entry(property).or_insert_with(|| json!([]));
        if let Json::Array(list) = list
            && !list.contains(&reference(to))
        {
            list.push(reference(to));
        }
    }

    /// All of them, in the order of their ids. As RO-Crate asks, a list of one is its item; an empty
    /// one says nothing and is left out.
    pub fn into_graph(self) -> Vec<Json> {
        let plain = |value: Json| match value {
            Json::Array(mut items) if items.len() < 2 => items.pop(),
            value => Some(value),
        };
        let entity = |entity: Map<String, Json>| {
            let properties = entity.into_iter();
            let properties = properties.filter_map(|(name, value)| Some((name, plain(value)?)));
            Json::Object(properties.collect())
        };
        self.0.into_values().map(entity).collect()
    }
}

/// `{"@id": ...}`.
pub fn reference(id: &str) -> Json {
    json!({"@id": id})
}

/// References to several.
pub fn references<S: AsRef<str>>(ids: impl IntoIterator<Item = S>) -> Json {
    ids.into_iter().map(|id| reference(id.as_ref())).collect()
}

/// A name as part of an id: what a URI forbids, and `%` and `#`, as percent signs and hexadecimal digits.
pub fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => text.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b'/' | b'@' | b'=' | b',' | b'+' => {
                text.push(char::from(byte));
            }
            _ => text += &format!("%{byte:02X}"),
        }
    }
    text
}

/// How a schema.org data type is called that holds a JSON value.
pub fn data_type(value: &Json) -> &'static str {
    match value {
        Json::Bool(_) => "Boolean",
        Json::Number(number) if number.is_f64() => "Float",
        Json::Number(_) => "Integer",
        _ => "Text",
    }
}

/// The media type that goes with a file's name.
pub fn media_type(path: &str) -> &'static str {
    let extension = path.rsplit('.').next().unwrap_or_default();
    match extension {
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "pdf" => "application/pdf",
        "csv" => "text/csv",
        "json" | "lock" => "application/json",
        "parquet" => "application/vnd.apache.parquet",
        "md" => "text/markdown",
        "html" => "text/html",
        "tex" => "application/x-tex",
        "yaml" | "cff" => "application/yaml",
        "ttf" => "font/ttf",
        "gz" => "application/gzip",
        "txt" => "text/plain",
        _ if !path.rsplit('/').next().unwrap_or_default().contains('.') => "text/plain",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_is_there_once_and_so_is_a_link() {
        let mut entities = Entities::default();
        entities.add("#a", "Thing", json!({"name": "first"}));
        entities.add("#a", "Thing", json!({"name": "second"}));
        entities.link("#a", "knows", "#b");
        entities.link("#a", "knows", "#b");
        entities.link("#a", "likes", "#b");
        entities.link("#a", "likes", "#c");
        let expected = json!({"@id": "#a", "@type": "Thing", "name": "first",
            "knows": {"@id": "#b"}, "likes": [{"@id": "#b"}, {"@id": "#c"}]});
        assert_eq!(entities.into_graph(), [expected]);
    }

    #[test]
    fn ids_keep_apart_what_names_keep_apart() {
        assert_eq!(escaped("finetune@zs_v"), "finetune@zs_v");
        assert_eq!(escaped("a b#c%20é[x]"), "a%20b%23c%2520%C3%A9%5Bx%5D");
    }
}
