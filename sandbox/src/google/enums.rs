//! Enums as numbers, for clients that write and read them so (`$alt=json;enum-encoding=int`).

use serde_json::{Value, json};

use crate::http::{Answer, Call};

/// Values of an enum by the names of the fields that have it, each with its number. Beginnings tell apart what one field name stands for.
const ENUMS: [(&str, &[(&str, i64)]); 12] = [
    (
        "ingress",
        &[
            ("INGRESS_TRAFFIC_ALL", 1),
            ("INGRESS_TRAFFIC_INTERNAL_ONLY", 2),
            ("INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER", 3),
            ("INGRESS_TRAFFIC_NONE", 4),
        ],
    ),
    (
        "launchStage",
        &[("EARLY_ACCESS", 1), ("ALPHA", 2), ("BETA", 3), ("GA", 4), ("DEPRECATED", 5), ("UNIMPLEMENTED", 6), ("PRELAUNCH", 7)],
    ),
    ("type", &[("TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", 1), ("TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", 2)]),
    ("state", &[("CONDITION_PENDING", 1), ("CONDITION_RECONCILING", 2), ("CONDITION_FAILED", 3), ("CONDITION_SUCCEEDED", 4)]),
    ("state", &[("ENABLED", 1), ("DISABLED", 2), ("DESTROYED", 3)]),
    ("severity", &[("ERROR", 1), ("WARNING", 2), ("INFO", 3)]),
    ("executionEnvironment", &[("EXECUTION_ENVIRONMENT_GEN1", 1), ("EXECUTION_ENVIRONMENT_GEN2", 2)]),
    ("egress", &[("ALL_TRAFFIC", 1), ("PRIVATE_RANGES_ONLY", 2)]),
    ("scalingMode", &[("AUTOMATIC", 1), ("MANUAL", 2)]),
    ("format", &[("DOCKER", 1), ("MAVEN", 2), ("NPM", 3), ("APT", 5), ("YUM", 6), ("PYTHON", 8)]),
    ("mode", &[("STANDARD_REPOSITORY", 1), ("VIRTUAL_REPOSITORY", 2), ("REMOTE_REPOSITORY", 3)]),
    ("encryptionKeyRevocationAction", &[("PREVENT_NEW", 1), ("SHUTDOWN", 2)]),
];

/// Returns true if the caller wants numbers.
fn wants_numbers(call: &Call) -> bool {
    call.parameter("$alt").is_some_and(|alt| alt.contains("enum-encoding=int"))
}

/// Replaces numbers of enums in what a client sends by their names; names are taken from everyone.
pub(super) fn named(mut body: Value) -> Value {
    walk(&mut body, &|field, value| {
        let number = value.as_i64()?;
        let (_, values) = ENUMS.iter().find(|(name, _)| *name == field)?;
        values.iter().find(|(_, own)| *own == number).map(|(name, _)| json!(name))
    });
    body
}

/// The answer with numbers in place of names, if the caller wants them.
pub(super) fn numbered(call: &Call, answer: Answer) -> Answer {
    if !wants_numbers(call) {
        return answer;
    }
    let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) else { return answer };
    walk(&mut body, &|field, value| {
        let text = value.as_str()?;
        let values = ENUMS.iter().filter(|(name, _)| *name == field).flat_map(|(_, values)| values.iter());
        values.into_iter().find(|(name, _)| *name == text).map(|(_, number)| json!(number))
    });
    Answer { body: body.to_string().into(), ..answer }
}

fn walk(value: &mut Value, change: &dyn Fn(&str, &Value) -> Option<Value>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match change(name, member) {
                    Some(changed) => *member = changed,
                    None if is_free(name, member) => {}
                    None => walk(member, change),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, change)),
        _ => {}
    }
}

/// Returns true for maps whose keys are the user's own.
fn is_free(name: &str, member: &Value) -> bool {
    matches!(name, "labels" | "annotations") || (name == "metadata" && member.get("@type").is_none())
}
