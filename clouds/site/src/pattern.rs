//! The path patterns of `_redirects` and `_headers`: `/blog/:year/*`.

use std::collections::HashMap;
use std::ops::Range;

use crate::path::MatchPath;

/// A path pattern. `:name` stands for one part of the path, one `*` for anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    before: Vec<Piece>,
    /// Pattern after the star; `None` without one.
    after: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Placeholder(String),
}

/// Values of a pattern's placeholders, as the request wrote them; the star's name is `splat`.
pub type Captures = HashMap<String, String>;

/// Names of placeholders, and where their values are in a path.
type Places<'p> = Vec<(&'p str, Range<usize>)>;

impl Pattern {
    /// The pattern, or why it is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if !text.starts_with('/') {
            return Err("a path starts with `/`; other hosts' addresses cannot be matched");
        }
        let (before, after) = text.split_once('*').map_or((text, None), |(before, after)| (before, Some(after)));
        if after.is_some_and(|after| after.contains(['*', ':'])) {
            return Err("after a `*` neither another `*` nor a placeholder can stand");
        }
        let decode =
            |text: &str| MatchPath::new(text).map(|path| path.as_str().to_owned()).ok_or("an escape such as `%20` is broken");
        let mut pieces = vec![Piece::Text(String::new())];
        for (number, part) in before.split('/').enumerate() {
            let slash = if number == 0 { "" } else { "/" };
            let placeholder = part.strip_prefix(':').filter(|name| is_name(name));
            let text = placeholder.map_or_else(|| decode(part), |_| Ok(String::new()))?;
            match pieces.last_mut() {
                Some(Piece::Text(last)) => last.extend([slash, &text]),
                _ => pieces.push(Piece::Text(format!("{slash}{text}"))),
            }
            pieces.extend(placeholder.map(|name| Piece::Placeholder(name.to_owned())));
        }
        Ok(Self { before: pieces, after: after.map(decode).transpose()? })
    }

    /// Returns true if the path matches.
    pub fn matches(&self, path: &MatchPath<'_>) -> bool {
        self.places(path.as_str()).is_some()
    }

    /// Returns the values of the placeholders if the path matches. A slash at the end makes no difference: `/blog/*` matches `/blog`
    /// too.
    pub fn captures(&self, path: &MatchPath<'_>) -> Option<Captures> {
        let text = path.as_str();
        let places = self.places(text).or_else(|| match text.strip_suffix('/') {
            Some(bare) if !bare.is_empty() => self.places(bare),
            Some(_) => None,
            None => self.places(&format!("{text}/")),
        })?;
        Some(places.into_iter().map(|(name, range)| (name.to_owned(), path.written(&range).to_owned())).collect())
    }

    /// Returns true if it captures a placeholder of this name.
    pub fn has(&self, name: &str) -> bool {
        let is_star = self.after.is_some() && name == "splat";
        is_star || self.before.iter().any(|piece| matches!(piece, Piece::Placeholder(own) if own == name))
    }

    /// The pattern as a regular expression (RE2) whose groups have the names of the placeholders. A slash at the end of a path makes
    /// no difference. What the star stands for begins with no slash, so that it cannot become the beginning of another host's address.
    pub fn regular_expression(&self) -> String {
        let mut text = String::from("^");
        for piece in &self.before {
            match piece {
                Piece::Text(literal) => text.push_str(&escaped(literal)),
                Piece::Placeholder(name) => text.extend(["(?P<", name, ">[^/]+)"]),
            }
        }
        match &self.after {
            // `/blog/*` is for `/blog`, too.
            Some(after) => {
                let bare = text.strip_suffix('/').filter(|bare| bare.len() > 1 && after.is_empty()).map(str::to_owned);
                let splat = format!("(?P<splat>(?:[^/\\\\].*)?){}", escaped(after));
                text = match bare {
                    Some(bare) => format!("{bare}(?:/{splat})?"),
                    None => text + &splat,
                };
            }
            None if text.len() > 2 => text = format!("{}/?", text.trim_end_matches('/')),
            None => {}
        }
        text.push('$');
        text
    }

    fn places(&self, path: &str) -> Option<Places<'_>> {
        let mut places = Places::new();
        let mut rest = path;
        for piece in &self.before {
            match piece {
                Piece::Text(text) => rest = rest.strip_prefix(text.as_str())?,
                Piece::Placeholder(name) => {
                    let end = rest.find('/').unwrap_or(rest.len());
                    if end == 0 {
                        return None;
                    }
                    let start = path.len() - rest.len();
                    places.push((name, start..start + end));
                    rest = &rest[end..];
                }
            }
        }
        match &self.after {
            None => rest.is_empty().then_some(places),
            Some(after) => {
                let start = path.len() - rest.len();
                places.push(("splat", start..start + rest.strip_suffix(after.as_str())?.len()));
                Some(places)
            }
        }
    }
}

/// A text as a regular expression takes it. Quotes, too, are written as codes: the expression stands within them.
fn escaped(text: &str) -> String {
    let mut result = String::new();
    for c in text.chars() {
        match c {
            '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' => result.extend(['\\', c]),
            '"' => result.push_str("\\x22"),
            '`' => result.push_str("\\x60"),
            _ => result.push(c),
        }
    }
    result
}

/// Returns true if a text can name a placeholder.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(pattern: &str, path: &str) -> Option<Vec<(String, String)>> {
        let mut captures: Vec<_> =
            Pattern::parse(pattern).unwrap().captures(&MatchPath::new(path).unwrap())?.into_iter().collect();
        captures.sort();
        Some(captures)
    }

    #[test]
    fn the_table_of_patterns() {
        let pairs =
            |pairs: &[(&str, &str)]| Some(pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>());
        let table = [
            ("/", "/", pairs(&[])),
            ("/a", "/a", pairs(&[])),
            ("/a", "/a/", pairs(&[])),
            ("/a/", "/a", pairs(&[])),
            ("/a", "/ab", None),
            ("/a", "/a/b", None),
            ("/a%20b", "/a b", pairs(&[])),
            ("/*", "/", pairs(&[("splat", "")])),
            ("/*", "/x/y", pairs(&[("splat", "x/y")])),
            ("/blog/*", "/blog", pairs(&[("splat", "")])),
            ("/blog/*", "/blogs", None),
            ("/*.jpg", "/a/b.jpg", pairs(&[("splat", "a/b")])),
            ("/*.jpg", "/a/b.png", None),
            ("/blog/:year/:slug", "/blog/2024/hi", pairs(&[("slug", "hi"), ("year", "2024")])),
            ("/blog/:year/x", "/blog/2024/x", pairs(&[("year", "2024")])),
            ("/blog/:year", "/blog/", None),
            ("/:a/*", "/u/v/w", pairs(&[("a", "u"), ("splat", "v/w")])),
            ("/8:30", "/8:30", pairs(&[])),
            ("/a b/*", "/a%20b/%40x%2Fy", pairs(&[("splat", "%40x%2Fy")])),
            ("/%40/:id", "/@/a%2Fb", pairs(&[("id", "a%2Fb")])),
            ("/a/b", "/a%2Fb", None),
            ("/a%2fb", "/a%2Fb", pairs(&[])),
        ];
        for (pattern, path, expected) in table {
            assert_eq!(captured(pattern, path), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn patterns_have_regular_expressions() {
        let table = [
            ("/", "^/$"),
            ("/a.b", r"^/a\.b/?$"),
            ("/a/", "^/a/?$"),
            ("/*", r"^/(?P<splat>(?:[^/\\].*)?)$"),
            ("/blog/*", r"^/blog(?:/(?P<splat>(?:[^/\\].*)?))?$"),
            ("/:year/x", "^/(?P<year>[^/]+)/x/?$"),
        ];
        for (pattern, expected) in table {
            assert_eq!(Pattern::parse(pattern).unwrap().regular_expression(), expected, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        for text in ["a", "https://example.org/*", "/*/*", "/*/:x", "/%zz", ""] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }
}
