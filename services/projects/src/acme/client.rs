//! Requests to an authority, by the program's one client of HTTP.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use reqwest::{Body, Certificate, Client, Request};

use super::AcmeError;

/// Timeout of connecting to the authority, and of its response.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(30);

/// A client for an authority: a public one, or one that is known by these roots and no others.
pub(super) fn http(roots: Option<&[u8]>) -> Result<Client, AcmeError> {
    let builder = Client::builder()
        .https_only(true)
        .user_agent(concat!("MikroCloud/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_PATIENCE)
        .timeout(PATIENCE);
    let Some(roots) = roots else { return Ok(builder.build()?) };
    let roots = Certificate::from_pem_bundle(roots).map_err(|_| AcmeError::NoRoots)?;
    if roots.is_empty() {
        return Err(AcmeError::NoRoots);
    }
    Ok(builder.tls_certs_only(roots).build()?)
}

/// The client in the form that the protocol's library takes.
pub(super) struct Requests(pub Client);

impl HttpClient for Requests {
    fn request(
        &self,
        request: http::Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.0.clone();
        Box::pin(async move {
            let other = |error: reqwest::Error| Error::Other(Box::new(error));
            let request = Request::try_from(request.map(Body::wrap)).map_err(other)?;
            let response = client.execute(request).await.map_err(other)?;
            Ok(http::Response::<Body>::from(response).into())
        })
    }
}
