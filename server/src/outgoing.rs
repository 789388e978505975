//! Outgoing connections of MikroCloud itself: permitted receivers of notifications, and the mail server.

use std::net::{IpAddr, SocketAddr};

use clap::Args;
use domain::secret::Secret;
use services::outbound::{Network, parse_network};
use services::{Mailer, Settings};

use crate::failure::Failure;

/// The options on what is sent.
#[derive(Debug, Clone, Args)]
pub struct OutgoingOptions {
    #[arg(
        long,
        help = "Networks that users' webhooks may lead to besides what is public, also by http, such as 10.0.0.0/8",
        env = "MIKROCLOUD_ALLOW_NETWORKS",
        value_name = "NETWORKS",
        value_delimiter = ',',
        value_parser = parse_network
    )]
    allow_networks: Vec<Network>,
    #[arg(
        long,
        help = "The DNS server that is asked about domains, such as 10.0.0.53:53; those of the machine when left out",
        env = "MIKROCLOUD_DNS_SERVER",
        value_name = "ADDRESS",
        value_parser = dns_server
    )]
    dns_server: Option<SocketAddr>,
    #[arg(
        long,
        help = "The server that mail is sent by: smtps://user:password@host, or smtp://user:password@host:587?tls=required",
        env = "MIKROCLOUD_SMTP_URL",
        hide_env_values = true,
        value_name = "URL",
        requires = "mail_from"
    )]
    smtp_url: Option<Secret>,
    #[arg(
        long,
        help = "Whom mail is from, such as `MikroCloud <noreply@example.org>`",
        env = "MIKROCLOUD_MAIL_FROM",
        value_name = "ADDRESS"
    )]
    mail_from: Option<String>,
}

impl OutgoingOptions {
    /// These settings, with what the options say.
    pub fn apply(&self, mut settings: Settings) -> Result<Settings, Failure> {
        settings.notifications.mailer = match (&self.smtp_url, &self.mail_from) {
            (Some(server), Some(from)) => {
                let refused = |problem| {
                    Failure::usage(format!("--smtp-url and --mail-from (MIKROCLOUD_SMTP_URL, MIKROCLOUD_MAIL_FROM): {problem}"))
                };
                Some(Mailer::new(server, from).map_err(refused)?)
            }
            _ => None,
        };
        settings.core.allowed_networks.clone_from(&self.allow_networks);
        settings.projects.dns_server = self.dns_server;
        Ok(settings)
    }
}

/// A DNS server's address; at port 53 unless it says otherwise.
fn dns_server(text: &str) -> Result<SocketAddr, String> {
    let at_usual_port = |_| text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
    text.parse()
        .or_else(at_usual_port)
        .map_err(|_| "give the address of a DNS server, such as 10.0.0.53 or 10.0.0.53:5353".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dns_server_is_an_address_with_or_without_a_port() {
        for (text, address) in
            [("10.0.0.53", "10.0.0.53:53"), ("10.0.0.53:5353", "10.0.0.53:5353"), ("::1", "[::1]:53"), ("[::1]:54", "[::1]:54")]
        {
            assert_eq!(dns_server(text).map(|server| server.to_string()).as_deref(), Ok(address));
        }
        for text in ["", "dns.example.org", "10.0.0.53:", "10.0.0.53:99999"] {
            assert!(dns_server(text).unwrap_err().contains("10.0.0.53"), "{text}");
        }
    }
}
