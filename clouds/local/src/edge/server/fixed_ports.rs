//! Servers that insist on one port: only one of them can run at a time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::id::{DeploymentId, EnvironmentId};
use tokio::sync::watch;

/// Holders of fixed ports, and the servers that get them next.
pub(crate) struct FixedPorts {
    ports: Mutex<HashMap<u16, Holding>>,
    changed: watch::Sender<u64>,
}

struct Holding {
    holder: DeploymentId,
    rank: Rank,
    environment: EnvironmentId,
    /// The newer release of the same environment that the holder makes room for.
    next: Option<DeploymentId>,
}

/// Priority of a server's claim to a port. A higher rank makes a lower one of the same environment stop, a newer release an older
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// Somebody asked for it by its own label.
    OnDemand,
    /// A route shows it.
    Live,
    /// It is a release under way.
    Release,
}

/// Answer to a server's claim to a port.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The port.
    Granted,
    /// The holder is to stop first, or does so by itself.
    Wait,
    /// Another project or environment has it, or the release that is shown.
    Refused,
}

impl Default for FixedPorts {
    fn default() -> Self {
        Self { ports: Mutex::default(), changed: watch::channel(0).0 }
    }
}

impl FixedPorts {
    /// Asks for a port. A holder of the same environment that wants it less is asked to make room.
    pub fn claim(&self, port: u16, id: DeploymentId, environment: EnvironmentId, rank: Rank) -> Claim {
        let mut ports = self.lock();
        let Some(holding) = ports.get_mut(&port) else {
            ports.insert(port, Holding { holder: id, rank, environment, next: None });
            return Claim::Granted;
        };
        if holding.holder == id {
            holding.rank = rank;
            return Claim::Granted;
        }
        if holding.environment != environment {
            return Claim::Refused;
        }
        if (rank, id) < (holding.rank, holding.holder) {
            return if rank == Rank::OnDemand { Claim::Refused } else { Claim::Wait };
        }
        if holding.next.is_none() {
            holding.next = Some(id);
            drop(ports);
            self.changed.send_modify(|count| *count += 1);
        }
        Claim::Wait
    }

    /// Returns true if the holder of a port is requested to release it.
    pub fn must_yield(&self, port: u16, id: DeploymentId) -> bool {
        self.lock().get(&port).is_some_and(|holding| holding.holder == id && holding.next.is_some_and(|next| next != id))
    }

    /// Gives a port back; who waits for it has it then.
    pub fn release(&self, port: u16, id: DeploymentId) {
        let mut ports = self.lock();
        let Some(holding) = ports.get_mut(&port) else { return };
        if holding.holder == id {
            match holding.next.take() {
                Some(next) => holding.holder = next,
                None => drop(ports.remove(&port)),
            }
        } else if holding.next == Some(id) {
            holding.next = None;
        }
        drop(ports);
        self.changed.send_modify(|count| *count += 1);
    }

    /// Tells of every change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u16, Holding>> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_release_takes_over_and_gives_back_when_it_fails() {
        let ports = FixedPorts::default();
        let (environment, old, new) = (EnvironmentId::new(), DeploymentId::new(), DeploymentId::new());
        assert_eq!(ports.claim(3000, old, environment, Rank::Live), Claim::Granted);
        assert_eq!(ports.claim(3000, new, environment, Rank::Release), Claim::Wait);
        assert!(ports.must_yield(3000, old) && !ports.must_yield(3000, new));
        ports.release(3000, old);
        assert_eq!(ports.claim(3000, new, environment, Rank::Release), Claim::Granted);
        assert_eq!(ports.claim(3000, old, environment, Rank::Live), Claim::Wait);
        assert!(!ports.must_yield(3000, new));
        ports.release(3000, new);
        assert_eq!(ports.claim(3000, old, environment, Rank::Live), Claim::Granted);
    }

    #[test]
    fn another_environment_is_refused_and_who_gives_up_waiting_holds_nobody_up() {
        let ports = FixedPorts::default();
        let (environment, old, new) = (EnvironmentId::new(), DeploymentId::new(), DeploymentId::new());
        ports.claim(3000, old, environment, Rank::Live);
        assert_eq!(ports.claim(3000, DeploymentId::new(), EnvironmentId::new(), Rank::Release), Claim::Refused);
        ports.claim(3000, new, environment, Rank::Release);
        ports.release(3000, new);
        assert!(!ports.must_yield(3000, old));
    }
}
