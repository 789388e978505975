//! `mikrocloud health`: what a container engine asks a process on the same machine, without another program in the image.

use std::time::Duration;

use anyhow::Context;
use url::Url;

use crate::arguments::HealthOptions;
use server::Failure;

/// Longer than the server itself waits for what it depends on.
const PATIENCE: Duration = Duration::from_secs(6);

/// Fails unless the process at the address can work.
pub async fn run(options: HealthOptions) -> Result<(), Failure> {
    let url = ready_url(&options.url)?;
    // It is the same machine: no proxy stands in between, and no authorities are needed, which an image may be without.
    let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().tls_certs_only([]).build();
    let client = client.context("no HTTP client can be made")?;
    let unhealthy = |reason: String| Failure::failed("UNHEALTHY", format!("{url}: {reason}"));
    let response =
        client.get(url.clone()).send().await.map_err(|error| unhealthy(format!("{:#}", anyhow::Error::from(error))))?;
    let status = response.status();
    let body = response.text().await.unwrap_or_default();
    if !status.is_success() {
        return Err(unhealthy(format!("{status} {}", body.trim())));
    }
    println!("{}", body.trim());
    Ok(())
}

fn ready_url(url: &Url) -> Result<Url, Failure> {
    url.join("/readyz").map_err(|error| Failure::usage(format!("`{url}` has no paths: {error}. Give it as http://HOST:PORT")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_is_asked_for_at_the_root() {
        let asked = |text: &str| ready_url(&text.parse().unwrap()).map(|url| url.to_string()).ok();
        assert_eq!(asked("http://127.0.0.1:8080").as_deref(), Some("http://127.0.0.1:8080/readyz"));
        assert_eq!(asked("http://127.0.0.1:8082/healthz").as_deref(), Some("http://127.0.0.1:8082/readyz"));
        assert_eq!(asked("mailto:somebody"), None);
    }
}
