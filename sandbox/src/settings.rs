//! Settings of a sandbox at its start.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Settings of a sandbox at its start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Directory that keeps the simulated world over restarts; without one it ends with the sandbox.
    pub data: Option<PathBuf>,
    /// Directory for recordings, one file of JSON lines per cloud; without one nothing is recorded.
    pub record: Option<PathBuf>,
    /// Server that AWS requests are passed to.
    pub moto: Moto,
}

/// Server of moto, which simulates AWS (<https://docs.getmoto.org>).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Moto {
    /// The program `moto_server` on the path, started with the first request to AWS.
    #[default]
    OnPath,
    /// A program, started likewise.
    Program(PathBuf),
    /// A server that runs.
    Running(SocketAddr),
}

impl Settings {
    /// A sandbox on this address that keeps and records nothing.
    pub fn new(listen: SocketAddr) -> Self {
        Self { listen, data: None, record: None, moto: Moto::OnPath }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new(SocketAddr::from(([127, 0, 0, 1], 0)))
    }
}
