//! Signed requests on their way.

use aws_credential_types::Credentials;
use clouds_contract::CloudError;
use clouds_wire::Wire;
use domain::time::now;
use http::header;

use crate::answer::{Answer, lost, refused};
use crate::request::Request;
use crate::sign::signature;

/// Signs requests and sends them.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub wire: Wire,
}

impl Sender {
    /// Sends a request once.
    pub async fn send(&self, request: &Request, credentials: &Credentials) -> Result<Answer, CloudError> {
        let mut built = self.wire.client().request(request.method.clone(), request.url.clone()).body(request.body.clone());
        for (name, value) in &request.headers {
            built = built.header(*name, value);
        }
        for (name, value) in signature(request, credentials, now())? {
            built = built.header(name, value);
        }
        let built = built.build().map_err(|error| CloudError::internal("a request to AWS", error.without_url()))?;
        let answer = self.wire.send(built).await.map_err(lost)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = clouds_wire::read(answer).await?;
        if !status.is_success() {
            return Err(refused(status, &headers, &body));
        }
        let etag = headers.get(header::ETAG).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        Ok(Answer { etag, body: body.into() })
    }
}
