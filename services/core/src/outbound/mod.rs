//! Requests to addresses that users give. What is connected to is checked after names are resolved, so that no name, spelling or redirect leads
//! to this machine, its network or its cloud's metadata (docs/adr/0018).

mod address;
mod resolver;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use domain::time::{Timestamp, now};
use http::HeaderMap;
use http::header::RETRY_AFTER;
pub use ipnet::IpNet as Network;
use reqwest::Client;
use reqwest::redirect::Policy;
use tokio::time::timeout;
use url::{Host, Url};

pub use address::parse_network;
use address::{Allowed, Reach};
use resolver::{Forbidden, Resolver};

/// Timeout of one request, from the look-up of the name to the head of the response.
const PATIENCE: Duration = Duration::from_secs(20);
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// Time for which the beginning of a response's body is awaited.
const BODY_PATIENCE: Duration = Duration::from_secs(2);
/// Timeout of a name's look-up when an address is saved.
const LOOK_UP_PATIENCE: Duration = Duration::from_secs(3);
/// Maximum size of a response that is read, bytes, and stored, characters.
const READ_BYTES: usize = 1024;
const KEPT_CHARS: usize = 300;
/// The longest address, bytes.
const LONGEST_ADDRESS: usize = 2000;

/// Reason for which an address is not requested, or did not answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// It is none that may be requested; the text says what to change.
    #[error("{0}")]
    Refused(&'static str),
    /// It may not be reached from here.
    #[error("{Forbidden}")]
    Forbidden,
    /// It did not answer in time.
    #[error("no answer within {} seconds", PATIENCE.as_secs())]
    TimedOut,
    /// It cannot be reached.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
}

/// Response of a receiver.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Delay before the next request, if the response states it in seconds.
    pub retry_after: Option<TimeDelta>,
    /// Beginning of the body; empty if it had none.
    pub excerpt: String,
}

/// A client for addresses that users give.
pub struct Outbound {
    allowed: Allowed,
    clients: OnceLock<Clients>,
}

struct Clients {
    /// To public addresses and allowed networks.
    https: Client,
    /// To allowed networks only: what is public is not sent in the clear.
    http: Client,
}

impl Outbound {
    /// A client that reaches public addresses, and of others these networks.
    pub fn new(networks: &[Network]) -> Self {
        Self { allowed: Allowed::new(networks), clients: OnceLock::new() }
    }

    /// An address that a user gives. What is certain to be refused later is refused at once.
    pub async fn check(&self, text: &str) -> Result<Url, OutboundError> {
        let url = parse(text)?;
        let reach = self.admit(&url)?;
        if let Some(Host::Domain(name)) = url.host() {
            let looked_up = timeout(LOOK_UP_PATIENCE, self.resolver(reach).look_up(name)).await;
            if matches!(looked_up, Ok(Err(resolver::LookUpError::Forbidden(_)))) {
                return Err(OutboundError::Forbidden);
            }
        }
        Ok(url)
    }

    /// Posts a body. An answer of any status is an answer.
    pub async fn post(&self, url: &Url, headers: HeaderMap, body: Vec<u8>) -> Result<Answer, OutboundError> {
        let reach = self.admit(url)?;
        let clients = self.clients()?;
        let client = if reach == Reach::Public { &clients.https } else { &clients.http };
        let answered = client.post(url.clone()).headers(headers).body(body).send().await;
        let mut response = answered.map_err(|error| failure(&error))?;
        let mut begun = Vec::new();
        let reading = async {
            while begun.len() < READ_BYTES {
                match response.chunk().await {
                    Ok(Some(chunk)) => begun.extend_from_slice(&chunk[..chunk.len().min(READ_BYTES - begun.len())]),
                    // The status is what counts.
                    Ok(None) | Err(_) => break,
                }
            }
        };
        let _ = timeout(BODY_PATIENCE, reading).await;
        let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        Ok(Answer {
            status: response.status().as_u16(),
            retry_after: after.and_then(|text| retry_after(text, now())),
            excerpt: printable(&String::from_utf8_lossy(&begun)),
        })
    }

    /// Returns the range of addresses that a request to this address may reach; refuses an address that certainly leads outside
    /// of it.
    fn admit(&self, url: &Url) -> Result<Reach, OutboundError> {
        let reach = match url.scheme() {
            "https" => Reach::Public,
            "http" => Reach::AllowedOnly,
            _ => return Err(OutboundError::Refused("give an address that begins with https://")),
        };
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
            Some(Host::Domain(_)) if reach == Reach::AllowedOnly && self.allowed.is_empty() => {
                return Err(OutboundError::Refused("give an address that begins with https://: nothing is sent in the clear"));
            }
            Some(Host::Domain(_)) => return Ok(reach),
            None => return Err(OutboundError::Refused("give an address with a host, such as https://example.org/hook")),
        };
        // A client asks no resolver about an address.
        if self.allowed.admits(literal, reach) { Ok(reach) } else { Err(OutboundError::Forbidden) }
    }

    fn resolver(&self, reach: Reach) -> Resolver {
        Resolver { allowed: self.allowed.clone(), reach }
    }

    fn clients(&self) -> Result<&Clients, OutboundError> {
        if let Some(clients) = self.clients.get() {
            return Ok(clients);
        }
        let client = |reach| {
            Client::builder()
                .dns_resolver(Arc::new(self.resolver(reach)))
                // Proxies would look names up themselves, and redirects are answers of a kind that no receiver of ours gives.
                .no_proxy()
                .redirect(Policy::none())
                .https_only(reach == Reach::Public)
                // Each request is checked anew.
                .pool_max_idle_per_host(0)
                .referer(false)
                .user_agent(concat!("MikroCloud/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(CONNECT_PATIENCE)
                .timeout(PATIENCE)
                .build()
                .map_err(|error| OutboundError::Unreachable(error.without_url().to_string()))
        };
        let clients = Clients { https: client(Reach::Public)?, http: client(Reach::AllowedOnly)? };
        Ok(self.clients.get_or_init(|| clients))
    }
}

fn parse(text: &str) -> Result<Url, OutboundError> {
    if text.len() > LONGEST_ADDRESS {
        return Err(OutboundError::Refused("the address is longer than 2000 characters: give a shorter one"));
    }
    let url = Url::parse(text.trim())
        .map_err(|_| OutboundError::Refused("this is no address: give one such as https://example.org/hook"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(OutboundError::Refused("the address holds a user name or password: put the secret into its path or query"));
    }
    Ok(url)
}

/// Describes the failure of a request for people, without its address, which may be secret.
fn failure(error: &reqwest::Error) -> OutboundError {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    loop {
        if cause.is::<Forbidden>() {
            return OutboundError::Forbidden;
        }
        match cause.source() {
            Some(next) => cause = next,
            None => break,
        }
    }
    if error.is_timeout() {
        return OutboundError::TimedOut;
    }
    OutboundError::Unreachable(printable(&cause.to_string()))
}

/// Returns the delay that a receiver asks for: a number of seconds, or until a date (RFC 9110, 10.2.3), of which the obsolete
/// forms are not read.
fn retry_after(text: &str, at: Timestamp) -> Option<TimeDelta> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(TimeDelta::seconds(seconds.into()));
    }
    let until = DateTime::parse_from_rfc2822(text).ok()?;
    Some((until.to_utc() - at).max(TimeDelta::zero()))
}

/// The beginning of a text that others wrote, on one line.
fn printable(text: &str) -> String {
    let shown = text.trim().chars().map(|c| if c.is_control() || is_direction(c) { ' ' } else { c });
    shown.take(KEPT_CHARS).collect()
}

/// Characters that turn the direction of what follows, and so can make a terminal or page show something else.
pub fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests;
