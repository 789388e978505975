//! Asks a process whether it answers.

use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Readiness probe of a process.
#[derive(Debug, Clone)]
pub(crate) enum Probe {
    /// It answers this path with a status below 500.
    Http { path: String },
    /// It accepts connections.
    Connect,
}

/// Result of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    Healthy,
    /// It answered this status.
    Status(u16),
    /// It answered something else than HTTP.
    NotHttp,
    /// Nothing listens.
    Refused,
}

impl Probe {
    /// Asks once.
    pub(super) async fn once(&self, port: u16) -> Finding {
        let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return Finding::Refused };
        match self {
            Self::Connect => Finding::Healthy,
            Self::Http { path } => match status(stream, path, port).await {
                Some(status) if status < 500 => Finding::Healthy,
                Some(status) => Finding::Status(status),
                None => Finding::NotHttp,
            },
        }
    }
}

async fn status(mut stream: TcpStream, path: &str, port: u16) -> Option<u16> {
    let path = path.parse::<http::uri::PathAndQuery>().map_or_else(|_| "/".to_owned(), |path| path.to_string());
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nUser-Agent: MikroCloud-Health\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.ok()?;
    let text = std::str::from_utf8(&head).ok()?;
    text.strip_prefix("HTTP/1.")?.get(2..)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn found(answer: &'static [u8]) -> Finding {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 1024];
            let _ = stream.read(&mut buffer).await;
            stream.write_all(answer).await.unwrap();
        });
        Probe::Http { path: "/health?x=1".to_owned() }.once(port).await
    }

    #[tokio::test]
    async fn any_status_below_500_is_healthy() {
        assert_eq!(found(b"HTTP/1.1 404 Not Found\r\n\r\n").await, Finding::Healthy);
        assert_eq!(found(b"HTTP/1.0 200 OK\r\n\r\n").await, Finding::Healthy);
        assert_eq!(found(b"HTTP/1.1 503 Busy\r\n\r\n").await, Finding::Status(503));
        assert_eq!(found(b"SSH-2.0-OpenSSH_9.2\r\n").await, Finding::NotHttp);
        assert_eq!(found(b"").await, Finding::NotHttp);
    }
}
