//! Configuration of sign-in providers: a file of the operator's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use domain::access::Role;
use domain::id::TeamId;
use domain::secret::Secret;
use serde::Deserialize;
use url::Url;

/// Reason for which the file of providers is refused.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {message}")]
pub struct ConfigError {
    path: String,
    message: String,
}

/// A provider as the file describes it, with its secret.
#[derive(Debug, Clone)]
pub struct ProviderConfig {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) kind: Kind,
    pub(super) domains: Vec<String>,
    pub(super) groups: Vec<GroupConfig>,
    pub(super) session: Option<TimeDelta>,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Oidc(OidcSettings),
    GitHub(GitHubSettings),
}

#[derive(Debug, Clone)]
pub(super) struct OidcSettings {
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Secret,
    pub scopes: Vec<String>,
    pub groups_claim: String,
}

#[derive(Debug, Clone)]
pub(super) struct GitHubSettings {
    pub web: Url,
    pub api: Url,
    pub client_id: String,
    pub client_secret: Secret,
}

/// Whoever is in a group of the provider's is in a team here.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupConfig {
    /// The group's name; `*` for all who sign in.
    name: String,
    team: TeamId,
    role: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    provider: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum EntryKind {
    Oidc,
    GitHub,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    kind: EntryKind,
    label: Option<String>,
    issuer: Option<String>,
    url: Option<Url>,
    api_url: Option<Url>,
    client_id: String,
    client_secret_file: Option<PathBuf>,
    client_secret_env: Option<String>,
    scopes: Option<Vec<String>>,
    groups_claim: Option<String>,
    #[serde(default)]
    domains: Vec<String>,
    #[serde(default)]
    group: Vec<GroupConfig>,
    session_hours: Option<u32>,
}

impl ProviderConfig {
    /// Reads the file, and the secrets that it names.
    pub fn read(path: &Path) -> Result<Vec<Self>, ConfigError> {
        let wrong = |message: String| ConfigError { path: path.display().to_string(), message };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let directory = path.parent().unwrap_or(Path::new("."));
        parse(&text, &|entry| secret(entry, directory)).map_err(wrong)
    }
}

fn secret(entry: &Entry, directory: &Path) -> Result<Secret, String> {
    let found = match (&entry.client_secret_file, &entry.client_secret_env) {
        (Some(file), None) => {
            std::fs::read_to_string(directory.join(file)).map_err(|error| format!("{}: {error}", file.display()))
        }
        (None, Some(name)) => std::env::var(name).map_err(|_| format!("the variable {name} is not set")),
        _ => Err("say where the client secret is: client_secret_file or client_secret_env".to_owned()),
    };
    match found?.trim() {
        "" => Err("the client secret is empty".to_owned()),
        secret => Ok(Secret::new(secret)),
    }
}

fn parse(text: &str, secret: &dyn Fn(&Entry) -> Result<Secret, String>) -> Result<Vec<ProviderConfig>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut configs: Vec<ProviderConfig> = Vec::new();
    for entry in file.provider {
        let name = entry.name.clone();
        let is_name =
            (1..=32).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        // These say how sessions began.
        if !is_name || ["password", "link"].contains(&name.as_str()) {
            return Err(format!("provider `{}`: its name has 1 to 32 of a-z, 0-9 and -, such as `corp`", name.escape_debug()));
        }
        if configs.iter().any(|known| known.name == name) {
            return Err(format!("provider `{name}` is there twice"));
        }
        configs.push(entry.config(secret).map_err(|problem| format!("provider `{name}`: {problem}"))?);
    }
    Ok(configs)
}

impl Entry {
    fn config(self, secret: &dyn Fn(&Entry) -> Result<Secret, String>) -> Result<ProviderConfig, String> {
        for group in &self.group {
            match Role::from_name(&group.role) {
                Some(Role::Owner) => return Err(format!("group `{}`: people make owners, groups do not", group.name)),
                Some(_) => {}
                None => {
                    return Err(format!("group `{}`: `{}` is no role: use admin, developer or viewer", group.name, group.role));
                }
            }
        }
        let session = match self.session_hours {
            None => None,
            Some(hours @ 1..=8760) => Some(TimeDelta::hours(hours.into())),
            Some(_) => return Err("session_hours: give 1 to 8760, or leave it out for sign-ins that last".to_owned()),
        };
        let client_secret = secret(&self)?;
        let Self { name, kind, label, issuer, url, api_url, client_id, scopes, groups_claim, domains, group, .. } = self;
        let kind = match kind {
            EntryKind::Oidc => {
                let issuer = issuer.ok_or("an OpenID Connect provider has an issuer, such as https://id.example.org")?;
                match Url::parse(&issuer) {
                    Ok(url) if url.scheme() == "https" || is_loopback(&url) => {}
                    _ => return Err(format!("issuer `{issuer}`: give an address that begins with https://")),
                }
                let scopes = scopes.unwrap_or_else(|| vec!["email".to_owned(), "profile".to_owned()]);
                let groups_claim = groups_claim.unwrap_or_else(|| "groups".to_owned());
                Kind::Oidc(OidcSettings { issuer, client_id, client_secret, scopes, groups_claim })
            }
            EntryKind::GitHub => {
                let address = |given: Option<Url>, usual: &str| match given {
                    Some(url) if url.scheme() == "https" || is_loopback(&url) => Ok(url),
                    Some(url) => Err(format!("`{url}`: give an address that begins with https://")),
                    None => Url::parse(usual).map_err(|error| error.to_string()),
                };
                let (web, api) = (address(url, "https://github.com")?, address(api_url, "https://api.github.com")?);
                Kind::GitHub(GitHubSettings { web, api, client_id, client_secret })
            }
        };
        let label = label.unwrap_or_else(|| if matches!(kind, Kind::GitHub(_)) { "GitHub".to_owned() } else { name.clone() });
        Ok(ProviderConfig { name, label, kind, domains, groups: group, session })
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Returns the teams of a user in these groups: in each with the highest role of those that apply.
pub(super) fn mapped(mappings: &[GroupConfig], groups: &[String]) -> Vec<(TeamId, Role)> {
    let applies = |mapping: &&GroupConfig| mapping.name == "*" || groups.contains(&mapping.name);
    let mut teams: BTreeMap<TeamId, Role> = BTreeMap::new();
    for mapping in mappings.iter().filter(applies) {
        let Some(role) = Role::from_name(&mapping.role) else { continue };
        let present = teams.entry(mapping.team).or_insert(role);
        // The built-in roles are listed from the one that may do most.
        let rank = |role: Role| Role::ALL.iter().position(|known| *known == role);
        if rank(role) < rank(*present) {
            *present = role;
        }
    }
    teams.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORP: &str =
        "[[provider]]\nname = \"corp\"\nkind = \"oidc\"\nissuer = \"https://id.example.org\"\nclient_id = \"mikrocloud\"\n";

    fn parsed(text: &str) -> Result<Vec<ProviderConfig>, String> {
        parse(text, &|_| Ok(Secret::new("secret")))
    }

    #[test]
    fn a_provider_has_usual_settings() {
        let configs = parsed(&format!("{CORP}\n[[provider]]\nname = \"github\"\nkind = \"github\"\nclient_id = \"x\"")).unwrap();
        let Kind::Oidc(oidc) = &configs[0].kind else { panic!("{configs:?}") };
        assert_eq!(
            (&*configs[0].label, &*oidc.groups_claim, &oidc.scopes[..]),
            ("corp", "groups", &["email".to_owned(), "profile".to_owned()][..])
        );
        let Kind::GitHub(github) = &configs[1].kind else { panic!("{configs:?}") };
        assert_eq!((&*configs[1].label, github.api.as_str()), ("GitHub", "https://api.github.com/"));
        assert!(!format!("{configs:?}").contains("\"secret\""));
        assert_eq!(configs[0].session, None);
        assert_eq!(parsed(&format!("{CORP}session_hours = 12")).unwrap()[0].session, Some(TimeDelta::hours(12)));
        assert!(parsed("").unwrap().is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_with_the_provider() {
        let team = TeamId::new();
        for (text, problem) in [
            (CORP.replace("corp", "Corp"), "provider `Corp`: its name has"),
            (CORP.replace("corp", "password"), "provider `password`: its name has"),
            (format!("{CORP}{CORP}"), "provider `corp` is there twice"),
            (CORP.replace("https", "http"), "begins with https://"),
            (format!("{CORP}session_hours = 0"), "session_hours: give 1 to 8760"),
            (format!("{CORP}session_hours = 4294967295"), "session_hours: give 1 to 8760"),
            (format!("{CORP}session_hours = -1"), "session_hours"),
            (CORP.replace("issuer", "isuer"), "unknown field `isuer`"),
            (CORP.replace("issuer = \"https://id.example.org\"\n", ""), "has an issuer"),
            (format!("{CORP}[[provider.group]]\nname = \"a\"\nteam = \"{team}\"\nrole = \"owner\""), "people make owners"),
            (format!("{CORP}[[provider.group]]\nname = \"a\"\nteam = \"{team}\"\nrole = \"boss\""), "`boss` is no role"),
            (format!("{CORP}[[provider.group]]\nname = \"a\"\nteam = \"home\"\nrole = \"viewer\""), "`home` is not a team id"),
        ] {
            let error = parsed(&text).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
        let missing = parse(CORP, &|entry| super::secret(entry, Path::new("/"))).unwrap_err();
        assert!(missing.contains("client_secret_file or client_secret_env"), "{missing}");
    }

    #[test]
    fn the_highest_role_of_all_groups_counts_and_a_star_is_everybody() {
        let (one, two) = (TeamId::new(), TeamId::new());
        let group = |name: &str, team, role: &str| GroupConfig { name: name.to_owned(), team, role: role.to_owned() };
        let mappings = [
            group("*", one, "viewer"),
            group("dev", one, "admin"),
            group("dev", two, "developer"),
            group("ops", one, "developer"),
        ];
        let of = |groups: &[&str]| mapped(&mappings, &groups.iter().map(|group| (*group).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&[]), [(one, Role::Viewer)]);
        assert_eq!(of(&["ops"]), [(one, Role::Developer)]);
        assert_eq!(of(&["ops", "dev"]), [(one, Role::Admin), (two, Role::Developer)]);
        assert_eq!(mapped(&[], &["dev".to_owned()]), []);
    }
}
