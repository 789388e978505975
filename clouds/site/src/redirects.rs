//! The `_redirects` file, as Netlify and Cloudflare Pages have it.

use http::StatusCode;
use http::uri::Authority;

use crate::path::{MatchPath, percent_decode};
use crate::pattern::{Captures, Pattern, is_name};

const MAX_RULES: usize = 5000;

/// The rules of a `_redirects` file, in order.
#[derive(Debug, Default)]
pub struct Redirects {
    rules: Vec<Rule>,
    /// Indicates that some rule takes precedence over a file that exists.
    pub has_forced: bool,
}

/// One rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
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
            if let Err(reason) = Rule::parse(&words).and_then(|rule| redirects.add(rule)) {
                complaints.push(format!("_redirects line {} is ignored: {reason}", number + 1));
            }
            if redirects.rules.len() == MAX_RULES {
                complaints.push(format!("_redirects: nothing after line {} is read: {MAX_RULES} rules are the most", number + 1));
                break;
            }
        }
        (redirects, complaints)
    }

    /// Adds a rule after those that are there, which win over it.
    pub fn add(&mut self, rule: Rule) -> Result<(), String> {
        if self.rules.len() >= MAX_RULES {
            return Err(format!("a site has at most {MAX_RULES} redirects"));
        }
        self.has_forced |= rule.forced;
        self.rules.push(rule);
        Ok(())
    }

    /// Puts the rules of another file after these.
    pub fn extend(&mut self, other: Self) {
        self.has_forced |= other.has_forced;
        self.rules.extend(other.rules);
    }

    /// The rules in order.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// The first rule for this path.
    pub fn find(&self, path: &MatchPath<'_>) -> Option<(&Rule, Captures)> {
        self.rules.iter().find_map(|rule| Some((rule, rule.from.captures(path)?)))
    }
}

impl Rule {
    fn parse(words: &[&str]) -> Result<Self, String> {
        let [from, to, rest @ ..] = words else { return Err("expected `from to [status]`".to_owned()) };
        let (status, rest) = rest.split_first().map_or(("301", rest), |(status, rest)| (*status, rest));
        if !rest.is_empty() || status.contains('=') || to.contains('=') && !to.contains('/') {
            return Err("conditions on queries, countries, languages or roles are not known here".to_owned());
        }
        Self::new(from, to, status.trim_end_matches('!'), status.ends_with('!'))
    }

    /// A rule with a status as it is written, such as `301`; or why it is none.
    pub fn new(from: &str, to: &str, status: &str, forced: bool) -> Result<Self, String> {
        if !matches!(status, "200" | "301" | "302" | "303" | "307" | "308" | "404" | "410") {
            return Err(format!("the status `{status}` is none of 200 301 302 303 307 308 404 410"));
        }
        let status = StatusCode::from_bytes(status.as_bytes()).map_err(|error| error.to_string())?;
        let remote = ["http://", "https://"].iter().find_map(|scheme| to.strip_prefix(scheme));
        match remote {
            Some(address) => check_host(address)?,
            None if to.starts_with('/') => {}
            None => return Err(format!("the target `{to}` is neither a path nor an http address")),
        }
        let rule = Self { from: Pattern::parse(from)?, to: to.to_owned(), status, forced };
        if remote.is_some() && !status.is_redirection() {
            return Err("showing another host's pages in place is not offered: use 301, 302, 307 or 308".to_owned());
        }
        Ok(rule)
    }

    /// Pattern of the paths that it is for.
    pub fn pattern(&self) -> &Pattern {
        &self.from
    }

    /// The target with something in place of each `:name` that the pattern may have captured. What stands between them goes through
    /// `literal`.
    pub fn target_with(&self, literal: impl Fn(&str) -> String, value: impl Fn(&str) -> String) -> String {
        let mut filled = String::new();
        let mut rest = self.to.as_str();
        while let Some((before, after)) = rest.split_once(':') {
            filled.push_str(&literal(before));
            let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
            let (name, tail) = after.split_at(end);
            if self.from.has(name) {
                filled.push_str(&value(name));
            } else {
                filled.push_str(&literal(&format!(":{name}")));
            }
            rest = tail;
        }
        filled + &literal(rest)
    }

    /// The path to show in place, percent escapes resolved, with its leading slash.
    pub fn target(&self, captures: &Captures) -> String {
        let path = self.to.split(['?', '#']).next().unwrap_or_default();
        let filled = fill(path, captures, &[]);
        percent_decode(&filled).unwrap_or(filled)
    }

    /// The address to send the browser to. What the request's path was escaped as stays so. The request's query stays, unless the
    /// target has one of its own.
    pub fn location(&self, captures: &Captures, query: Option<&str>) -> String {
        let (to, fragment) = self.to.find('#').map_or((self.to.as_str(), ""), |at| self.to.split_at(at));
        let (path, own_query) = to.find('?').map_or((to, ""), |at| to.split_at(at));
        let mut location = fill(path, captures, b"?#");
        // `//host` would be another host's address: a path that was asked for must not choose the host.
        if self.to.starts_with('/') {
            location = format!("/{}", location.trim_start_matches(['/', '\\']));
        }
        // These end a value in a query, or mean a space there, which they do not in a path.
        location.push_str(&fill(own_query, captures, b"&+#"));
        if let Some(query) = query.filter(|query| !query.is_empty() && own_query.is_empty()) {
            location.extend(["?", query]);
        }
        location.push_str(&fill(fragment, captures, &[]));
        escape(&location, &[])
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

/// The text with every `:name` that was captured replaced; `special` characters of the values are escaped.
fn fill(text: &str, captures: &Captures, special: &[u8]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(':') {
        filled.push_str(before);
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
        let (name, tail) = after.split_at(end);
        match captures.get(name).filter(|_| is_name(name)) {
            Some(value) => filled.push_str(&escape(value, special)),
            None => filled.extend([":", name]),
        }
        rest = tail;
    }
    filled.push_str(rest);
    filled
}

/// The text with escapes in place of `special` characters and of those that no address may hold. Escapes that it has stay.
fn escape(text: &str, special: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) && !special.contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(rules: &str, path: &str, query: Option<&str>) -> Option<(u16, String)> {
        let (redirects, complaints) = Redirects::parse(rules);
        assert_eq!(complaints, Vec::<String>::new());
        let (rule, captures) = redirects.find(&MatchPath::new(path)?)?;
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
            ("/blog/:y/:s /news/:s?year=:y 301", "/blog/24/%C3%BC", None, Some((301, "/news/%C3%BC?year=24"))),
            ("/old/* /new/:splat 307", "/old/a/b", None, Some((307, "/new/a/b"))),
            ("/* /index.html 200", "/deep/link", None, Some((200, "/index.html"))),
            ("# c\n\n/a /b 303 # why", "/a", None, Some((303, "/b"))),
            ("/a /1\n/a /2", "/a", None, Some((301, "/1"))),
            ("/a /b", "/c", None, None),
            ("/old/* https://example.org/:splat", "/old/%40s%2Fn", None, Some((301, "https://example.org/%40s%2Fn"))),
            ("/old/* /new/:splat", "/old/a%2Bb+c&d%26e%3F%23", None, Some((301, "/new/a%2Bb+c&d%26e%3F%23"))),
            ("/find/* /search?q=:splat", "/find/x%26a%3D1", None, Some((301, "/search?q=x%26a%3D1"))),
            ("/find/:a/:b /search?a=:a&b=:b#:a", "/find/1+2&c/%2B", None, Some((301, "/search?a=1%2B2%26c&b=%2B#1+2&c"))),
            ("/find/* /search/:splat", "/find/a", Some("q=%2F+%26"), Some((301, "/search/a?q=%2F+%26"))),
            ("/ü /größe?x=ä", "/%C3%BC", None, Some((301, "/gr%C3%B6%C3%9Fe?x=%C3%A4"))),
            ("/show/* /files/:splat 200", "/show/a%20b", None, Some((200, "/files/a b"))),
            ("/show /a%20b.html 200", "/show", None, Some((200, "/a b.html"))),
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
