//! Addresses of Redis.

use std::fmt;
use std::str::FromStr;

use redis::sentinel::SentinelNodeConnectionInfo;
use redis::{ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, TlsMode};

/// Address of Redis. `redis://[user:password@]host:6379[/database]` is one server, `rediss://` one behind TLS.
/// `redis+sentinel://[user:password@]host:26379,host:26379/master[/database]` asks Sentinels which server is the master, and
/// `redis+cluster://[user:password@]host:6379,host:6379` is a Cluster; both exist as `rediss+...` too. Displayed without its
/// password.
#[derive(Clone)]
pub struct RedisUrl {
    topology: Topology,
    shown: String,
}

/// Topology of the servers.
#[derive(Clone)]
pub(super) enum Topology {
    One(ConnectionInfo),
    Sentinel { sentinels: Vec<ConnectionInfo>, master: String, credentials: Credentials },
    Cluster(Vec<ConnectionInfo>),
}

/// Credentials for a node behind Sentinels.
#[derive(Clone)]
pub(super) struct Credentials {
    user: Option<String>,
    password: Option<String>,
    database: i64,
    tls: bool,
}

impl Credentials {
    /// In the form that the client takes; it cannot be cloned.
    pub fn node(&self) -> SentinelNodeConnectionInfo {
        let mut redis = RedisConnectionInfo::default().set_db(self.database);
        if let Some(user) = &self.user {
            redis = redis.set_username(user);
        }
        if let Some(password) = &self.password {
            redis = redis.set_password(password);
        }
        let node = SentinelNodeConnectionInfo::default().set_redis_connection_info(redis);
        if self.tls { node.set_tls_mode(TlsMode::Secure) } else { node }
    }
}

/// Reason for which a text is not an address of Redis.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RedisUrlError(String);

impl RedisUrl {
    pub(super) fn topology(&self) -> &Topology {
        &self.topology
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// The parts of an address that may name several hosts, which the usual parsers refuse.
struct Parts<'a> {
    scheme: &'a str,
    /// With the `@`; empty when there is none.
    userinfo: &'a str,
    hosts: Vec<&'a str>,
    path: Vec<&'a str>,
}

impl<'a> Parts<'a> {
    fn split(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (userinfo, hosts) = authority.rfind('@').map_or(("", authority), |at| authority.split_at(at + 1));
        let hosts: Vec<_> = hosts.split(',').filter(|host| !host.is_empty()).collect();
        (!hosts.is_empty()).then(|| Self {
            scheme,
            userinfo,
            hosts,
            path: path.split('/').filter(|part| !part.is_empty()).collect(),
        })
    }

    /// One host as an address of its own.
    fn url(scheme: &str, host: &str, userinfo: &str, port: u16) -> Result<ConnectionInfo, RedisUrlError> {
        let port = if host.rsplit(']').next().is_some_and(|end| end.contains(':')) { String::new() } else { format!(":{port}") };
        let url = format!("{scheme}://{userinfo}{host}{port}");
        url.into_connection_info().map_err(|error| RedisUrlError(format!("`{host}` is no address of Redis: {error}")))
    }

    fn all(&self, scheme: &str, userinfo: &str, port: u16) -> Result<Vec<ConnectionInfo>, RedisUrlError> {
        self.hosts.iter().map(|host| Self::url(scheme, host, userinfo, port)).collect()
    }

    fn shown(&self) -> String {
        let hosts = self.hosts.join(",");
        let places: Vec<&str> = std::iter::once(hosts.as_str()).chain(self.path.iter().copied()).collect();
        format!("{}://{}", self.scheme, places.join("/"))
    }
}

impl FromStr for RedisUrl {
    type Err = RedisUrlError;

    fn from_str(text: &str) -> Result<Self, RedisUrlError> {
        const FORMS: &str =
            "give redis://host:6379, rediss://host:6379, redis+sentinel://host:26379/master or redis+cluster://host:6379";
        let parts = Parts::split(text.trim()).ok_or_else(|| RedisUrlError(format!("no host is named: {FORMS}")))?;
        let topology = match parts.scheme {
            scheme @ ("redis" | "rediss") => match parts.hosts.as_slice() {
                [_] => Topology::One(
                    text.trim()
                        .into_connection_info()
                        .map_err(|error| RedisUrlError(format!("`{}` cannot be read: {error}", parts.shown())))?,
                ),
                _ => return Err(RedisUrlError(format!("several hosts need {scheme}+sentinel:// or {scheme}+cluster://"))),
            },
            scheme @ ("redis+sentinel" | "rediss+sentinel") => sentinel(&parts, scheme.starts_with("rediss"))?,
            "redis+cluster" => Topology::Cluster(parts.all("redis", parts.userinfo, 6379)?),
            "rediss+cluster" => Topology::Cluster(parts.all("rediss", parts.userinfo, 6379)?),
            other => return Err(RedisUrlError(format!("`{}` is no scheme of Redis: {FORMS}", other.escape_debug()))),
        };
        Ok(Self { topology, shown: parts.shown() })
    }
}

fn sentinel(parts: &Parts<'_>, tls: bool) -> Result<Topology, RedisUrlError> {
    let (master, database) = match parts.path.as_slice() {
        [master] => (*master, 0),
        [master, database] => {
            let number = database.parse().map_err(|_| RedisUrlError(format!("`{database}` is no number of a database")))?;
            (*master, number)
        }
        _ => return Err(RedisUrlError("the master is not named: give redis+sentinel://host:26379/MASTER".to_owned())),
    };
    let (user, password) = credentials(parts.userinfo)?;
    let sentinels = parts.all("redis", "", 26379)?;
    Ok(Topology::Sentinel { sentinels, master: master.to_owned(), credentials: Credentials { user, password, database, tls } })
}

/// User name and password, decoded.
fn credentials(userinfo: &str) -> Result<(Option<String>, Option<String>), RedisUrlError> {
    if userinfo.is_empty() {
        return Ok((None, None));
    }
    let wrong = || RedisUrlError("user name and password cannot be read: percent-encode special characters".to_owned());
    let info = format!("redis://{userinfo}host").into_connection_info().map_err(|_| wrong())?;
    let settings = info.redis_settings();
    Ok((settings.username().map(str::to_owned), settings.password().map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<RedisUrl>().map_or_else(|error| error.to_string(), |url| url.to_string())
    }

    #[test]
    fn all_forms_are_read_and_shown_without_credentials() {
        for (text, expected) in [
            ("redis://:geheim@127.0.0.1:6379/2", "redis://127.0.0.1:6379/2"),
            ("rediss://user:geheim@[::1]:6380", "rediss://[::1]:6380"),
            ("redis+sentinel://:geheim@a:26379,b/main/3", "redis+sentinel://a:26379,b/main/3"),
            ("rediss+cluster://user:geheim@a:1,b:2", "rediss+cluster://a:1,b:2"),
        ] {
            assert_eq!(shown(text), expected);
            assert!(!format!("{:?}", text.parse::<RedisUrl>().unwrap()).contains("geheim"));
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for text in
            ["", "redis://", "http://:geheim@host", "redis://:geheim@a,b", "redis+sentinel://:geheim@a", "redis+sentinel://a/m/x"]
        {
            let error = text.parse::<RedisUrl>().unwrap_err().to_string();
            assert!(!error.contains("geheim") && error.len() > 20, "{error}");
        }
    }

    #[test]
    fn sentinels_pass_the_credentials_to_the_master() {
        let url: RedisUrl = "redis+sentinel://us%40er:p%2Fw@a/main/3".parse().unwrap();
        let Topology::Sentinel { credentials, master, sentinels } = url.topology() else { panic!("{url}") };
        assert_eq!((credentials.user.as_deref(), credentials.password.as_deref()), (Some("us@er"), Some("p/w")));
        assert_eq!((master.as_str(), credentials.database, sentinels.len()), ("main", 3, 1));
    }
}
