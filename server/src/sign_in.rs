//! Sign-in of users.

use std::path::PathBuf;

use clap::Args;
use services::auth::ProviderConfig;
use services::{IdentitySettings, Settings};
use url::Url;

use crate::failure::Failure;

/// Options about signing in, for processes that serve the API.
#[derive(Debug, Clone, Args)]
pub struct SignInOptions {
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
    /// The settings with what these options say.
    pub fn apply(&self, mut settings: Settings) -> Result<Settings, Failure> {
        let providers = match &self.sign_in_providers {
            Some(file) => ProviderConfig::read(file).map_err(|error| Failure::usage(error.to_string()))?,
            None => Vec::new(),
        };
        settings.identity = IdentitySettings { providers, breached_passwords: self.breached_passwords.clone() };
        Ok(settings)
    }
}
