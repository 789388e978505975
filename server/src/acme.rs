//! Certificates from an authority by itself.

use std::path::PathBuf;

use clap::Args;
use domain::host_name::{HostName, HostNameError};
use services::acme::{AcmeError, AcmeSettings, LETS_ENCRYPT};
use url::Url;

use crate::failure::Failure;

/// Certificate of the API, and its authority; if sites are served there, too, their domains get theirs in the same way.
#[derive(Debug, Clone, Args)]
pub struct AcmeOptions {
    #[arg(
        id = "acme_domains",
        long = "acme-domain",
        help = "Names under which people reach the API, such as cloud.example.org: it gets a certificate for them by itself, and renews it. \
                They have to lead here on port 443",
        env = "MIKROCLOUD_ACME_DOMAINS",
        value_name = "NAME",
        value_delimiter = ',',
        value_parser = domain_name,
        conflicts_with_all = ["tls_certificate", "tls_key"]
    )]
    domains: Vec<HostName>,
    /// Address to which the authority can write about its certificates
    #[arg(id = "acme_email", long = "acme-email", env = "MIKROCLOUD_ACME_EMAIL", value_name = "EMAIL", value_parser = email)]
    email: Option<String>,
    /// The authority's directory, which speaks ACME with TLS-ALPN-01; who uses it agrees to its terms
    #[arg(id = "acme_directory", long = "acme-directory", env = "MIKROCLOUD_ACME_DIRECTORY", value_name = "URL",
        default_value = LETS_ENCRYPT, value_parser = directory)]
    directory: Url,
    /// The root by which the authority's own server is known, in PEM, when it is a private one
    #[arg(id = "acme_ca_file", long = "acme-ca-file", env = "MIKROCLOUD_ACME_CA_FILE", value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

impl AcmeOptions {
    /// Returns the settings, if a certificate is requested.
    pub fn settings(&self) -> Result<Option<AcmeSettings>, Failure> {
        if self.domains.is_empty() {
            return Ok(None);
        }
        let read = |path: &PathBuf| {
            std::fs::read(path)
                .map_err(|error| Failure::usage(format!("MIKROCLOUD_ACME_CA_FILE: {} cannot be read: {error}", path.display())))
        };
        Ok(Some(AcmeSettings {
            domains: self.domains.iter().map(ToString::to_string).collect(),
            email: self.email.clone(),
            directory: self.directory.clone(),
            roots: self.ca_file.as_ref().map(read).transpose()?,
        }))
    }

    /// The names that the certificate is for; none where no certificate is wanted.
    pub fn names(&self) -> &[HostName] {
        &self.domains
    }

    /// The authority's directory, if a certificate is wanted.
    pub fn authority(&self) -> Option<&Url> {
        (!self.domains.is_empty()).then_some(&self.directory)
    }

    /// Returns the public URL of an API with such a certificate, unless another is set.
    pub fn url(&self, port: u16) -> Option<String> {
        self.domains.first().map(|domain| format!("https://{domain}:{port}"))
    }
}

/// Converts the reason for which there can be no certificate into a failure of the command.
pub fn failure(error: &AcmeError) -> Failure {
    match error {
        AcmeError::NoRoots => Failure::usage(format!("MIKROCLOUD_ACME_CA_FILE: {error}")),
        error => Failure::failed("ACME", jobs::handler::chain(error)),
    }
}

/// A name that an authority can look up.
fn domain_name(text: &str) -> Result<HostName, String> {
    text.parse().map_err(|error| match error {
        HostNameError::Wildcard => {
            "a wildcard needs an entry in the DNS, which this does not make: give the names, or use --tls-certificate".to_owned()
        }
        error => error.to_string(),
    })
}

fn email(text: &str) -> Result<String, String> {
    let is_address = text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    let is_plain = !text.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | '?'));
    if is_address && is_plain { Ok(text.to_owned()) } else { Err("give one address, such as ops@example.org".to_owned()) }
}

fn directory(text: &str) -> Result<Url, String> {
    let parsed = Url::parse(text).ok().filter(|url| url.scheme() == "https" && url.has_host());
    parsed.ok_or_else(|| format!("give it as {LETS_ENCRYPT}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acme_domains_are_names_that_can_be_looked_up() {
        for (text, name) in
            [("cloud.example.org", "cloud.example.org"), ("Localhost", "localhost"), ("b\u{fc}cher.ch", "xn--bcher-kva.ch")]
        {
            assert_eq!(domain_name(text).as_ref().map(HostName::as_str), Ok(name));
        }
        for text in ["", "a..b", "-a.org", "a-.org", "127.0.0.1", "https://a.org", "a.org:443", "a b"] {
            assert!(domain_name(text).unwrap_err().contains("www.example.org"), "{text}");
        }
        assert!(domain_name("*.example.org").unwrap_err().contains("--tls-certificate"));
    }

    #[test]
    fn acme_directories_and_addresses_are_checked() {
        assert_eq!(directory(LETS_ENCRYPT).unwrap().as_str(), LETS_ENCRYPT);
        for text in ["http://127.0.0.1/dir", "letsencrypt.org", ""] {
            assert!(directory(text).is_err(), "{text}");
        }
        assert!(email("ops@example.org").is_ok());
        for text in ["ops", "@example.org", "a@b,c@d", "a b@c", ""] {
            assert!(email(text).is_err(), "{text}");
        }
    }
}
