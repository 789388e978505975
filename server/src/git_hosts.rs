//! Selection of the Git hosts.

use std::path::PathBuf;

use clap::Args;
use domain::git_host::GitHost;
use domain::secret::Secret;
use services::Settings;
use services::git_hosts::{GitHosts, GitHubApp, api_address};
use url::Url;

use crate::failure::Failure;

/// Options about Git hosts, for processes that receive webhooks or report to them.
#[derive(Debug, Clone, Args)]
pub struct GitHostOptions {
    /// The APIs of Git hosts besides github.com and gitlab.com, as github=URL or gitlab=URL
    #[arg(long, env = "MIKROCLOUD_GIT_HOSTS", value_delimiter = ',', value_parser = host, value_name = "KIND=URL")]
    git_hosts: Vec<(GitHost, Url)>,
    /// The number of this installation's GitHub App (docs/git-hosts.md)
    #[arg(long, env = "MIKROCLOUD_GITHUB_APP_ID", requires_all = ["github_app_key_file", "github_app_webhook_secret"])]
    github_app_id: Option<u64>,
    /// The app's private key, a file in PEM
    #[arg(long, env = "MIKROCLOUD_GITHUB_APP_KEY_FILE", value_name = "FILE", requires = "github_app_id")]
    github_app_key_file: Option<PathBuf>,
    /// Secret that signs the app's webhooks
    #[arg(
        long,
        env = "MIKROCLOUD_GITHUB_APP_WEBHOOK_SECRET",
        hide_env_values = true,
        value_name = "SECRET",
        requires = "github_app_id"
    )]
    github_app_webhook_secret: Option<Secret>,
    /// The API of the host that the app belongs to
    #[arg(long, env = "MIKROCLOUD_GITHUB_APP_API", value_name = "URL", default_value = "https://api.github.com/", value_parser = api_address)]
    github_app_api: Url,
}

fn host(text: &str) -> Result<(GitHost, Url), String> {
    let form = "give KIND=URL, such as gitlab=https://git.example.org/api/v4";
    let (kind, url) = text.split_once('=').ok_or(form)?;
    let kind = [GitHost::GitHub, GitHost::GitLab].into_iter().find(|host| host.name() == kind);
    Ok((kind.ok_or("the kind is github or gitlab")?, api_address(url)?))
}

impl GitHostOptions {
    /// These settings, with what the options say.
    pub fn apply(&self, mut settings: Settings) -> Result<Settings, Failure> {
        let app = match (self.github_app_id, &self.github_app_key_file, &self.github_app_webhook_secret) {
            (Some(id), Some(file), Some(webhook_secret)) => {
                let key = std::fs::read_to_string(file);
                let key =
                    key.map_err(|error| Failure::usage(format!("the key of the GitHub App, {}: {error}", file.display())))?;
                let app = GitHubApp {
                    id,
                    key: Secret::new(key),
                    webhook_secret: webhook_secret.clone(),
                    api: self.github_app_api.clone(),
                };
                app.check().map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
                Some(app)
            }
            _ => None,
        };
        settings.projects.git_hosts = GitHosts { others: self.git_hosts.clone(), app };
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_with_its_kind() {
        let (kind, url) = host("gitlab=https://git.example.org/api/v4").unwrap();
        assert_eq!((kind, url.as_str()), (GitHost::GitLab, "https://git.example.org/api/v4/"));
        for wrong in
            ["https://git.example.org", "gitea=https://git.example.org", "github=ftp://x", "github=x", "github=https://u:p@x/"]
        {
            assert!(host(wrong).is_err(), "{wrong}");
        }
    }
}
