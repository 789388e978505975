//! Connections that changed their protocol, such as those of `WebSocket`.

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use crate::edge::instance::Lease;

/// Copies both ways between the client and the process until either ends. The lease is held until then.
pub(super) fn connect(client: OnUpgrade, process: OnUpgrade, lease: Lease) {
    tokio::spawn(async move {
        let (client, process) = match tokio::try_join!(client, process) {
            Ok(both) => both,
            Err(error) => return tracing::debug!(%error, "a connection did not change its protocol"),
        };
        let (mut client, mut process) = (TokioIo::new(client), TokioIo::new(process));
        if let Err(error) = tokio::io::copy_bidirectional(&mut client, &mut process).await {
            tracing::debug!(%error, "a tunnel ended");
        }
        drop(lease);
    });
}
