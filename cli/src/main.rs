//! The `mikrocloud` binary: server roles and the client commands.

#[macro_use]
mod standard_output;

mod arguments;
mod client;
mod commands;
mod doctor;
mod health;
mod parsing;

use std::process::ExitCode;

use crate::arguments::{Arguments, Command};
use crate::client::credentials::Credentials;
use server::Failure;

fn main() -> ExitCode {
    let arguments = match parsing::parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors and go to stdout.
            let wrong = error.use_stderr();
            if wrong && std::env::args_os().any(|argument| argument == "--json") {
                Failure::usage(error.to_string().trim_start_matches("error: ").trim_end()).print(true);
            } else {
                let _ = error.print();
            }
            return ExitCode::from(if wrong { server::failure::USAGE } else { 0 });
        }
    };
    // One provider of TLS in the whole program; a second call would only say that it is installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let json = arguments.command.wants_json();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print(json);
            ExitCode::from(failure.exit)
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from)?;
    let outcome = runtime.block_on(async {
        match arguments.command {
            Command::Up(options) => server::up(*options, Credentials::keep).await,
            Command::Migrate(options) => server::migrate(options).await,
            Command::Api(options) => server::api(*options).await,
            Command::Worker(options) => server::worker(options).await,
            Command::Edge(options) => server::edge(options).await,
            Command::Sandbox(options) => server::sandbox(options).await,
            Command::Backup(options) => server::backup(options.backup, options.output.json).await,
            Command::Restore(options) => server::restore(options.restore, options.output.json).await,
            Command::Doctor(options) => doctor::run(options).await,
            Command::Health(options) => health::run(options).await,
            Command::Completion { shell } => {
                commands::completion(shell);
                Ok(())
            }
            command => commands::run(command).await,
        }
    });
    // A blocked read of standard input must not keep the program from ending.
    runtime.shutdown_background();
    outcome
}
