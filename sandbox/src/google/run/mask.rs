//! Update masks.

use serde_json::{Map, Value};

/// Fields that clients set.
const SETTABLE: [&str; 19] = [
    "description",
    "labels",
    "annotations",
    "client",
    "clientVersion",
    "ingress",
    "launchStage",
    "binaryAuthorization",
    "template",
    "traffic",
    "scaling",
    "invokerIamDisabled",
    "defaultUriDisabled",
    "customAudiences",
    "iapEnabled",
    "buildConfig",
    "multiRegionSettings",
    "sshEnabled",
    "threatDetectionEnabled",
];

/// The service as a client wants it: fields of the mask, or all that can be set where there is none.
pub(super) fn apply(current: &Value, wanted: &Value, mask: &str) -> Value {
    let mut result = current.clone();
    if mask.is_empty() || mask == "*" {
        for field in SETTABLE {
            set(&mut result, field, wanted.get(field));
        }
        return result;
    }
    for path in mask.split(',').map(camel) {
        let pointer = format!("/{}", path.replace('.', "/"));
        set_at(&mut result, &path, wanted.pointer(&pointer));
    }
    result
}

/// The field of a new service that clients set.
pub(super) fn settable(wanted: &Value) -> Value {
    apply(&Value::Object(Map::new()), wanted, "")
}

fn set(target: &mut Value, field: &str, value: Option<&Value>) {
    let Some(target) = target.as_object_mut() else { return };
    match value {
        Some(value) if !value.is_null() => {
            target.insert(field.to_owned(), value.clone());
        }
        _ => {
            target.remove(field);
        }
    }
}

fn set_at(target: &mut Value, path: &str, value: Option<&Value>) {
    match path.split_once('.') {
        None => set(target, path, value),
        Some((first, rest)) => {
            if !target.get(first).is_some_and(Value::is_object) {
                set(target, first, Some(&Value::Object(Map::new())));
            }
            if let Some(inner) = target.get_mut(first) {
                set_at(inner, rest, value);
            }
        }
    }
}

/// Masks may be written in either case: `invoker_iam_disabled` or `invokerIamDisabled`.
fn camel(path: &str) -> String {
    let mut result = String::new();
    let mut upper = false;
    for letter in path.trim().chars() {
        match letter {
            '_' => upper = true,
            letter if upper => {
                result.push(letter.to_ascii_uppercase());
                upper = false;
            }
            letter => result.push(letter),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mask_changes_its_fields_only() {
        let current = json!({"uid": "1", "labels": {"a": "1"}, "template": {"timeout": "1s", "revision": "r"}, "traffic": [1]});
        let wanted = json!({"traffic": [2], "template": {"timeout": "2s"}});
        assert_eq!(apply(&current, &wanted, "traffic")["traffic"], json!([2]));
        assert_eq!(apply(&current, &wanted, "traffic")["labels"], json!({"a": "1"}));
        assert_eq!(apply(&current, &wanted, "template.timeout")["template"], json!({"timeout": "2s", "revision": "r"}));
        let all = apply(&current, &wanted, "");
        assert_eq!(all, json!({"uid": "1", "template": {"timeout": "2s"}, "traffic": [2]}));
        assert_eq!(
            apply(&current, &json!({"invokerIamDisabled": true}), "invoker_iam_disabled")["invokerIamDisabled"],
            json!(true)
        );
    }
}
