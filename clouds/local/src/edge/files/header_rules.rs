//! The `_headers` file, as Netlify and Cloudflare Pages have it.

use std::collections::HashSet;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::path::decode;
use super::pattern::Pattern;

const MAX_RULES: usize = 5000;

/// Headers that belong to the connection or to the body as it is sent; a site cannot choose them.
const FORBIDDEN: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "content-encoding",
    "content-range",
    "accept-ranges",
    "date",
    "host",
];

/// The rules of a `_headers` file, in order.
#[derive(Debug, Default)]
pub(crate) struct HeaderRules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    pattern: Pattern,
    set: Vec<(HeaderName, HeaderValue)>,
    remove: Vec<HeaderName>,
}

enum Line {
    Set(HeaderName, HeaderValue),
    Remove(HeaderName),
}

impl HeaderRules {
    /// The rules of the file's text, and a complaint for each line that is none.
    pub fn parse(text: &str) -> (Self, Vec<String>) {
        let (mut rules, mut complaints): (Vec<Rule>, Vec<String>) = (Vec::new(), Vec::new());
        // Lines under a pattern that was refused are passed over with it.
        let mut open = false;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !is_comment(line)) {
            let mut complain = |reason: &str| complaints.push(format!("_headers line {} is ignored: {reason}", number + 1));
            if line.starts_with([' ', '\t']) {
                let rule = rules.last_mut().filter(|_| open);
                match (rule, parse_header(line.trim())) {
                    (Some(rule), Ok(Line::Set(name, value))) => rule.set.push((name, value)),
                    (Some(rule), Ok(Line::Remove(name))) => rule.remove.push(name),
                    (None, _) => complain("it belongs to no path"),
                    (_, Err(reason)) => complain(&reason),
                }
                continue;
            }
            match Pattern::parse(line.trim()) {
                Ok(pattern) if rules.len() < MAX_RULES => {
                    rules.push(Rule { pattern, set: Vec::new(), remove: Vec::new() });
                    open = true;
                }
                Ok(_) => {
                    complain("there are too many rules");
                    break;
                }
                Err(reason) => {
                    complain(reason);
                    open = false;
                }
            }
        }
        (Self(rules), complaints)
    }

    /// Changes the headers of an answer for this request path. The first value of a name replaces the edge's own; further ones
    /// are added to it.
    pub fn apply(&self, path: &str, headers: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        let Some(decoded) = decode(path) else { return };
        let path = format!("/{decoded}");
        let mut touched = HashSet::new();
        for rule in self.0.iter().filter(|rule| rule.pattern.captures(&path).is_some()) {
            for name in &rule.remove {
                headers.remove(name);
            }
            for (name, value) in &rule.set {
                if touched.insert(name) {
                    headers.insert(name, value.clone());
                } else {
                    headers.append(name, value.clone());
                }
            }
        }
    }
}

fn is_comment(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

fn parse_header(line: &str) -> Result<Line, String> {
    let name = |text: &str| match text.trim().to_ascii_lowercase() {
        name if FORBIDDEN.contains(&name.as_str()) => Err(format!("`{name}` is set by the server")),
        name => HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no header name")),
    };
    if let Some(removed) = line.strip_prefix('!') {
        return name(removed).map(Line::Remove);
    }
    let (key, value) = line.split_once(':').ok_or("expected `Name: value`")?;
    let value = HeaderValue::from_str(value.trim()).map_err(|_| "the value has characters that no header can carry")?;
    Ok(Line::Set(name(key)?, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(rules: &str, path: &str) -> Vec<String> {
        let mut headers = HeaderMap::new();
        headers.insert("cache-control", HeaderValue::from_static("default"));
        HeaderRules::parse(rules).0.apply(path, &mut headers);
        let mut lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    #[test]
    fn the_table_of_headers() {
        let default = "cache-control: default";
        let table: [(&str, &str, &[&str]); 7] = [
            ("/*\n  X-A: 1", "/x/y", &[default, "x-a: 1"]),
            ("/a\n  X-A: 1", "/b", &[default]),
            ("/a b\n  X-A: 1", "/a%20b", &[default, "x-a: 1"]),
            ("/*\n\tCache-Control: no-store\n# c\n\n/x\n  X-B: url:8", "/x", &["cache-control: no-store", "x-b: url:8"]),
            ("/*\n  Link: <a>\n/x\n  Link: <b>", "/x", &[default, "link: <a>", "link: <b>"]),
            ("/*\n  X-A: 1\n/x\n  ! X-A\n  ! Cache-Control", "/x", &[]),
            ("/p/:id\n  X-A: 1", "/p/7", &[default, "x-a: 1"]),
        ];
        for (rules, path, expected) in table {
            assert_eq!(applied(rules, path), expected, "{rules}");
        }
    }

    #[test]
    fn what_no_site_may_set_and_what_no_header_can_carry_is_ignored_and_told() {
        let (rules, complaints) = HeaderRules::parse(
            "  X-A: 1\n/*\n  Content-Length: 7\n  Transfer-Encoding: chunked\n  Bad Name: x\n  X-B: a\u{1}b\n  nothing\nhttps://x/*\n  X-C: 1",
        );
        let mut headers = HeaderMap::new();
        rules.apply("/x", &mut headers);
        assert!(headers.is_empty(), "{headers:?}");
        assert_eq!(complaints.len(), 8, "{complaints:?}");
    }
}
