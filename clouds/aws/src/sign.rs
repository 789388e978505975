//! Signatures of requests: version 4, and version 4A where a service has no region.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningParams, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::{v4, v4a};
use clouds_contract::CloudError;
use domain::time::Timestamp;
use http::{HeaderName, HeaderValue};

use crate::request::{Realm, Request};

/// Header with the digest of what is sent.
const DIGEST: &str = "x-amz-content-sha256";

/// Headers that a request signed at a moment has to carry besides its own.
pub(crate) fn signature(
    request: &Request,
    credentials: &Credentials,
    at: Timestamp,
) -> Result<Vec<(HeaderName, HeaderValue)>, CloudError> {
    let failed =
        |error: Box<dyn std::error::Error + Send + Sync>| CloudError::internal("a request to AWS could not be signed", error);
    let identity = credentials.clone().into();
    let (mut settings, time) = (SigningSettings::default(), SystemTime::from(at));
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

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::operations::{BUCKET_POLICY_GET, KEY_GET, OBJECT_PUT};

    fn signed(mut request: Request) -> String {
        // The examples are written for an address without a region.
        if request.service == "s3" {
            request.url.set_host(Some("examplebucket.s3.amazonaws.com")).unwrap();
        }
        let credentials =
            Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None, None, "test");
        let headers = signature(&request, &credentials, "2013-05-24T00:00:00Z".parse().unwrap()).unwrap();
        let (_, value) = headers.iter().find(|(name, _)| name == "authorization").unwrap();
        assert!(value.is_sensitive());
        value.to_str().unwrap().to_owned()
    }

    /// Examples of "Signature Calculations for the Authorization Header" (API reference of S3).
    #[test]
    fn signatures_are_those_of_the_documentation() {
        let place = ("us-east-1", "examplebucket");
        let get = Request::s3(BUCKET_POLICY_GET, Method::GET, place, "test.txt", &[]).unwrap().with_header("range", "bytes=0-9");
        let setting = Request::s3(BUCKET_POLICY_GET, Method::GET, place, "", &[("lifecycle", "")]).unwrap();
        let list = Request::s3(BUCKET_POLICY_GET, Method::GET, place, "", &[("max-keys", "2"), ("prefix", "J")]).unwrap();
        let put = Request::s3(OBJECT_PUT, Method::PUT, place, "test$file.text", &[]).unwrap();
        let put =
            put.with_header("date", "Fri, 24 May 2013 00:00:00 GMT").with_header("x-amz-storage-class", "REDUCED_REDUNDANCY");
        let table = [
            (get, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
            (setting, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            (list, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
            (put.with_body("Welcome to Amazon S3."), "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        ];
        for (request, expected) in table {
            let url = request.url.clone();
            assert!(signed(request).ends_with(expected), "{url}");
        }
    }

    #[test]
    fn key_values_are_signed_for_all_regions() {
        let store = "arn:aws:cloudfront::123456789012:key-value-store/a";
        let found = signed(Request::keys(KEY_GET, "123456789012", store, Method::GET, Some("host")).unwrap());
        let scope = "AWS4-ECDSA-P256-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/cloudfront-keyvaluestore/aws4_request";
        assert!(found.starts_with(scope) && found.contains("x-amz-region-set"), "{found}");
    }
}
