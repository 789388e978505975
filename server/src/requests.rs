//! Limits of clients' requests.

use std::time::Duration;

use api::{Admission, LoadLimits, Reach};
use clap::Args;
use domain::access::Role;
use domain::id::ApiKeyId;
use jobs::Redis;
use services::{RateLimiter, RateLimits};
use url::Url;

/// The limits that whatever serves the API takes.
#[derive(Debug, Clone, Args)]
pub struct RequestOptions {
    /// Maximum number of requests of a user per hour; 0 for unlimited
    #[arg(long, env = "MIKROCLOUD_RATE_LIMIT", value_name = "REQUESTS", default_value_t = RateLimits::default().per_user)]
    rate_limit: u32,
    /// The same for a role (owner, admin, developer, viewer) or an API key, such as `viewer=200,key_...=5000`
    #[arg(long, env = "MIKROCLOUD_RATE_LIMIT_FOR", value_name = "WHO=REQUESTS", value_delimiter = ',')]
    rate_limit_for: Vec<RateLimitFor>,
    /// Maximum number of unauthenticated requests from an address per minute; 0 for unlimited
    #[arg(long, env = "MIKROCLOUD_ANONYMOUS_RATE_LIMIT", value_name = "REQUESTS", default_value_t = RateLimits::default().anonymous)]
    anonymous_rate_limit: u32,
    /// Maximum number of sign-in attempts from an address per minute; 0 for unlimited
    #[arg(long, env = "MIKROCLOUD_SIGN_IN_RATE_LIMIT", value_name = "ATTEMPTS", default_value_t = RateLimits::default().sign_in)]
    sign_in_rate_limit: u32,
    #[arg(
        long,
        help = "The sites whose scripts may use the API, such as https://app.example.org; none when left out",
        env = "MIKROCLOUD_ALLOWED_ORIGINS",
        value_name = "URL",
        value_delimiter = ',',
        value_parser = origin
    )]
    allowed_origins: Vec<Url>,
    /// Maximum number of concurrent requests
    #[arg(long, env = "MIKROCLOUD_MAX_REQUESTS", value_name = "REQUESTS", default_value_t = LoadLimits::default().at_once,
        value_parser = at_least_one)]
    max_requests: usize,
    /// Maximum number of further requests that wait until others are done; the rest is refused with 503
    #[arg(long, env = "MIKROCLOUD_MAX_WAITING", value_name = "REQUESTS", default_value_t = LoadLimits::default().waiting)]
    max_waiting: usize,
    /// Maximum waiting time of a request, in milliseconds
    #[arg(long, env = "MIKROCLOUD_MAX_WAIT_MS", value_name = "MILLISECONDS", default_value_t = 2000,
        value_parser = clap::value_parser!(u64).range(0..=20_000))]
    max_wait_ms: u64,
    /// Timeout of a request's head, in seconds; connections that are silent for longer are closed
    #[arg(long, env = "MIKROCLOUD_MAX_HEAD_SECONDS", value_name = "SECONDS", default_value_t = 75,
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    max_head_seconds: u64,
}

/// A limit for some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RateLimitFor {
    Role(Role, u32),
    Key(ApiKeyId, u32),
}

impl std::str::FromStr for RateLimitFor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (who, requests) = text.split_once('=').ok_or("give it as WHO=REQUESTS, such as viewer=200")?;
        let requests = requests.parse().map_err(|_| format!("`{requests}` is no number of requests: give a whole number"))?;
        if let Some(role) = Role::from_name(who) {
            return Ok(Self::Role(role, requests));
        }
        let key = who.parse().map_err(|_| {
            format!("`{who}` is neither a role (owner, admin, developer, viewer) nor the id of an API key (key_...)")
        })?;
        Ok(Self::Key(key, requests))
    }
}

impl RequestOptions {
    /// Builds the admission settings of an API. Its users are counted together with those of other processes if there is a Redis.
    pub fn admission(&self, reach: Reach, redis: Option<Redis>) -> Admission {
        let wait = Duration::from_millis(self.max_wait_ms);
        let load = LoadLimits {
            at_once: self.max_requests,
            waiting: self.max_waiting,
            wait,
            head: Duration::from_secs(self.max_head_seconds),
        };
        let (limiter, allowed_origins) = (RateLimiter::new(self.rate_limits(), redis), self.allowed_origins.clone());
        Admission { limiter, load, reach, allowed_origins }
    }

    fn rate_limits(&self) -> RateLimits {
        let mut limits = RateLimits {
            per_user: self.rate_limit,
            anonymous: self.anonymous_rate_limit,
            sign_in: self.sign_in_rate_limit,
            ..RateLimits::default()
        };
        for limit in &self.rate_limit_for {
            match *limit {
                RateLimitFor::Role(role, requests) => drop(limits.per_role.insert(role, requests)),
                RateLimitFor::Key(key, requests) => drop(limits.per_key.insert(key, requests)),
            }
        }
        limits
    }
}

/// A site, by its scheme, host and port.
fn origin(text: &str) -> Result<Url, String> {
    let is_origin = |url: &Url| matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none();
    let parsed = Url::parse(text).ok().filter(is_origin);
    parsed.ok_or_else(|| "give scheme, host and port of a site, such as https://app.example.org".to_owned())
}

/// More places than this the semaphore behind them cannot count.
const MOST: usize = 1_000_000;

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=MOST) => Ok(count),
        _ => Err(format!("give a whole number from 1 to {MOST}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_for_a_role_or_for_a_key() {
        let key = ApiKeyId::new();
        assert_eq!("viewer=200".parse(), Ok(RateLimitFor::Role(Role::Viewer, 200)));
        assert_eq!(format!("{key}=0").parse(), Ok(RateLimitFor::Key(key, 0)));
        for (text, problem) in [
            ("viewer", "WHO=REQUESTS"),
            ("viewer=-1", "`-1` is no number"),
            ("viewer=many", "`many` is no number"),
            ("boss=1", "`boss` is neither a role"),
            ("prj_0=1", "nor the id of an API key"),
        ] {
            let error = text.parse::<RateLimitFor>().unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
