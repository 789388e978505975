//! Matchers of requests.

use regex::Regex;

use super::parse::Directive;
use super::serve::Request;
use crate::glob::fits;

/// A condition on a request.
#[derive(Debug, Clone)]
pub(super) enum Matcher {
    /// One of some paths.
    Path(Vec<String>),
    /// An expression on the path, whose groups are `{re.<name>.<group>}`.
    PathRegexp { name: String, expression: Regex },
    /// One of some files exists; the first of them is `{file_match.relative}`.
    File(Vec<String>),
    /// A header with a value.
    Header(String, String),
    /// None of some conditions holds.
    Not(Vec<Matcher>),
    /// Every condition holds.
    All(Vec<Matcher>),
}

impl Matcher {
    /// Reads what follows the name of a matcher: a block of conditions, or one.
    pub fn read(directive: &Directive) -> Result<Self, String> {
        match directive.arguments.split_first() {
            None => Ok(Self::All(
                directive.block.iter().map(|line| Self::one(&line.name, &line.arguments)).collect::<Result<_, _>>()?,
            )),
            Some((kind, arguments)) => Self::one(kind, arguments),
        }
    }

    fn one(kind: &str, arguments: &[String]) -> Result<Self, String> {
        match (kind, arguments) {
            ("path", paths) => Ok(Self::Path(paths.to_vec())),
            ("path_regexp", [name, expression]) => Self::expression(name, expression),
            ("path_regexp", [expression]) => Self::expression("", expression),
            ("file", candidates) => Ok(Self::File(candidates.to_vec())),
            ("header", [name, value]) => Ok(Self::Header(name.clone(), value.clone())),
            ("not", [kind, arguments @ ..]) => Ok(Self::Not(vec![Self::one(kind, arguments)?])),
            _ => Err(format!("the matcher {kind} is not simulated")),
        }
    }

    fn expression(name: &str, expression: &str) -> Result<Self, String> {
        let read = Regex::new(expression).map_err(|error| format!("the expression {expression} is not valid: {error}"))?;
        Ok(Self::PathRegexp { name: name.to_owned(), expression: read })
    }

    /// Returns true if the request fits; what the matcher finds is kept with the request.
    pub fn fits(&self, request: &mut Request<'_>) -> bool {
        match self {
            Self::Path(paths) => paths.iter().any(|path| fits(&request.replaced(path), &request.path)),
            Self::PathRegexp { name, expression } => {
                let Some(found) = expression.captures(&request.path) else { return false };
                let groups = expression.capture_names().flatten().filter_map(|group| Some((group, found.name(group)?.as_str())));
                let groups: Vec<_> = groups.map(|(group, value)| (format!("re.{name}.{group}"), value.to_owned())).collect();
                request.remember(groups);
                true
            }
            Self::File(candidates) => {
                let found = candidates.iter().map(|candidate| request.replaced(candidate)).find(|path| request.exists(path));
                let is_found = found.is_some();
                request.remember(found.map(|path| ("file_match.relative".to_owned(), path)).into_iter().collect());
                is_found
            }
            Self::Header(name, value) => request.header(name).is_some_and(|given| fits(value, &given)),
            Self::Not(matchers) => !matchers.iter().any(|matcher| matcher.fits(request)),
            Self::All(matchers) => matchers.iter().all(|matcher| matcher.fits(request)),
        }
    }
}
