//! A validator of JSON Schemas for the keywords that ours use.

use regex::Regex;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::HashMap;

/// A validator for the keywords that the schema uses; any other is an error of the test.
pub struct Validator {
    root: Value,
    strict: bool,
    /// By its text: a pattern takes far longer to compile than to match.
    patterns: RefCell<HashMap<String, Regex>>,
}

impl Validator {
    /// One that lets an object have members that its schema does not name, as JSON Schema does.
    pub fn lenient(root: Value) -> Self {
        Validator::new(root, false)
    }

    /// One that refuses members that no schema names.
    pub fn strict(root: Value) -> Self {
        Validator::new(root, true)
    }

    fn new(root: Value, strict: bool) -> Self {
        let patterns = RefCell::default();
        Validator {
            root,
            strict,
            patterns,
        }
    }

    fn matches(&self, pattern: &str, text: &str) -> bool {
        let mut patterns = self.patterns.borrow_mut();
        let compiled = patterns
            .entry(pattern.to_owned())
            .or_insert_with(|| Regex::new(pattern).expect("a pattern"));
        compiled.is_match(text)
    }

    /// Why a value is not valid, and where.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        self.valid(&self.root, value)
            .map_err(|(place, why)| format!("{place}: {why}"))
    }

    fn valid(&self, schema: &Value, value: &Value) -> Result<(), (String, String)> {
        let fail = |why: String| Err((String::new(), why));
        let Value::Object(keywords) = schema else {
            return match schema {
                Value::Bool(true) => Ok(()),
                _ => fail("nothing may stand here".into()),
            };
        };
        let below = |step: &str, schema: &Value, value: &Value| {
            self.valid(schema, value)
                .map_err(|(place, why)| (format!(".{step}{place}"), why))
        };
        let all = |list: &Value| list.as_array().expect("a list").clone();
        let holds = |schema: &Value| self.valid(schema, value).is_ok();
        let bound = |limit: &Value, ok: fn(f64, f64) -> bool| {
            let limit = limit.as_f64().expect("a number");
            value.as_f64().is_none_or(|x| ok(x, limit))
        };
        if self.strict && keywords.contains_key("properties") {
            let names = value
                .as_object()
                .into_iter()
                .flat_map(serde_json::Map::keys);
            let known = |name: &&String| {
                let named = schema["properties"].get(*name).is_some();
                named || keywords.contains_key("additionalProperties")
            };
            if let Some(name) = names.into_iter().find(|name| !known(name)) {
                return fail(format!("`{name}` is in no schema"));
            }
        }
        for (keyword, content) in keywords {
            match keyword.as_str() {
                // A width of bits is for generators of code.
                "$schema" | "$defs" | "title" | "description" | "default" | "format" => {}
                "$ref" => {
                    let path = content.as_str().expect("text").trim_start_matches('#');
                    self.valid(self.root.pointer(path).expect("a definition"), value)?;
                }
                "type" => {
                    let is = |name: &Value| match name.as_str().expect("text") {
                        "null" => value.is_null(),
                        "boolean" => value.is_boolean(),
                        "integer" => value.as_f64().is_some_and(|x| x.fract() == 0.0),
                        "number" => value.is_number(),
                        "string" => value.is_string(),
                        "array" => value.is_array(),
                        "object" => value.is_object(),
                        other => panic!("unknown type {other}"),
                    };
                    let one_of = content.as_array();
                    if !one_of.map_or_else(|| is(content), |types| types.iter().any(is)) {
                        return fail(format!("{value} is not of type {content}"));
                    }
                }
                "const" if content != value => return fail(format!("{value} is not {content}")),
                "enum" if !all(content).contains(value) => {
                    return fail(format!("{value} is not one of {content}"));
                }
                "const" | "enum" => {}
                "pattern" => {
                    let pattern = content.as_str().expect("text");
                    if !value
                        .as_str()
                        .is_none_or(|text| self.matches(pattern, text))
                    {
                        return fail(format!("{value} does not match {content}"));
                    }
                }
                "minimum" if !bound(content, |x, limit| x >= limit) => {
                    return fail(format!("{value} is below {content}"));
                }
                "maximum" if !bound(content, |x, limit| x <= limit) => {
                    return fail(format!("{value} is above {content}"));
                }
                "exclusiveMinimum" if !bound(content, |x, limit| x > limit) => {
                    return fail(format!("{value} is not above {content}"));
                }
                "exclusiveMaximum" if !bound(content, |x, limit| x < limit) => {
                    return fail(format!("{value} is not below {content}"));
                }
                "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {}
                "minItems" | "maxItems" | "minProperties" => {
                    let limit = content.as_u64().expect("a number") as usize;
                    let length = value.as_array().map(Vec::len);
                    let length = length.or(value.as_object().map(serde_json::Map::len));
                    let ok = length.is_none_or(|n| match keyword.starts_with("min") {
                        true => n >= limit,
                        false => n <= limit,
                    });
                    if !ok {
                        return fail(format!("{keyword} is {limit}"));
                    }
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        below(&index.to_string(), content, item)?;
                    }
                }
                "properties" => {
                    for (name, schema) in content.as_object().expect("an object") {
                        if let Some(value) = value.get(name) {
                            below(name, schema, value)?;
                        }
                    }
                }
                "additionalProperties" => {
                    let declared = &schema["properties"];
                    for (name, value) in value.as_object().into_iter().flatten() {
                        if declared.get(name).is_none() {
                            below(name, content, value)?;
                        }
                    }
                }
                "propertyNames" => {
                    for name in value
                        .as_object()
                        .into_iter()
                        .flat_map(serde_json::Map::keys)
                    {
                        below(name, content, &json!(name))?;
                    }
                }
                "required" => {
                    for name in all(content) {
                        let name = name.as_str().expect("text").to_owned();
                        if value.is_object() && value.get(&name).is_none() {
                            return fail(format!("`{name}` is missing"));
                        }
                    }
                }
                "allOf" => all(content)
                    .iter()
                    .try_for_each(|schema| self.valid(schema, value))?,
                "anyOf" => {
                    let results: Vec<_> =
                        all(content).iter().map(|s| self.valid(s, value)).collect();
                    if !results.iter().any(Result::is_ok) {
                        // The alternative that got furthest says most.
                        let errors = results.into_iter().filter_map(Result::err);
                        return Err(errors.max_by_key(|(p, _)| p.len()).expect("an error"));
                    }
                }
                "oneOf" => {
                    let valid = all(content).iter().filter(|s| holds(s)).count();
                    if valid != 1 {
                        return fail(format!("{value} fits {valid} alternatives"));
                    }
                }
                "if" => {
                    if holds(content) {
                        self.valid(&schema["then"], value)?;
                    }
                }
                "then" => {}
                other => panic!("unknown keyword {other}"),
            }
        }
        Ok(())
    }
}
