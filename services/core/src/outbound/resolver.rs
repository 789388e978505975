//! Names to addresses that may be reached.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::{Allowed, Reach};

/// A name leads to nothing that may be reached, or an address is none.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error(
    "it leads to an address that MikroCloud does not connect to: give a public one with https, or ask who runs the server to allow its network"
)]
pub struct Forbidden;

/// Reason for which a name does not resolve to a usable address.
#[derive(Debug, thiserror::Error)]
pub enum LookUpError {
    #[error("the name cannot be looked up")]
    Unknown(#[source] std::io::Error),
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
}

/// Looks names up as the system does, and leaves out what may not be reached: nothing else is connected to.
#[derive(Clone)]
pub struct Resolver {
    pub allowed: Allowed,
    pub reach: Reach,
}

impl Resolver {
    /// The addresses of a name that may be reached.
    pub async fn look_up(&self, name: &str) -> Result<Vec<SocketAddr>, LookUpError> {
        let found = tokio::net::lookup_host((name, 0)).await.map_err(LookUpError::Unknown)?;
        let admitted: Vec<_> = found.filter(|address| self.allowed.admits(address.ip(), self.reach)).collect();
        if admitted.is_empty() { Err(Forbidden.into()) } else { Ok(admitted) }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            match resolver.look_up(name.as_str()).await {
                Ok(found) => Ok(Box::new(found.into_iter()) as Addrs),
                // By itself, so that it is found among the causes.
                Err(LookUpError::Forbidden(forbidden)) => Err(forbidden.into()),
                Err(error) => Err(error.into()),
            }
        })
    }
}
