//! Throughput of static files at the edge, against nginx with the same files.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::client;
use crate::load::{Target, compare};
use crate::nginx::Nginx;
use crate::report::{Goal, Report};
use crate::server::Mikrocloud;

const PROJECT: &str = "bench-files";

/// Serves a page and a file of 1 MiB from both.
pub async fn measure(server: &Mikrocloud, report: &mut Report) -> Result<()> {
    let directory = tempfile::tempdir()?;
    write_site(directory.path())?;
    server.deploy(directory.path().to_str().context("a path in UTF-8")?, PROJECT)?;
    let nginx = Nginx::start(directory.path()).await?;
    let host = format!("{PROJECT}.localhost");
    for (what, path) in [("static page of 2 KiB", "/"), ("static file of 1 MiB", "/large.bin")] {
        let (our_url, their_url) = (format!("{}{path}", server.url()), format!("{}{path}", nginx.url()));
        let same = client::get(&our_url, &host).await? == client::get(&their_url, "localhost").await?;
        ensure!(same, "the edge and nginx answer {path} differently");
        let ours = Target { url: &our_url, host: Some(&host), script: None };
        let theirs = Target { url: &their_url, host: None, script: None };
        let (ours, theirs) = compare(&ours, &theirs)?;
        report.add(what, format!("{ours:.0}/s"), format!("nginx: {theirs:.0}/s"), ours / theirs, Goal::AtLeast(0.7));
    }
    Ok(())
}

fn write_site(directory: &Path) -> Result<()> {
    std::fs::write(directory.join("index.html"), format!("<!doctype html><title>bench</title>{}", "<p>words".repeat(256)))?;
    // Without repetition, so that no side can gain by compressing it.
    let mut state: u32 = 1;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(1 << 20)
    .collect();
    std::fs::write(directory.join("large.bin"), noise)?;
    Ok(())
}
