//! Beginning and end of every server role.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;

/// Binds to an address.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let remedy = match error.kind() {
            std::io::ErrorKind::AddrInUse => "another program listens there; stop it, or choose another address with --listen",
            std::io::ErrorKind::PermissionDenied => "ports below 1024 need a privilege; choose another address with --listen",
            _ => "choose another address with --listen",
        };
        Failure::failed("LISTEN", format!("cannot listen on {address}: {error}. Remedy: {remedy}"))
    })
}

/// Waits for SIGTERM or SIGINT.
pub async fn wait_for_signal() -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
