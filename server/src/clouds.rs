//! Clouds of vendors that this program knows, and what its operator allows of them.

use std::sync::Arc;

use clap::Args;
use clouds_contract::Vendor;
use services::{CloudSettings, Settings};
use url::Url;

/// Clouds that the operator allows.
#[derive(Debug, Clone, Args)]
pub struct CloudOptions {
    /// Address of a simulated cloud, such as <http://127.0.0.1:8090>, that teams may connect accounts at; may be given more than once
    #[arg(
        long = "allow-cloud-endpoint",
        env = "MIKROCLOUD_ALLOW_CLOUD_ENDPOINT",
        value_name = "URL",
        value_delimiter = ',',
        value_parser = endpoint
    )]
    pub(crate) endpoints: Vec<Url>,
}

impl CloudOptions {
    /// The same with simulated clouds at one more address.
    pub fn with_endpoint(mut self, url: &str) -> Self {
        self.endpoints.extend(Url::parse(url).ok());
        self
    }

    /// Settings with the vendors of this program and these addresses.
    pub fn apply(&self, settings: Settings) -> Settings {
        let endpoints = self.endpoints.iter().map(|url| url.as_str().trim_end_matches('/').to_owned()).collect();
        Settings { clouds: CloudSettings { vendors: vendors(), endpoints }, ..settings }
    }
}

/// Vendors that this program was built with.
fn vendors() -> Vec<Arc<dyn Vendor>> {
    vec![
        #[cfg(feature = "aws")]
        Arc::new(clouds_aws::Aws::new()),
        #[cfg(feature = "azure")]
        Arc::new(clouds_azure::Azure::new()),
        #[cfg(feature = "gcp")]
        Arc::new(clouds_gcp::Gcp::new()),
    ]
}

/// The role that MikroCloud needs in an account of a cloud, with the commands that set it up; `None` for a cloud that this program was not
/// built with.
pub fn policy(cloud: &str) -> Option<String> {
    match cloud {
        #[cfg(feature = "aws")]
        "aws" => Some(clouds_aws::policy()),
        #[cfg(feature = "azure")]
        "azure" => Some(clouds_azure::policy()),
        #[cfg(feature = "gcp")]
        "gcp" => Some(clouds_gcp::policy()),
        _ => None,
    }
}

fn endpoint(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}: give it as http://HOST:PORT"))?;
    let is_origin = matches!(url.scheme(), "http" | "https") && url.host().is_some() && matches!(url.path(), "" | "/");
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if is_origin && is_plain {
        Ok(url)
    } else {
        Err("give scheme, host and port alone, such as http://127.0.0.1:8090".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_origin() {
        assert_eq!(endpoint("http://127.0.0.1:8090/").unwrap().as_str(), "http://127.0.0.1:8090/");
        for bad in ["127.0.0.1:8090", "ftp://cloud.example.org", "http://cloud.example.org/path", "http://me@cloud.example.org"] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
    }
}
