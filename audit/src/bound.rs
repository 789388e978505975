//! Keeps what people write from filling the log: what is too long is cut, and its digest says what it was.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// The longest text that is kept whole, in bytes, and how much is kept of a longer one.
const LONGEST_TEXT: usize = 1024;
const KEPT: usize = 256;
/// The largest document that is kept, in bytes of JSON.
const LARGEST: usize = 48 * 1024;

/// The document with long texts cut; of one that is too large even so, only the digest.
pub fn bounded(document: Value) -> Value {
    let cut = cut(document);
    let text = cut.to_string();
    if text.len() <= LARGEST {
        return cut;
    }
    json!({"cut": true, "bytes": text.len(), "sha256": hex::encode(Sha256::digest(&text))})
}

fn cut(document: Value) -> Value {
    match document {
        Value::String(text) if text.len() > LONGEST_TEXT => {
            let shown = &text[..text.floor_char_boundary(KEPT)];
            json!({"cut": shown, "bytes": text.len(), "sha256": hex::encode(Sha256::digest(&text))})
        }
        Value::Array(items) => Value::Array(items.into_iter().map(cut).collect()),
        Value::Object(members) => Value::Object(members.into_iter().map(|(key, value)| (key, cut(value))).collect::<Map<_, _>>()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_at_a_character_and_keep_their_digest() {
        let long = "ü".repeat(2000);
        let kept = bounded(json!({"a": ["short", long]}));
        assert_eq!(kept["a"][0], "short");
        assert_eq!(kept["a"][1]["cut"], "ü".repeat(128));
        assert_eq!((&kept["a"][1]["bytes"], &kept["a"][1]["sha256"]), (&json!(4000), &json!(hex::encode(Sha256::digest(&long)))));
    }

    #[test]
    fn nothing_grows_beyond_the_bound() {
        let many: Vec<_> = (0..2000).map(|number| format!("{number}{}", "x".repeat(1000))).collect();
        let kept = bounded(json!(many));
        assert_eq!(kept["cut"], true);
        assert!(kept.to_string().len() < LARGEST);
    }
}
