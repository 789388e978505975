//! DNS queries about a name.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use domain::host_name::HostName;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RData;

/// Timeout of a server's answer, and the number of retries.
const PATIENCE: Duration = Duration::from_secs(4);
const ATTEMPTS: usize = 2;

/// Looks names up in the DNS, and nowhere else. Nothing is remembered: who has just made a record is not told that there is none because
/// there was none a minute ago.
pub(super) struct Dns(TokioResolver);

/// Reason for which the DNS gave no answer; a later retry is worthwhile.
#[derive(Debug, thiserror::Error)]
#[error("the DNS did not answer: {0}")]
pub(super) struct DnsFailure(#[from] NetError);

impl Dns {
    /// Over this server, or over those that the machine uses.
    pub fn new(server: Option<SocketAddr>) -> Result<Self, DnsFailure> {
        let mut builder = match server {
            Some(server) => {
                let at_port = |mut connection: ConnectionConfig| {
                    connection.port = server.port();
                    connection
                };
                let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(at_port);
                let server = NameServerConfig::new(server.ip(), true, connections.into());
                TokioResolver::builder_with_config(
                    ResolverConfig::from_name_servers(vec![server]),
                    TokioRuntimeProvider::default(),
                )
            }
            None => TokioResolver::builder_tokio()?,
        };
        let options = builder.options_mut();
        (options.timeout, options.attempts) = (PATIENCE, ATTEMPTS);
        (options.use_hosts_file, options.cache_size) = (ResolveHosts::Never, 0);
        Ok(Self(builder.build()?))
    }

    /// The texts of a name's TXT records.
    pub async fn texts(&self, name: &str) -> Result<Vec<String>, DnsFailure> {
        let texts = |data: &RData| match data {
            // What does not fit into 255 bytes stands there in pieces (RFC 7208, 3.3).
            RData::TXT(text) => Some(String::from_utf8_lossy(&text.txt_data.concat()).trim().to_owned()),
            _ => None,
        };
        found(self.0.txt_lookup(absolute(name)).await, texts)
    }

    /// The addresses that a name leads to.
    pub async fn addresses(&self, name: &HostName) -> Result<BTreeSet<IpAddr>, DnsFailure> {
        let v4 = found(self.0.ipv4_lookup(absolute(name.as_str())).await, |data| match data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            _ => None,
        });
        let v6 = found(self.0.ipv6_lookup(absolute(name.as_str())).await, |data| match data {
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        });
        Ok(v4?.into_iter().chain(v6?).collect())
    }
}

/// A name that is looked up as it is, whatever the machine's search list says.
fn absolute(name: &str) -> String {
    format!("{name}.")
}

/// Returns the records of the answer; empty if there is no such name or it has no such records.
fn found<T>(answer: Result<Lookup, NetError>, read: impl Fn(&RData) -> Option<T>) -> Result<Vec<T>, DnsFailure> {
    match answer {
        Ok(lookup) => Ok(lookup.answers().iter().filter_map(|record| read(&record.data)).collect()),
        Err(NetError::Dns(DnsError::NoRecordsFound(NoRecords {
            response_code: ResponseCode::NoError | ResponseCode::NXDomain,
            ..
        }))) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}
