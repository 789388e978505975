use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clouds_contract::guard::{Guards, Probe};
use clouds_contract::{Address, CloudError, Endpoint, ErrorKind, Reach};
use http::HeaderName;
use reqwest::redirect::Policy;
use reqwest::{Client, Request, Response};
use url::Url;

use crate::place::Place;

/// Header that says which of the vendor's hosts a request is for, where it goes to a simulated cloud.
pub const ORIGINAL_HOST: HeaderName = HeaderName::from_static("x-original-host");

/// Factor by which a simulated cloud takes more requests.
const SIMULATED_RATE: u32 = 100;

/// Timeout of connecting. Whole calls have theirs from the guards.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest answer that is read, in bytes: what vendors say of things is far below it.
const LONGEST_ANSWER: usize = 16 << 20;

/// Reads an answer, up to a length that no honest one has. Fails with `Ambiguous` where it breaks off, and `ANSWER_TOO_LONG`.
pub async fn read(mut response: Response) -> Result<Vec<u8>, CloudError> {
    let lost = |error| CloudError::new(ErrorKind::Ambiguous, "ANSWER_LOST", "an answer got lost on the way").caused_by(error);
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(lost)? {
        body.extend_from_slice(&piece);
        if body.len() > LONGEST_ANSWER {
            let message = format!("an answer has more than {LONGEST_ANSWER} bytes: is this the vendor?");
            return Err(CloudError::new(ErrorKind::Invalid, "ANSWER_TOO_LONG", message));
        }
    }
    Ok(body)
}

/// Address of a container registry's API, for clients that know a registry by its authority alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryAddress {
    /// Host, with a port where it is not the usual one.
    pub authority: String,
    /// Text before each repository's name.
    pub prefix: String,
    /// Requests go by HTTP, without TLS.
    pub is_plain: bool,
}

/// The way to a cloud.
#[derive(Debug, Clone)]
pub struct Wire {
    client: Client,
    place: Option<Place>,
}

/// The program's client for vendors, or for simulated clouds. To read the machine's certificates takes long, so there is one of each.
fn client(is_simulated: bool) -> Result<Client, CloudError> {
    static CLIENTS: [OnceLock<Client>; 2] = [OnceLock::new(), OnceLock::new()];
    let known = &CLIENTS[usize::from(is_simulated)];
    if let Some(client) = known.get() {
        return Ok(client.clone());
    }
    // A simulated cloud must not send us to the real one.
    let redirects = if is_simulated { Policy::none() } else { Policy::limited(5) };
    let agent = concat!("mikrocloud/", env!("CARGO_PKG_VERSION"));
    let client = Client::builder().user_agent(agent).connect_timeout(CONNECT_TIMEOUT).redirect(redirects).build();
    let client = client.map_err(|error| CloudError::internal("could not set up the client for requests to clouds", error))?;
    Ok(known.get_or_init(|| client).clone())
}

impl Wire {
    /// A way to the vendor itself, or to an endpoint in its place. TLS is the program's one provider.
    pub fn new(endpoint: Option<&Endpoint>) -> Result<Self, CloudError> {
        // Fails if the program has its provider already, which is this one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let place = endpoint.map(Place::read).transpose()?;
        let client = client(place.is_some())?;
        Ok(Self { client, place })
    }

    /// The client, to build requests with. They are sent by [`send`](Self::send).
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Percentage of each wait between two looks: 100 for the vendor itself.
    pub fn pace_percent(&self) -> u8 {
        self.place.as_ref().map_or(100, |place| place.pace_percent)
    }

    /// Returns true if requests go to a simulated cloud.
    pub fn is_simulated(&self) -> bool {
        self.place.is_some()
    }

    /// Sends a request that is written for the vendor.
    pub async fn send(&self, mut request: Request) -> Result<Response, reqwest::Error> {
        if let Some((there, original)) = self.place.as_ref().and_then(|place| place.redirect(request.url())) {
            *request.url_mut() = there;
            request.headers_mut().insert(ORIGINAL_HOST, original);
        }
        self.client.execute(request).await
    }

    /// An address that an answer gave, such as a `Location`, in the vendor's terms. It may be relative to the request's.
    pub fn follow(&self, request: &Url, location: &str) -> Option<Url> {
        let mut found = request.join(location).ok()?;
        if self.place.as_ref().is_some_and(|place| place.is_own(&found)) {
            found.set_scheme(request.scheme()).ok()?;
            found.set_host(request.host_str()).ok()?;
            found.set_port(request.port()).ok()?;
        }
        Some(found)
    }

    /// Address at which visitors see a host of the vendor's.
    pub fn public(&self, host: &str) -> Address {
        let (url, reach) = match &self.place {
            None => (format!("https://{host}/"), Reach { base: format!("https://{host}"), host: host.to_owned() }),
            Some(place) => {
                let (url, authority) = place.visible(host);
                (url, Reach { base: place.base(), host: authority })
            }
        };
        Address { url, reach, alias_target: None }
    }

    /// Address of a container registry's API.
    pub fn registry(&self, host: &str) -> RegistryAddress {
        match &self.place {
            None => RegistryAddress { authority: host.to_owned(), prefix: String::new(), is_plain: false },
            Some(place) => {
                RegistryAddress { authority: place.authority(), prefix: format!("{host}/"), is_plain: place.is_plain() }
            }
        }
    }

    /// Guards of an account's calls. `rates` has the calls per second that each of the vendor's services takes; a simulated cloud takes
    /// more.
    pub fn guards(&self, cloud: &'static str, rates: &[(&'static str, u32)], probe: Option<Arc<dyn Probe>>) -> Arc<Guards> {
        let factor = if self.is_simulated() { SIMULATED_RATE } else { 1 };
        let rates: Vec<_> = rates.iter().map(|(service, rate)| (*service, rate * factor)).collect();
        Arc::new(Guards::new(cloud, &rates, self.pace_percent()).with_probe(probe))
    }

    /// A wait between two looks, shortened where a simulated cloud is faster than a real one.
    pub fn pace(&self, wait: Duration) -> Duration {
        self.place.as_ref().map_or(wait, |place| wait * u32::from(place.pace_percent) / 100)
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::Request as Received;

    use super::*;

    fn endpoint(url: &str) -> Endpoint {
        Endpoint { url: url.to_owned(), pace_percent: 1 }
    }

    async fn echo(request: Received) -> String {
        let host = request.headers().get(ORIGINAL_HOST).map_or("-", |value| value.to_str().unwrap());
        format!("{} {} {host}", request.method(), request.uri())
    }

    #[tokio::test]
    async fn a_request_goes_to_the_endpoint_and_says_whom_it_was_for() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(echo)).await });
        let wire = Wire::new(Some(&endpoint(&format!("http://{address}")))).unwrap();
        let request = wire.client().put("https://run.googleapis.com/v2/a?b=c").build().unwrap();
        let answer = wire.send(request).await.unwrap().text().await.unwrap();
        assert_eq!(answer, "PUT /v2/a?b=c run.googleapis.com");
    }

    #[tokio::test]
    async fn an_answer_without_end_is_not_read_to_it() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let long = || async { vec![b' '; LONGEST_ANSWER + 1] };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(long)).await });
        let wire = Wire::new(Some(&endpoint(&format!("http://{address}")))).unwrap();
        let answer = wire.send(wire.client().get("https://run.googleapis.com/").build().unwrap()).await.unwrap();
        assert_eq!(read(answer).await.unwrap_err().code, "ANSWER_TOO_LONG");
    }

    #[test]
    fn addresses_open_in_a_browser_wherever_the_cloud_is() {
        let address = Wire::new(None).unwrap().public("shop.a.run.app");
        assert_eq!((address.url.as_str(), address.reach.base.as_str()), ("https://shop.a.run.app/", "https://shop.a.run.app"));
        let address = Wire::new(Some(&endpoint("http://127.0.0.1:8090"))).unwrap().public("shop.a.run.app");
        assert_eq!(address.url, "http://shop.a.run.app.localhost:8090/");
        let reach = Reach { base: "http://127.0.0.1:8090".to_owned(), host: "shop.a.run.app.localhost:8090".to_owned() };
        assert_eq!(address.reach, reach);
    }

    #[test]
    fn locations_are_the_vendors_again() {
        let wire = Wire::new(Some(&endpoint("http://127.0.0.1:8090"))).unwrap();
        let request: Url = "https://eu-docker.pkg.dev/v2/p/r/i/blobs/uploads/".parse().unwrap();
        let table = [
            ("/v2/p/r/i/blobs/uploads/7", "https://eu-docker.pkg.dev/v2/p/r/i/blobs/uploads/7"),
            ("http://127.0.0.1:8090/v2/x?y=z", "https://eu-docker.pkg.dev/v2/x?y=z"),
            ("https://other.example/x", "https://other.example/x"),
        ];
        for (location, expected) in table {
            assert_eq!(wire.follow(&request, location).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn a_registry_of_a_simulated_cloud_has_its_host_in_the_names_of_repositories() {
        let address = Wire::new(None).unwrap().registry("eu-docker.pkg.dev");
        assert_eq!((address.authority.as_str(), address.prefix.as_str(), address.is_plain), ("eu-docker.pkg.dev", "", false));
        let address = Wire::new(Some(&endpoint("http://127.0.0.1:8090"))).unwrap().registry("eu-docker.pkg.dev");
        let expected = ("127.0.0.1:8090", "eu-docker.pkg.dev/", true);
        assert_eq!((address.authority.as_str(), address.prefix.as_str(), address.is_plain), expected);
    }

    #[test]
    fn an_endpoint_that_is_none_is_refused_with_what_to_write() {
        for url in ["", "127.0.0.1:8090", "ftp://x", "http:///"] {
            let error = Wire::new(Some(&endpoint(url))).unwrap_err();
            assert!(error.message.contains("http://127.0.0.1:8090"), "{error}");
        }
    }

    #[test]
    fn waits_are_shorter_where_the_cloud_is_simulated() {
        let minute = Duration::from_mins(1);
        assert_eq!(Wire::new(None).unwrap().pace(minute), minute);
        assert_eq!(Wire::new(Some(&endpoint("http://127.0.0.1:1"))).unwrap().pace(minute), Duration::from_millis(600));
    }
}
