#![doc = include_str!("../README.md")]

mod baseline;
mod client;
mod costs;
mod deploys;
mod files;
mod load;
mod machine;
mod memory;
mod nginx;
mod process;
mod queries;
mod queues;
mod report;
mod server;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::report::Report;
use crate::server::Mikrocloud;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let Some(first) = arguments.next() else {
        bail!("usage: bench PATH-TO-MIKROCLOUD [costs|memory|deploys|queries|crowd|files|queues]...")
    };
    if first == "baseline" || first == "tuned-baseline" {
        let file = arguments.next().context("usage: bench baseline|tuned-baseline DATABASE")?;
        return baseline::serve(PathBuf::from(file), first == "tuned-baseline").await;
    }
    if first == "queue" {
        let arguments: Vec<_> = arguments.map(|argument| argument.to_string_lossy().into_owned()).collect();
        return queues::ours::run(&arguments).await;
    }
    if first == "costs" {
        let mut report = Report::default();
        costs::measure(&mut report)?;
        println!("{}", report.render());
        return Ok(());
    }
    let chosen: Vec<_> = arguments.collect();
    let wanted = |name: &str| chosen.is_empty() || chosen.iter().any(|choice| choice == name);
    let binary = PathBuf::from(first)
        .canonicalize()
        .context("the mikrocloud binary is not there: build it with `cargo build --release -p cli`")?;

    let mut report = Report::default();
    if wanted("costs") {
        costs::measure(&mut report)?;
    }
    let server = Mikrocloud::start(&binary, &["--rate-limit", "0"]).await?;
    server.create_projects(100).await?;
    if wanted("memory") {
        memory::measure(&server, &mut report).await?;
    }
    if wanted("queries") {
        queries::measure(&server, &mut report).await?;
    }
    if wanted("deploys") {
        deploys::measure(&server, &mut report)?;
    }
    if wanted("files") {
        files::measure(&server, &mut report).await?;
    }
    server.stop()?;
    if wanted("crowd") {
        queries::measure_crowd(&binary, &mut report).await?;
    }
    if wanted("queues") {
        queues::measure(&mut report).await?;
    }
    let table = report.render();
    println!("{table}");
    if chosen.is_empty() {
        report::write_results(&table)?;
    }
    Ok(())
}
