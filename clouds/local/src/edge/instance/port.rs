//! Ports for processes to listen on.

use std::collections::HashSet;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Ports that this process has given out: a port is free until its process listens, and must not be given twice until then.
static GIVEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

/// A port that is given out until this is dropped.
#[derive(Debug)]
pub(super) struct ReservedPort(u16);

impl ReservedPort {
    /// A port that nothing listens on. Somebody else may take it before it is used: then take another.
    pub fn any() -> io::Result<Self> {
        loop {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            if GIVEN.lock().unwrap_or_else(PoisonError::into_inner).insert(port) {
                return Ok(Self(port));
            }
        }
    }

    /// This port, whoever may use it.
    pub fn fixed(port: u16) -> Self {
        GIVEN.lock().unwrap_or_else(PoisonError::into_inner).insert(port);
        Self(port)
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.0
    }
}

impl Drop for ReservedPort {
    fn drop(&mut self) {
        GIVEN.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

/// Returns true if a process could listen on this port now.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
