//! The `_headers` file, as Netlify and Cloudflare Pages have it.

use std::collections::HashSet;

use http::header::{CONTENT_ENCODING, LINK, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::negotiate::Encoding;
use crate::path::MatchPath;
use crate::pattern::Pattern;

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
    "content-range",
    "accept-ranges",
    "date",
    "host",
];

/// Headers of which each rule adds its own to those of the rules before. Of any other, the last rule's is sent.
pub(crate) const LISTS: [HeaderName; 3] = [LINK, SET_COOKIE, VARY];

/// The rules of a `_headers` file, in order.
#[derive(Debug, Default)]
pub struct HeaderRules(Vec<HeaderRule>);

/// Headers of the files below a path.
#[derive(Debug)]
pub struct HeaderRule {
    pattern: Pattern,
    set: Vec<(HeaderName, HeaderValue)>,
    remove: Vec<HeaderName>,
    /// The `Content-Encoding` that it sets. The rule is for files that are stored so, and for no others.
    coding: Option<Encoding>,
}

impl HeaderRules {
    /// The rules in order.
    pub fn iter(&self) -> impl Iterator<Item = &HeaderRule> {
        self.0.iter()
    }

    /// The rules of the file's text, and a complaint for each line that is none.
    pub fn parse(text: &str) -> (Self, Vec<String>) {
        let (mut rules, mut complaints) = (Self::default(), Vec::new());
        // `None` under a path that was refused: its lines are passed over with it.
        let mut open: Option<HeaderRule> = None;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !is_comment(line)) {
            let mut complain = |reason: &str| complaints.push(format!("_headers line {} is ignored: {reason}", number + 1));
            if !line.starts_with([' ', '\t']) {
                if let Err(reason) = rules.add(open.take()) {
                    complain(&reason);
                    return (rules, complaints);
                }
                match HeaderRule::new(line.trim()) {
                    Ok(rule) => open = Some(rule),
                    Err(reason) => complain(&reason),
                }
                continue;
            }
            match open.as_mut().map(|rule| rule.read(line.trim())) {
                None => complain("it belongs to no path"),
                Some(Ok(())) => {}
                Some(Err(Refusal::Line(reason))) => complain(&reason),
                Some(Err(Refusal::Rule(reason))) => {
                    complain(&format!("{reason}; so are the other headers of its path"));
                    open = None;
                }
            }
        }
        if let Err(reason) = rules.add(open) {
            complaints.push(format!("_headers: {reason}"));
        }
        (rules, complaints)
    }

    /// Adds a rule after those that are there, over which it wins.
    pub fn add(&mut self, rule: impl Into<Option<HeaderRule>>) -> Result<(), String> {
        let Some(rule) = rule.into() else { return Ok(()) };
        if self.0.len() >= MAX_RULES {
            return Err(format!("a site has at most {MAX_RULES} rules on headers"));
        }
        self.0.push(rule);
        Ok(())
    }

    /// Puts the rules of another file after these.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The encodings that rules say files of this path are stored in.
    pub fn codings<'a>(&'a self, path: &'a MatchPath<'_>) -> impl Iterator<Item = Encoding> + 'a {
        self.0.iter().filter_map(|rule| rule.coding.filter(|_| rule.pattern.matches(path)))
    }

    /// Changes the headers of an answer for this request path with a file that is stored in this encoding. The first value of a
    /// name replaces the edge's own.
    pub fn apply(&self, path: &str, stored: Option<Encoding>, headers: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        let Some(path) = MatchPath::new(path) else { return };
        let fits = |rule: &&HeaderRule| (rule.coding.is_none() || rule.coding == stored) && rule.pattern.matches(&path);
        let mut listed = HashSet::new();
        for rule in self.0.iter().filter(fits) {
            for name in &rule.remove {
                headers.remove(name);
            }
            let mut own = HashSet::new();
            for (name, value) in &rule.set {
                let first = own.insert(name);
                // The edge's own `Vary` stays true whatever a rule adds.
                let joins = !first || *name == VARY || (LISTS.contains(name) && !listed.insert(name));
                if joins {
                    headers.append(name, value.clone());
                } else {
                    headers.insert(name, value.clone());
                }
            }
        }
    }
}

/// Extent of what is not read because of a line.
enum Refusal {
    Line(String),
    Rule(String),
}

impl HeaderRule {
    /// A rule without headers for a pattern of paths.
    pub fn new(pattern: &str) -> Result<Self, String> {
        Ok(Self { pattern: Pattern::parse(pattern)?, set: Vec::new(), remove: Vec::new(), coding: None })
    }

    /// Pattern of the paths that it is for.
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// Headers that it sets.
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.set
    }

    /// Headers that it takes away.
    pub fn removed(&self) -> &[HeaderName] {
        &self.remove
    }

    /// Returns true if it is for files that are stored in an encoding, and for no others.
    pub fn is_for_encoded(&self) -> bool {
        self.coding.is_some()
    }

    fn read(&mut self, line: &str) -> Result<(), Refusal> {
        if let Some(removed) = line.strip_prefix('!') {
            let name = header_name(removed).and_then(|name| {
                // It would leave a body in an encoding that nothing names.
                if name == CONTENT_ENCODING { Err(set_by_server(name.as_str())) } else { Ok(name) }
            });
            self.remove.push(name.map_err(Refusal::Line)?);
            return Ok(());
        }
        let expected = || Refusal::Line("expected `Name: value`".to_owned());
        let (name, value) = line.split_once(':').ok_or_else(expected)?;
        self.set(name, value)
    }

    /// Adds a header to the rule, or says why the rule cannot have it.
    pub fn add(&mut self, name: &str, value: &str) -> Result<(), String> {
        self.set(name, value).map_err(|refusal| match refusal {
            Refusal::Line(reason) | Refusal::Rule(reason) => reason,
        })
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        let name = header_name(name).map_err(Refusal::Line)?;
        let unfit = |_| Refusal::Line("the value has characters that no header can carry".to_owned());
        let value = HeaderValue::from_str(value.trim()).map_err(unfit)?;
        if name == CONTENT_ENCODING {
            self.coding = Some(match value.as_bytes() {
                b"gzip" => Encoding::Gzip,
                b"br" => Encoding::Brotli,
                _ => {
                    return Err(Refusal::Rule(
                        "`Content-Encoding` can be `gzip` or `br`, for files that are stored so".to_owned(),
                    ));
                }
            });
        }
        self.set.push((name, value));
        Ok(())
    }
}

fn is_comment(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

fn header_name(text: &str) -> Result<HeaderName, String> {
    let name = text.trim().to_ascii_lowercase();
    if FORBIDDEN.contains(&name.as_str()) {
        return Err(set_by_server(&name));
    }
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no header name"))
}

fn set_by_server(name: &str) -> String {
    format!("`{name}` is set by the server")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(rules: &str, path: &str) -> Vec<String> {
        let mut headers = HeaderMap::new();
        headers.insert("cache-control", HeaderValue::from_static("default"));
        HeaderRules::parse(rules).0.apply(path, None, &mut headers);
        let mut lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    #[test]
    fn the_table_of_headers() {
        let default = "cache-control: default";
        let table: [(&str, &str, &[&str]); 14] = [
            ("/*\n  X-A: 1", "/x/y", &[default, "x-a: 1"]),
            ("/a\n  X-A: 1", "/b", &[default]),
            ("/a b\n  X-A: 1", "/a%20b", &[default, "x-a: 1"]),
            ("/*\n\tCache-Control: no-store\n# c\n\n/x\n  X-B: url:8", "/x", &["cache-control: no-store", "x-b: url:8"]),
            ("/*\n  Link: <a>\n/x\n  Link: <b>", "/x", &[default, "link: <a>", "link: <b>"]),
            ("/*\n  X-A: 1\n/x\n  ! X-A\n  ! Cache-Control", "/x", &[]),
            ("/p/:id\n  X-A: 1", "/p/7", &[default, "x-a: 1"]),
            ("/*\n  Cache-Control: no-cache\n/a/*\n  Cache-Control: max-age=9", "/a/x", &["cache-control: max-age=9"]),
            ("/a/*\n  Cache-Control: max-age=9\n/*\n  Cache-Control: no-cache", "/a/x", &["cache-control: no-cache"]),
            ("/*\n  X-A: 1\n  X-A: 2", "/x", &[default, "x-a: 1", "x-a: 2"]),
            ("/*\n  X-A: 1\n  X-A: 2\n/x\n  X-A: 3", "/x", &[default, "x-a: 3"]),
            ("/*\n  Set-Cookie: a=1\n/x\n  Set-Cookie: b=2", "/x", &[default, "set-cookie: a=1", "set-cookie: b=2"]),
            ("/*\n  Vary: Accept\n/x\n  Vary: Cookie", "/x", &[default, "vary: Accept", "vary: Cookie"]),
            ("/x%2Fy\n  X-A: 1", "/x%2fy", &[default, "x-a: 1"]),
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
        rules.apply("/x", None, &mut headers);
        assert!(headers.is_empty(), "{headers:?}");
        assert_eq!(complaints.len(), 8, "{complaints:?}");
    }

    #[test]
    fn an_encoding_is_named_for_files_that_are_stored_so_and_for_no_others() {
        let (rules, complaints) =
            HeaderRules::parse("/*.js.gz\n  Content-Type: text/javascript\n  Content-Encoding: gzip\n/*\n  ! Content-Encoding");
        assert_eq!(complaints.len(), 1, "{complaints:?}");
        let with = |stored| {
            let mut headers = HeaderMap::new();
            rules.apply("/app.js.gz", stored, &mut headers);
            headers
        };
        assert_eq!(with(Some(Encoding::Gzip)).len(), 2);
        assert!(with(None).is_empty() && with(Some(Encoding::Brotli)).is_empty());
        let path = MatchPath::new("/app.js.gz").unwrap();
        assert_eq!(rules.codings(&path).collect::<Vec<_>>(), [Encoding::Gzip]);
    }

    #[test]
    fn another_encoding_takes_its_whole_rule_along() {
        let (rules, complaints) = HeaderRules::parse("/*\n  X-A: 1\n  Content-Encoding: deflate\n  X-B: 1\n/*\n  X-C: 1");
        let mut headers = HeaderMap::new();
        rules.apply("/x", None, &mut headers);
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["x-c"]);
        insta::assert_snapshot!(complaints.join("\n"), @"
        _headers line 3 is ignored: `Content-Encoding` can be `gzip` or `br`, for files that are stored so; so are the other headers of its path
        _headers line 4 is ignored: it belongs to no path
        ");
    }
}
