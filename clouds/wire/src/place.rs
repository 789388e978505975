use clouds_contract::{CloudError, Endpoint, ErrorKind};
use http::HeaderValue;
use url::Url;

/// Place of a simulated cloud.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    url: Url,
    host: String,
    pub pace_percent: u8,
}

impl Place {
    /// Reads an endpoint.
    pub fn read(endpoint: &Endpoint) -> Result<Self, CloudError> {
        let invalid = |reason: String| {
            let message = format!("`{}` is no endpoint ({reason}): give one such as http://127.0.0.1:8090", endpoint.url);
            CloudError::new(ErrorKind::Invalid, "ENDPOINT_INVALID", message)
        };
        let url: Url = endpoint.url.parse().map_err(|error| invalid(format!("{error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid("neither http nor https".to_owned()));
        }
        let host = url.host_str().ok_or_else(|| invalid("it names no host".to_owned()))?.to_owned();
        Ok(Self { url, host, pace_percent: endpoint.pace_percent })
    }

    fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(80)
    }

    /// The vendor's address with this place's scheme, host and port, and the host that was meant.
    pub fn redirect(&self, url: &Url) -> Option<(Url, HeaderValue)> {
        let original = HeaderValue::from_str(url.host_str()?).ok()?;
        let mut there = url.clone();
        there.set_scheme(self.url.scheme()).ok()?;
        there.set_host(Some(&self.host)).ok()?;
        there.set_port(Some(self.port())).ok()?;
        Some((there, original))
    }

    /// Returns true for an address of the place itself.
    pub fn is_own(&self, url: &Url) -> bool {
        url.host_str() == Some(&self.host) && url.port_or_known_default() == Some(self.port())
    }

    /// Name, port and scheme under which a browser on this machine sees a vendor's host.
    pub fn visible(&self, host: &str) -> (String, String) {
        let authority = format!("{host}.localhost:{}", self.port());
        (format!("{}://{authority}/", self.url.scheme()), authority)
    }

    /// Host and port to connect to.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port())
    }

    /// Returns true if it is reached without TLS.
    pub fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// Scheme and address to connect to.
    pub fn base(&self) -> String {
        format!("{}://{}", self.url.scheme(), self.authority())
    }
}
