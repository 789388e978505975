//! How people sign in.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use services::Settings;
use services::auth::ProviderConfig;
use url::Url;

use crate::failure::Failure;

/// What whatever serves the API takes about signing in.
#[derive(Debug, Clone, Args)]
pub struct SignInOptions {
    /// Where people reach the API; the address it listens on when left out
    #[arg(long, env = "MIKROCLOUD_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    public_url: Option<Url>,
    /// The file that names the providers people sign in with (docs/signing-in.md)
    #[arg(long, env = "MIKROCLOUD_SIGN_IN_PROVIDERS", value_name = "FILE")]
    sign_in_providers: Option<PathBuf>,
    #[arg(
        long,
        help = "Look new passwords up in a service like https://api.pwnedpasswords.com; it hears five of the forty digits of their digest",
        env = "MIKROCLOUD_BREACHED_PASSWORDS",
        value_name = "URL"
    )]
    breached_passwords: Option<Url>,
}

impl SignInOptions {
    /// Where people reach an API that listens here.
    pub fn public_url(&self, listening: SocketAddr) -> Result<Url, Failure> {
        match &self.public_url {
            Some(url) => Ok(url.clone()),
            None => Ok(Url::parse(&format!("http://{listening}")).map_err(anyhow::Error::from)?),
        }
    }

    /// The settings with what these options say.
    pub fn apply(&self, settings: Settings) -> Result<Settings, Failure> {
        let providers = match &self.sign_in_providers {
            Some(file) => ProviderConfig::read(file).map_err(|error| Failure::usage(error.to_string()))?,
            None => Vec::new(),
        };
        Ok(Settings { providers, breached_passwords: self.breached_passwords.clone(), ..settings })
    }
}

/// An address that browsers can be sent to.
fn public_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}: give it as https://cloud.example.org"))?;
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    if !matches!(url.scheme(), "http" | "https") || !is_plain {
        return Err("give it as https://cloud.example.org, without a query or credentials".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_sent_to_web_addresses_only() {
        for text in ["https://cloud.example.org", "http://127.0.0.1:8080", "https://example.org/cloud/"] {
            assert!(public_url(text).is_ok(), "{text}");
        }
        for text in ["cloud.example.org", "ftp://example.org", "https://a:b@example.org", "https://example.org/?x=1", ""] {
            assert!(public_url(text).unwrap_err().contains("https://cloud.example.org"), "{text}");
        }
    }
}
