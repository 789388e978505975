//! Signatures of requests: version 4, and version 4A where a service has no region.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningParams, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::{v4, v4a};
use clouds_contract::CloudError;
use domain::time::now;
use http::{HeaderName, HeaderValue};

use crate::request::{Realm, Request};

/// Header with the digest of what is sent.
const DIGEST: &str = "x-amz-content-sha256";

/// Headers that a signed request has to carry besides its own.
pub(crate) fn signature(request: &Request, credentials: &Credentials) -> Result<Vec<(HeaderName, HeaderValue)>, CloudError> {
    let failed =
        |error: Box<dyn std::error::Error + Send + Sync>| CloudError::internal("a request to AWS could not be signed", error);
    let identity = credentials.clone().into();
    let (mut settings, time) = (SigningSettings::default(), SystemTime::from(now()));
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    if request.service == "s3" {
        // S3 takes paths as they are written ("Create a signed AWS API request", canonical URI).
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    let params: SigningParams<'_> = match &request.realm {
        Realm::Region(region) => {
            let builder = v4::SigningParams::builder().identity(&identity).region(region).name(request.service);
            builder.time(time).settings(settings).build().map_err(|error| failed(error.into()))?.into()
        }
        Realm::Global => {
            let builder = v4a::SigningParams::builder().identity(&identity).region_set("*").name(request.service);
            builder.time(time).settings(settings).build().map_err(|error| failed(error.into()))?.into()
        }
    };
    let headers = request.headers.iter().map(|(name, value)| (*name, value.as_str()));
    let body = SignableBody::Precomputed(request.digest());
    let signable = SignableRequest::new(request.method.as_str(), request.url.as_str(), headers, body);
    let signable = signable.map_err(|error| failed(error.into()))?;
    let (instructions, _) = sign(signable, &params).map_err(|error| failed(error.into()))?.into_parts();
    let mut given = vec![];
    for header in instructions.into_parts().0 {
        let mut value = HeaderValue::from_str(header.value()).map_err(|error| failed(error.into()))?;
        value.set_sensitive(header.sensitive() || header.name() == "authorization");
        given.push((HeaderName::from_static(header.name()), value));
    }
    if !given.iter().any(|(name, _)| name == DIGEST) {
        let digest = HeaderValue::from_str(&request.digest()).map_err(|error| failed(error.into()))?;
        given.push((HeaderName::from_static(DIGEST), digest));
    }
    Ok(given)
}
