//! A way between a program and its server that a test can cut.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Passes TCP connections on to a port of this machine.
pub struct Proxy {
    port: u16,
    cut: Arc<Notify>,
    taken: Arc<AtomicUsize>,
}

impl Proxy {
    /// A proxy in front of this port. Must be called within a runtime.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.unwrap_or_else(|error| panic!("no port is free: {error}"));
        let own = listener.local_addr().map_or(0, |address| address.port());
        let cut = Arc::new(Notify::new());
        let taken = Arc::<AtomicUsize>::default();
        let target = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        tokio::spawn(accept(listener, target, Arc::clone(&cut), Arc::clone(&taken)));
        Self { port: own, cut, taken }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the number of connections it has accepted so far.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }

    /// Cuts every connection that there is; new ones are taken.
    pub fn cut(&self) {
        self.cut.notify_waiters();
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, cut: Arc<Notify>, taken: Arc<AtomicUsize>) {
    while let Ok((mut client, _)) = listener.accept().await {
        taken.fetch_add(1, Ordering::SeqCst);
        let cut = Arc::clone(&cut);
        tokio::spawn(async move {
            let cut = cut.notified();
            tokio::pin!(cut);
            cut.as_mut().enable();
            let Ok(mut server) = TcpStream::connect(target).await else { return };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                () = cut => {}
            }
        });
    }
}
