//! The rules in a `vercel.json`, as far as they mean the same here.

use serde_json::Value;

use crate::header_rules::HeaderRule;
use crate::redirects::Rule;
use crate::rules::Rules;

/// The name of the file.
pub const FILE: &str = "vercel.json";

/// Keys that are followed, or that detection reads, or that say nothing.
const USED: [&str; 7] = ["redirects", "rewrites", "headers", "cleanUrls", "trailingSlash", "outputDirectory", "$schema"];

/// The rules of the file's text.
pub fn parse(text: &str) -> Rules {
    let mut rules = Rules::default();
    let file: Value = match serde_json::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            rules.complaints.push(format!("{FILE} is not read: {error}"));
            return rules;
        }
    };
    let all = |key: &str| file.get(key).and_then(Value::as_array).into_iter().flatten().zip(1..);
    for (entry, number) in all("redirects") {
        rules.add_redirect(&format!("{FILE} redirects {number}"), redirect(entry));
    }
    for (entry, number) in all("rewrites") {
        rules.add_redirect(&format!("{FILE} rewrites {number}"), rewrite(entry));
    }
    for (entry, number) in all("headers") {
        rules.add_headers(&format!("{FILE} headers {number}"), headers(entry));
    }
    rules.trailing_slash = file.get("trailingSlash").and_then(Value::as_bool);
    // Pages have clean addresses in any case.
    let dirty = (file.get("cleanUrls") == Some(&Value::Bool(false))).then(|| "cleanUrls = false".to_owned());
    let keys = file.as_object().into_iter().flatten().map(|(key, _)| key).filter(|key| !USED.contains(&key.as_str()));
    rules.add_unused(FILE, &keys.cloned().chain(dirty).collect::<Vec<_>>());
    rules
}

/// A redirect wins over a file that exists, as it does there.
fn redirect(entry: &Value) -> Result<Rule, String> {
    check_keys(entry, &["source", "destination", "permanent", "statusCode"])?;
    let permanent = entry.get("permanent").is_none_or(|permanent| permanent != false);
    let status = match entry.get("statusCode") {
        None => if permanent { "308" } else { "307" }.to_owned(),
        Some(status) => status.as_u64().ok_or("`statusCode` is no number")?.to_string(),
    };
    let source = Source::parse(text(entry, "source")?)?;
    Rule::new(&source.pattern, &source.target(text(entry, "destination")?), &status, true)
}

fn rewrite(entry: &Value) -> Result<Rule, String> {
    check_keys(entry, &["source", "destination"])?;
    let source = Source::parse(text(entry, "source")?)?;
    Rule::new(&source.pattern, &source.target(text(entry, "destination")?), "200", false)
}

fn headers(entry: &Value) -> Result<HeaderRule, String> {
    check_keys(entry, &["source", "headers"])?;
    let mut rule = HeaderRule::new(&Source::parse(text(entry, "source")?)?.pattern)?;
    for header in entry.get("headers").and_then(Value::as_array).ok_or("`headers` is missing")? {
        rule.add(text(header, "key")?, text(header, "value")?)?;
    }
    Ok(rule)
}

fn check_keys(entry: &Value, known: &[&str]) -> Result<(), String> {
    match entry.as_object().and_then(|entry| entry.keys().find(|key| !known.contains(&key.as_str()))) {
        Some(key) => Err(format!("`{key}` is not known here")),
        None => Ok(()),
    }
}

fn text<'v>(entry: &'v Value, key: &str) -> Result<&'v str, String> {
    entry.get(key).and_then(Value::as_str).ok_or_else(|| format!("`{key}` is missing"))
}

/// A pattern in the form of `path-to-regexp`, as one of ours.
struct Source {
    pattern: String,
    /// The names by which a destination means what the star stands for, the longest first.
    star: Vec<String>,
    /// Names of the placeholders, by their number.
    names: Vec<String>,
}

impl Source {
    fn parse(source: &str) -> Result<Self, String> {
        let mut parsed = Self { pattern: String::new(), star: Vec::new(), names: Vec::new() };
        let mut rest = source;
        while let Some(next) = rest.chars().next() {
            rest = &rest[next.len_utf8()..];
            match next {
                ':' => rest = parsed.parameter(rest)?,
                '(' => {
                    rest = rest.strip_prefix(".*)").ok_or_else(|| unknown(source))?;
                    parsed.add_star("")?;
                }
                '\\' => {
                    let escaped = rest.chars().next().filter(char::is_ascii_punctuation).ok_or_else(|| unknown(source))?;
                    parsed.pattern.push(escaped);
                    rest = &rest[1..];
                }
                ')' | '*' | '+' | '?' | '{' | '}' | '[' | ']' | '|' | '^' | '$' => return Err(unknown(source)),
                plain => parsed.pattern.push(plain),
            }
        }
        Ok(parsed)
    }

    /// Takes a `:name` with what follows it, of which the colon is read.
    fn parameter<'s>(&mut self, rest: &'s str) -> Result<&'s str, String> {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if let Some(after) = after.strip_prefix("(.*)").or_else(|| after.strip_prefix('*')) {
            self.add_star(name)?;
            return Ok(after);
        }
        let whole = self.pattern.ends_with('/') && (after.is_empty() || after.starts_with('/'));
        if !whole || name.is_empty() {
            return Err(unknown(&format!(":{rest}")));
        }
        self.pattern.extend([":", name]);
        self.names.push(name.to_owned());
        Ok(after)
    }

    fn add_star(&mut self, name: &str) -> Result<(), String> {
        if !self.star.is_empty() {
            return Err("more than one part of any length is not known here".to_owned());
        }
        self.pattern.push('*');
        self.names.push("splat".to_owned());
        self.star = vec![format!("${}", self.names.len())];
        if !name.is_empty() {
            self.star = [format!(":{name}*"), format!(":{name}")].into_iter().chain(self.star.drain(..)).collect();
        }
        Ok(())
    }

    /// A destination with the names that our patterns have.
    fn target(&self, destination: &str) -> String {
        let with_star = self.star.iter().fold(destination.to_owned(), |text, name| text.replace(name, ":splat"));
        let numbered = self.names.iter().enumerate();
        numbered.fold(with_star, |text, (number, name)| text.replace(&format!("${}", number + 1), &format!(":{name}")))
    }
}

fn unknown(pattern: &str) -> String {
    format!("the pattern `{pattern}` is more than names, `:path*` and `(.*)`, which are known here")
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::path::MatchPath;

    #[test]
    fn what_means_the_same_is_followed_and_the_rest_named() {
        let rules = parse(
            r#"{
            "$schema": "x", "cleanUrls": true, "trailingSlash": false, "buildCommand": "x", "crons": [],
            "redirects": [
                {"source": "/a", "destination": "/b"},
                {"source": "/t", "destination": "/b", "permanent": false},
                {"source": "/s", "destination": "/b", "statusCode": 301},
                {"source": "/blog/:slug", "destination": "/news/:slug"},
                {"source": "/docs/:path*", "destination": "https://docs.example.org/:path*"},
                {"source": "/wiki/(.*)", "destination": "/w?page=$1"},
                {"source": "/u/:id/(.*)", "destination": "/user/$1/$2"},
                {"source": "/post/:id(\\d+)", "destination": "/p"},
                {"source": "/((?!api).*)", "destination": "/p"},
                {"source": "/x", "has": [{"type": "host", "value": "y"}], "destination": "/p"}
            ],
            "rewrites": [
                {"source": "/app/(.*)", "destination": "/index.html"},
                {"source": "/api/:path*", "destination": "https://api.example.org/:path*"}
            ],
            "headers": [
                {"source": "/(.*)\\.js", "headers": [{"key": "X-A", "value": "1"}]},
                {"source": "/assets/(.*)", "headers": [{"key": "Cache-Control", "value": "max-age=9"}]}
            ]}"#,
        );
        assert_eq!(rules.trailing_slash, Some(false));
        let found = |path: &str| {
            let (rule, captures) = rules.redirects.find(&MatchPath::new(path).unwrap())?;
            Some((rule.status.as_u16(), rule.forced, rule.location(&captures, None)))
        };
        let table = [
            ("/a", Some((308, true, "/b"))),
            ("/t", Some((307, true, "/b"))),
            ("/s", Some((301, true, "/b"))),
            ("/blog/x%2By", Some((308, true, "/news/x%2By"))),
            ("/docs", Some((308, true, "https://docs.example.org/"))),
            ("/docs/a/b", Some((308, true, "https://docs.example.org/a/b"))),
            ("/wiki/a%26b", Some((308, true, "/w?page=a%26b"))),
            ("/u/7/x/y", Some((308, true, "/user/7/x/y"))),
            ("/app/x", Some((200, false, "/index.html"))),
            ("/api/x", None),
            ("/x", None),
        ];
        for (path, expected) in table {
            assert_eq!(found(path), expected.map(|(status, forced, to)| (status, forced, to.to_owned())), "{path}");
        }
        let headers = |path: &str| {
            let mut headers = HeaderMap::new();
            rules.headers.apply(path, None, &mut headers);
            headers
        };
        assert_eq!(headers("/assets/a.js").len(), 2);
        assert_eq!(headers("/assets/a.css")["cache-control"], "max-age=9");
        insta::assert_snapshot!(rules.complaints.join("\n"), @r#"
        vercel.json redirects 8 is ignored: the pattern `:id(\d+)` is more than names, `:path*` and `(.*)`, which are known here
        vercel.json redirects 9 is ignored: the pattern `/((?!api).*)` is more than names, `:path*` and `(.*)`, which are known here
        vercel.json redirects 10 is ignored: `has` is not known here
        vercel.json rewrites 2 is ignored: showing another host's pages in place is not offered: use 301, 302, 307 or 308
        vercel.json: not followed here: buildCommand, crons
        "#);
    }
}
