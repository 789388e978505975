//! Costs and prices, without a server.

mod compare;
mod prices;
mod show;

use crate::arguments::{CostsCommand, CostsOptions, PricesCommand};
use server::Failure;

/// Runs a command about costs.
pub fn run(options: &CostsOptions) -> Result<(), Failure> {
    let output = options.output;
    match &options.command {
        CostsCommand::Compare { offline, free_tiers, anywhere } => compare::run(offline, *free_tiers, *anywhere, output),
        CostsCommand::Prices { command: None } => {
            prices::list(output);
            Ok(())
        }
        CostsCommand::Prices { command: Some(PricesCommand::Show { key }) } => prices::show(key, output),
        CostsCommand::Prices { command: Some(PricesCommand::Check { files }) } => prices::check(files, output),
    }
}
