//! Opening an object store by its address. Credentials come from the vendors' own environment variables.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{BackoffConfig, ObjectStore, ObjectStoreScheme, RetryConfig};
use url::Url;

use crate::ObjectError;

/// Accepted forms of an address.
const FORMS: &str = "give s3://bucket/prefix, az://container/prefix, gs://bucket/prefix or file:///directory";

/// Returns the retry settings of one request: they are short, as jobs and people retry themselves.
fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(2), base: 2. },
        max_retries: 4,
        retry_timeout: Duration::from_mins(1),
    }
}

/// An address as people write it.
pub fn parse_address(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|error| format!("{error}: {FORMS}"))?;
    match (url.scheme(), url.host_str().unwrap_or_default()) {
        ("file", "") => Ok(url),
        ("file", _) => Err("a directory is written with three slashes, as in file:///var/lib/mikrocloud/objects".to_owned()),
        ("s3" | "s3a" | "az" | "azure" | "gs", "") => Err(format!("it names no bucket: {FORMS}")),
        ("s3" | "s3a" | "az" | "azure" | "gs", _) => Ok(url),
        (scheme, _) => Err(format!("`{scheme}` is no kind of object store: {FORMS}")),
    }
}

/// The store at an address, and the name below which everything is kept there.
pub(crate) fn open(url: &Url, env: &[(impl AsRef<str>, String)]) -> Result<(Arc<dyn ObjectStore>, Key), ObjectError> {
    parse_address(url.as_str()).map_err(ObjectError::Address)?;
    let unusable = |error: object_store::Error, remedy: &str| ObjectError::Address(format!("{error}: {remedy}"));
    let (scheme, prefix) = ObjectStoreScheme::parse(url).map_err(|error| ObjectError::Address(format!("{error}: {FORMS}")))?;
    let address = url.as_str();
    let store: Arc<dyn ObjectStore> = match scheme {
        ObjectStoreScheme::Local => Arc::new(LocalFileSystem::new().with_fsync(true)),
        ObjectStoreScheme::AmazonS3 => {
            let builder = configured(AmazonS3Builder::new(), env, "AWS_", |builder, name, value| {
                Some(builder.with_config(name.parse().ok()?, value))
            });
            let built = builder.with_url(address).with_retry(retry()).build();
            Arc::new(built.map_err(|error| unusable(error, remedy(url)))?)
        }
        ObjectStoreScheme::MicrosoftAzure => {
            let builder = configured(MicrosoftAzureBuilder::new(), env, "AZURE_", |builder, name, value| {
                Some(builder.with_config(name.parse().ok()?, value))
            });
            let built = builder.with_url(address).with_retry(retry()).build();
            Arc::new(built.map_err(|error| unusable(error, remedy(url)))?)
        }
        ObjectStoreScheme::GoogleCloudStorage => {
            let builder = configured(GoogleCloudStorageBuilder::new(), env, "GOOGLE_", |builder, name, value| {
                Some(builder.with_config(name.parse().ok()?, value))
            });
            let built = builder.with_url(address).with_retry(retry()).build();
            Arc::new(built.map_err(|error| unusable(error, remedy(url)))?)
        }
        _ => return Err(ObjectError::Address(FORMS.to_owned())),
    };
    Ok((store, prefix))
}

/// A builder with what the environment says. Variables that the vendor's do not know are other programs'.
fn configured<B: Clone>(
    builder: B,
    env: &[(impl AsRef<str>, String)],
    prefix: &str,
    with: impl Fn(B, &str, &str) -> Option<B>,
) -> B {
    env.iter().filter(|(name, _)| name.as_ref().starts_with(prefix)).fold(builder, |builder, (name, value)| {
        with(builder.clone(), &name.as_ref().to_ascii_lowercase(), value).unwrap_or(builder)
    })
}

/// Returns the remedy for a store that cannot be reached or refuses.
pub(crate) fn remedy(url: &Url) -> &'static str {
    match url.scheme() {
        "s3" | "s3a" => {
            "check that the bucket is there, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or the role of the machine), AWS_REGION, and \
             AWS_ENDPOINT when it is not Amazon's (with AWS_ALLOW_HTTP=true for http)"
        }
        "az" | "azure" => {
            "check that the container is there, AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY (or the identity of the machine)"
        }
        "gs" => {
            "check that the bucket is there, and GOOGLE_SERVICE_ACCOUNT, the file with the key of a service account (or the identity of \
             the machine)"
        }
        _ => "check that the directory is there and may be written",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str) -> String {
        let opened =
            parse_address(address).map_err(ObjectError::Address).and_then(|url| open(&url, &[("", String::new())]).map(drop));
        opened.unwrap_err().to_string()
    }

    #[test]
    fn an_address_that_is_none_is_refused_with_what_to_write() {
        for address in ["", "bucket", "http://host/x", "ftp://bucket", "s3:", "s3://", "az:///x", "gs://"] {
            let said = refused(address);
            assert!(said.contains("s3://bucket/prefix") && said.contains("file:///directory"), "{address}: {said}");
        }
        assert!(refused("file://relative/path").contains("three slashes"));
    }

    #[test]
    fn a_store_whose_account_is_not_said_names_the_variable() {
        let said = refused("az://container");
        assert!(said.contains("AZURE_STORAGE_ACCOUNT_NAME"), "{said}");
    }

    #[test]
    fn variables_of_other_programs_are_left_alone() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let env = [("TOKEN", "x"), ("AWS_ENDPOINT", "http://127.0.0.1:1"), ("AWS_PAGER", "less")];
        let env = env.map(|(name, value)| (name, value.to_owned()));
        let (store, prefix) = open(&"s3://bucket/a/b".parse().unwrap(), &env).unwrap();
        assert!(!format!("{store:?}").contains("\"x\"") && prefix.as_ref() == "a/b", "{store:?}");
    }
}
