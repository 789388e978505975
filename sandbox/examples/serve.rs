//! Runs a sandbox until it is interrupted: `cargo run -p sandbox --example serve -- 127.0.0.1:8090 [DATA] [RECORD]`.

use std::path::PathBuf;

use sandbox::{NOT_SIMULATED, Settings};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let listen = arguments.next().as_deref().unwrap_or("127.0.0.1:8090").parse()?;
    let settings = Settings {
        data: arguments.next().map(PathBuf::from),
        record: arguments.next().map(PathBuf::from),
        ..Settings::new(listen)
    };
    let cancel = CancellationToken::new();
    let interrupted = cancel.clone();
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        interrupted.cancel();
    });
    let started = |sandbox: &sandbox::Sandbox| {
        println!("{}\nNever simulated:", sandbox.url());
        for what in NOT_SIMULATED {
            println!("- {what}");
        }
    };
    Ok(sandbox::run(settings, cancel, started).await?)
}
