use serde::{Deserialize, Serialize};

use super::GitHost;
use crate::source::Repository;

/// Maximum depth of nested groups, including the repository.
const DEEPEST: usize = 20;

/// The name of a repository at its host: `owner/name`, or `group/subgroup/name`. It is safe in the path of an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
pub struct RepositoryName(String);

/// Reason for which a text is not a valid repository name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no name of a repository: it has the form owner/name")]
pub struct RepositoryNameError(String);

impl RepositoryName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the owner of the repository, and its own name.
    pub fn parts(&self) -> (&str, &str) {
        self.0.rsplit_once('/').unwrap_or_default()
    }

    /// Returns true if both name the same repository: hosts ignore case.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl std::fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for RepositoryName {
    type Err = RepositoryNameError;
    fn from_str(text: &str) -> Result<Self, RepositoryNameError> {
        let segment = |part: &str| {
            !part.is_empty()
                && part.len() <= 255
                && !part.starts_with(['.', '-'])
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        };
        // A name such as `.github` begins with a dot; none is a step in a path.
        let last = |part: &str| segment(part.strip_prefix('.').unwrap_or(part));
        let parts: Vec<&str> = text.split('/').collect();
        let fits = (2..=DEEPEST).contains(&parts.len())
            && parts.split_last().is_some_and(|(name, groups)| last(name) && groups.iter().all(|part| segment(part)));
        if fits { Ok(Self(text.to_owned())) } else { Err(RepositoryNameError(text.chars().take(200).collect())) }
    }
}

impl TryFrom<String> for RepositoryName {
    type Error = RepositoryNameError;
    fn try_from(text: String) -> Result<Self, RepositoryNameError> {
        text.parse()
    }
}

impl From<RepositoryName> for String {
    fn from(name: RepositoryName) -> Self {
        name.0
    }
}

impl Repository {
    /// The host and the name of a repository that is reached over the network: `github.com` and `owner/name`.
    pub fn at_host(&self) -> Option<(String, RepositoryName)> {
        let (host, path) = if let Ok(url) = url::Url::parse(self.as_str()) {
            (url.host_str()?.to_owned(), url.path().to_owned())
        } else {
            let (host, path) = self.as_str().split_once('@')?.1.split_once(':')?;
            (host.to_owned(), path.to_owned())
        };
        let path = path.trim_matches('/');
        Some((host.to_ascii_lowercase(), path.strip_suffix(".git").unwrap_or(path).parse().ok()?))
    }
}

impl GitHost {
    /// The kind and the API of a host that everybody knows.
    pub fn well_known(host: &str) -> Option<(Self, &'static str)> {
        match host {
            "github.com" | "www.github.com" => Some((Self::GitHub, Self::GitHub.public_api())),
            "gitlab.com" | "www.gitlab.com" => Some((Self::GitLab, Self::GitLab.public_api())),
            _ => None,
        }
    }

    /// The API of the public host of this kind.
    pub fn public_api(self) -> &'static str {
        match self {
            Self::GitHub => "https://api.github.com/",
            Self::GitLab => "https://gitlab.com/api/v4/",
        }
    }
}
