//! Configuration of an edge at its start.

use std::path::PathBuf;
use std::time::Duration;

use domain::secret::Secret;
use tokio::sync::watch;

use crate::engine::Engine;

/// Configuration of an edge.
#[derive(Debug, Clone)]
pub struct EdgeConfig {
    /// For caches and the working directories of what runs; private to this edge.
    pub directory: PathBuf,
    /// Address at which this machine accepts visitors' requests, such as `127.0.0.1:8080`.
    pub listening: Option<String>,
    /// The domain under which labels are served, such as `localhost`.
    pub base_domain: String,
    /// The port in the addresses shown to people; `None` for the scheme's own.
    pub public_port: Option<u16>,
    /// The scheme in the addresses shown to people, `http` or `https`.
    pub public_scheme: String,
    /// Names this edge among all on the machine, the same after every restart: by it the processes of a killed edge are found.
    pub instance: String,
    /// By which edges of one installation know each other's requests: the first is shown, all are taken. `None` where there is one edge only.
    pub forwarding: Option<watch::Receiver<Vec<Secret>>>,
    /// The machine's container engine, as this MikroCloud uses it.
    pub engine: Engine,
    /// Time within which a server has to answer its health probe.
    pub start_deadline: Duration,
    /// Time for which a server without a route keeps running after the last request to its own label.
    pub idle_after: Duration,
    /// Time for which a function keeps running after its last call.
    pub function_idle_after: Duration,
    /// Time for which a server that became ready keeps running without a route.
    pub route_grace: Duration,
    /// Time for which requests in progress may continue in a workload that is to be stopped.
    pub drain: Duration,
    /// Time within which a process has to end after SIGTERM.
    pub stop_grace: Duration,
}

impl EdgeConfig {
    /// A configuration with the usual times.
    pub fn new(directory: PathBuf, instance: impl Into<String>) -> Self {
        let instance = instance.into();
        Self {
            engine: Engine::new(instance.as_str(), directory.join("engine")),
            directory,
            listening: None,
            base_domain: "localhost".to_owned(),
            public_port: Some(8080),
            public_scheme: "http".to_owned(),
            instance,
            forwarding: None,
            start_deadline: Duration::from_mins(1),
            idle_after: Duration::from_mins(5),
            function_idle_after: Duration::from_mins(1),
            route_grace: Duration::from_mins(1),
            drain: Duration::from_secs(30),
            stop_grace: Duration::from_secs(10),
        }
    }

    /// The prefix of the markers of this edge's processes.
    pub(crate) fn marker_prefix(&self) -> String {
        format!("{}:edge:", self.instance)
    }

    /// The address at which a label is seen; one with a dot in it is the whole name of a host.
    pub fn url(&self, label: &str) -> String {
        let Self { public_scheme, base_domain, .. } = self;
        let host = if label.contains('.') { label.to_owned() } else { format!("{label}.{base_domain}") };
        let usual = if public_scheme == "https" { 443 } else { 80 };
        match self.public_port.filter(|port| *port != usual) {
            Some(port) => format!("{public_scheme}://{host}:{port}"),
            None => format!("{public_scheme}://{host}"),
        }
    }

    /// The label in a `Host`, such as `shop--preview` in `shop--preview.localhost:8080`; `None` when the host is not below the
    /// base domain.
    pub(crate) fn label_of<'h>(&self, host: &'h str) -> Option<&'h str> {
        let host = name_of(host);
        let at = host.len().checked_sub(self.base_domain.len())?;
        let (label, domain) = (host.get(..at)?, host.get(at..)?);
        let label = label.strip_suffix('.')?;
        (domain.eq_ignore_ascii_case(&self.base_domain) && !label.is_empty() && !label.contains('.')).then_some(label)
    }
}

/// The name in a `Host`, without a port and without a dot at its end.
pub(crate) fn name_of(host: &str) -> &str {
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    host.strip_suffix('.').unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_what_stands_before_the_base_domain() {
        let config = EdgeConfig::new(PathBuf::new(), "x");
        let table = [
            ("shop--preview.localhost:8080", Some("shop--preview")),
            ("Shop.LOCALHOST", Some("Shop")),
            ("shop.localhost.", Some("shop")),
            ("localhost:8080", None),
            ("127.0.0.1:8080", None),
            ("[::1]:8080", None),
            (".localhost", None),
            ("a.b.localhost", None),
            ("shoplocalhost", None),
            ("ü.localhost", Some("ü")),
            ("", None),
        ];
        for (host, expected) in table {
            assert_eq!(config.label_of(host), expected, "{host}");
        }
    }

    #[test]
    fn addresses_leave_out_the_usual_port() {
        let mut config = EdgeConfig::new(PathBuf::new(), "x");
        assert_eq!(config.url("shop"), "http://shop.localhost:8080");
        assert_eq!(config.url("www.example.org"), "http://www.example.org:8080");
        config.public_port = Some(80);
        assert_eq!(config.url("shop"), "http://shop.localhost");
    }
}
