//! `_headers`: no site chooses the headers that belong to the connection or to the body as it is sent.
#![no_main]

use clouds_local::edge::fuzzing::apply_headers;
use http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, DATE, HOST, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;

const OURS: [HeaderName; 9] =
    [CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, DATE, HOST, TE, TRANSFER_ENCODING, UPGRADE];

// The path is the first line, the rules are the rest.
fuzz_target!(|text: &str| {
    let Some((path, rules)) = text.split_once('\n') else { return };
    let kept = HeaderValue::from_static("kept");
    let mut headers: HeaderMap = OURS.into_iter().map(|name| (name, kept.clone())).collect();
    let complaints = apply_headers(rules, path, &mut headers);
    assert!(complaints <= rules.lines().count());
    for name in OURS {
        assert_eq!(headers.get_all(&name).iter().collect::<Vec<_>>(), [&kept], "{name}");
    }
    for value in headers.values() {
        assert!(!value.as_bytes().iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
    }
});
