use domain::git_host::GitHost;
use domain::secret::Secret;
use octocrab::models::AppId;
use url::Url;

/// Operator's settings of Git hosts.
#[derive(Debug, Clone, Default)]
pub struct GitHosts {
    /// The APIs of hosts besides github.com and gitlab.com. Requests go to no other address, whatever a user asks for.
    pub others: Vec<(GitHost, Url)>,
    /// The installation's GitHub App, if it has one.
    pub app: Option<GitHubApp>,
}

/// A GitHub App, by which repositories are connected without a token of somebody's.
#[derive(Debug, Clone)]
pub struct GitHubApp {
    /// The app's number.
    pub id: u64,
    /// Its private key (RSA, PEM).
    pub key: Secret,
    /// Secret that signs its webhooks.
    pub webhook_secret: Secret,
    /// The API of the host that it belongs to, with a slash at its end.
    pub api: Url,
}

impl GitHubApp {
    /// Checks that the key can be used, so that an error is reported at the start and not at the first push.
    pub fn check(&self) -> Result<(), String> {
        let read = octocrab::Octocrab::builder().app_from_rsa_pem(AppId(self.id), self.key.expose());
        read.map(drop)
            .map_err(|_| "this is no private key of a GitHub App: it is an RSA key in PEM, as GitHub gives it out".to_owned())
    }
}

impl GitHosts {
    /// Returns true if this is the API of a host that is used here.
    pub(super) fn knows(&self, host: GitHost, api: &Url) -> bool {
        api.as_str() == host.public_api() || self.others.iter().any(|(kind, other)| *kind == host && other == api)
    }
}

/// The address of an API with a slash at its end, so that paths are put behind it.
pub fn api_address(text: &str) -> Result<Url, String> {
    let mut url: Url =
        text.parse().map_err(|error| format!("{error}: give an address such as https://git.example.org/api/v4"))?;
    if !matches!(url.scheme(), "https" | "http")
        || !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
    {
        return Err(
            "give an address of https, such as https://git.example.org/api/v4, without a user and without a query".to_owned()
        );
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}
