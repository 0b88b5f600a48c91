//! What a format promises: within a number, fields are only added.

use serde_json::{Value, json};

/// What a reader of the old schema would miss or misread in an object of the new one; `None` where nothing.
///
/// Fields, and alternatives of a value, may be added. What is said in words may change.
pub fn broken(old: &Value, new: &Value) -> Option<String> {
    let at = |step: &str, found: String| format!("{step}.{found}");
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => old.iter().find_map(|(key, old)| {
            let words = ["description", "title"].contains(&key.as_str()) && old.is_string();
            if words {
                return None;
            }
            match (new.get(key), key.as_str()) {
                (None, _) => Some(format!("{key} is gone")),
                (Some(new), "required" | "enum" | "oneOf" | "anyOf" | "type") => {
                    let (old, new) = (listed(old), listed(new));
                    let lost = old.iter().find(|old| {
                        let kept = |new: &Value| broken(old, new).is_none();
                        !new.iter().any(kept)
                    });
                    lost.map(|lost| format!("{key}: {lost} is gone"))
                }
                (Some(new), key) => broken(old, new).map(|found| at(key, found)),
            }
        }),
        _ if old == new => None,
        _ => Some(format!("{old} became {new}")),
    }
}

fn listed(value: &Value) -> Vec<Value> {
    value
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![value.clone()])
}

#[test]
fn what_is_taken_away_or_changed_breaks_the_promise_and_what_is_added_does_not() {
    let old = json!({
        "title": "retrace x 1",
        "properties": {"a": {"type": "string", "description": "a"}, "b": {"$ref": "#/$defs/B"}},
        "required": ["a", "b"],
        "$defs": {"B": {"oneOf": [{"const": "one"}, {"const": "two"}]}},
    });
    assert_eq!(broken(&old, &old), None);
    let changed = |path: &str, value: Value| {
        let mut new = old.clone();
        *new.pointer_mut(path).expect("a place") = value;
        broken(&old, &new)
    };
    let more = json!([{"const": "two"}, {"const": "zero"}, {"const": "one"}]);
    assert_eq!(
        changed("/properties/a/description", json!("other words")),
        None
    );
    assert_eq!(changed("/required", json!(["c", "a", "b"])), None);
    assert_eq!(changed("/$defs/B/oneOf", more), None);
    let of_a = json!({"type": "string"});
    assert_eq!(
        changed("/properties", json!({"a": of_a})).as_deref(),
        Some("properties.b is gone")
    );
    assert!(changed("/properties/a/type", json!("integer")).is_some());
    assert!(changed("/required", json!(["a"])).is_some());
    assert!(changed("/$defs/B/oneOf", json!([{"const": "one"}])).is_some());
}
