//! The `_redirects` file, as Netlify and Cloudflare Pages have it.

use http::StatusCode;
use http::uri::Authority;

use super::pattern::{Captures, Pattern, is_name};

/// The longest file of rules that is read, bytes.
pub(crate) const MAX_RULES_BYTES: u64 = 1 << 20;

const MAX_RULES: usize = 5000;

/// The rules of a `_redirects` file, in order.
#[derive(Debug, Default)]
pub(crate) struct Redirects {
    rules: Vec<Rule>,
    /// Indicates that some rule takes precedence over a file that exists.
    pub has_forced: bool,
}

/// One rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    from: Pattern,
    to: String,
    /// The status it answers with; 200, 404 and 410 show the target in place, others send the browser there.
    pub status: StatusCode,
    /// Takes precedence over a file that exists.
    pub forced: bool,
}

impl Redirects {
    /// The rules of the file's text, and a complaint for each line that is none.
    pub fn parse(text: &str) -> (Self, Vec<String>) {
        let (mut redirects, mut complaints) = (Self::default(), Vec::new());
        for (number, line) in text.lines().enumerate() {
            let words: Vec<&str> = line.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
            if words.is_empty() {
                continue;
            }
            match Rule::parse(&words) {
                Ok(rule) if redirects.rules.len() < MAX_RULES => redirects.rules.push(rule),
                Ok(_) => {
                    complaints.push(format!("_redirects line {}: only the first {MAX_RULES} rules are used", number + 1));
                    break;
                }
                Err(reason) => complaints.push(format!("_redirects line {} is ignored: {reason}", number + 1)),
            }
        }
        redirects.has_forced = redirects.rules.iter().any(|rule| rule.forced);
        (redirects, complaints)
    }

    /// The first rule for this path (percent escapes resolved, leading slash).
    pub fn find(&self, path: &str) -> Option<(&Rule, Captures)> {
        self.rules.iter().find_map(|rule| Some((rule, rule.from.captures_leniently(path)?)))
    }
}

impl Rule {
    fn parse(words: &[&str]) -> Result<Self, String> {
        let [from, to, rest @ ..] = words else { return Err("expected `from to [status]`".to_owned()) };
        let (status, rest) = rest.split_first().map_or(("301", rest), |(status, rest)| (*status, rest));
        if !rest.is_empty() || status.contains('=') || to.contains('=') && !to.contains('/') {
            return Err("conditions on queries, countries, languages or roles are not known here".to_owned());
        }
        let forced = status.ends_with('!');
        let number = status.trim_end_matches('!');
        if !matches!(number, "200" | "301" | "302" | "303" | "307" | "308" | "404" | "410") {
            return Err(format!("the status `{status}` is none of 200 301 302 303 307 308 404 410"));
        }
        let status = StatusCode::from_bytes(number.as_bytes()).map_err(|error| error.to_string())?;
        let remote = ["http://", "https://"].iter().find_map(|scheme| to.strip_prefix(scheme));
        match remote {
            Some(address) => check_host(address)?,
            None if to.starts_with('/') => {}
            None => return Err(format!("the target `{to}` is neither a path nor an http address")),
        }
        let rule = Self { from: Pattern::parse(from)?, to: (*to).to_owned(), status, forced };
        if remote.is_some() && !status.is_redirection() {
            return Err("showing another host's pages in place is not offered: use 301, 302, 307 or 308".to_owned());
        }
        Ok(rule)
    }

    /// The path to show in place, percent escapes resolved, with its leading slash.
    pub fn target(&self, captures: &Captures) -> String {
        let path = self.to.split(['?', '#']).next().unwrap_or_default();
        fill(path, captures, str::to_owned)
    }

    /// The address to send the browser to. The request's query stays, unless the target has one of its own.
    pub fn location(&self, captures: &Captures, query: Option<&str>) -> String {
        let mut location = fill(&self.to, captures, percent_encode);
        // `//host` would be another host's address: a path that was asked for must not choose the host.
        if self.to.starts_with('/') {
            location = format!("/{}", location.trim_start_matches(['/', '\\']));
        }
        let Some(query) = query.filter(|query| !query.is_empty() && !location.contains('?')) else { return location };
        let at = location.find('#').unwrap_or(location.len());
        location.insert_str(at, &format!("?{query}"));
        location
    }
}

/// Checks the host of an address without its scheme: a path that is asked for must not choose it.
fn check_host(address: &str) -> Result<(), String> {
    let authority = address.split(['/', '?', '#']).next().unwrap_or_default();
    let after_colons = authority.split(':').skip(1);
    if after_colons.into_iter().any(|text| text.starts_with(|c: char| c.is_ascii_alphabetic())) {
        return Err(format!("the host `{authority}` holds a placeholder: write it out, placeholders belong into the path"));
    }
    match authority.parse::<Authority>() {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("the target's host `{authority}` is none: write it as in https://example.org/path")),
    }
}

/// The text with every `:name` that was captured replaced.
fn fill(text: &str, captures: &Captures, encode: impl Fn(&str) -> String) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(':') {
        filled.push_str(before);
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
        let (name, tail) = after.split_at(end);
        match captures.get(name).filter(|_| is_name(name)) {
            Some(value) => filled.push_str(&encode(value)),
            None => filled.extend([":", name]),
        }
        rest = tail;
    }
    filled.push_str(rest);
    filled
}

fn percent_encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(rules: &str, path: &str, query: Option<&str>) -> Option<(u16, String)> {
        let (redirects, complaints) = Redirects::parse(rules);
        assert_eq!(complaints, Vec::<String>::new());
        let (rule, captures) = redirects.find(path)?;
        let status = rule.status.as_u16();
        let to = if rule.status.is_redirection() { rule.location(&captures, query) } else { rule.target(&captures) };
        Some((status, to))
    }

    #[test]
    fn the_table_of_redirects() {
        let table = [
            ("/a /b", "/a", None, Some((301, "/b"))),
            ("/a /b 302!", "/a/", None, Some((302, "/b"))),
            ("/a /b", "/a", Some("x=1"), Some((301, "/b?x=1"))),
            ("/a /b?y=2#top", "/a", Some("x=1"), Some((301, "/b?y=2#top"))),
            ("/a /b#top", "/a", Some("x=1"), Some((301, "/b?x=1#top"))),
            ("/a https://example.org/z 308", "/a", None, Some((308, "https://example.org/z"))),
            ("/a http://example.org:8080/:x", "/a", None, Some((301, "http://example.org:8080/:x"))),
            ("/blog/:y/:s /news/:s?year=:y 301", "/blog/24/ü", None, Some((301, "/news/%C3%BC?year=24"))),
            ("/old/* /new/:splat 307", "/old/a/b", None, Some((307, "/new/a/b"))),
            ("/* /index.html 200", "/deep/link", None, Some((200, "/index.html"))),
            ("# c\n\n/a /b 303 # why", "/a", None, Some((303, "/b"))),
            ("/a /1\n/a /2", "/a", None, Some((301, "/1"))),
            ("/a /b", "/c", None, None),
        ];
        for (rules, path, query, expected) in table {
            assert_eq!(follow(rules, path, query), expected.map(|(status, to)| (status, to.to_owned())), "{rules}");
        }
    }

    #[test]
    fn a_path_cannot_send_the_browser_to_another_host() {
        for path in ["//evil.example", "/\\evil.example", "///evil.example/x"] {
            let (_, location) = follow("/* /:splat 301", path, None).unwrap();
            assert!(location.starts_with('/') && !location.starts_with("//") && !location.starts_with("/\\"), "{location}");
        }
    }

    #[test]
    fn a_path_cannot_choose_the_host_of_a_target() {
        for to in [
            "https://:splat",
            "https://:splat.example.org/",
            "https://example.org:splat/",
            "https://example.org\\:splat",
            "https:///:splat",
            "https://\\/:splat",
            "https://?:splat",
        ] {
            let (redirects, complaints) = Redirects::parse(&format!("/* {to} 301"));
            assert_eq!((redirects.rules.len(), complaints.len()), (0, 1), "{to}");
            assert!(complaints[0].contains("host"), "{complaints:?}");
        }
    }

    #[test]
    fn lines_that_are_no_rules_are_told_by_number() {
        let (redirects, complaints) = Redirects::parse(
            "/only\n/a /b 999\n/a b\nhttps://x.org/* /y\n/a id=:id /b\n/a /b 302 Country=de\n/a https://x.org/ 200\n/ok /fine",
        );
        assert_eq!(redirects.rules.len(), 1);
        let numbers: Vec<_> = complaints.iter().map(|text| text.split(' ').nth(2).unwrap()).collect();
        assert_eq!(numbers, ["1", "2", "3", "4", "5", "6", "7"], "{complaints:?}");
    }
}
