//! Costs and prices.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::arguments::Output;

#[derive(Debug, Args)]
pub struct CostsOptions {
    #[command(subcommand)]
    pub command: CostsCommand,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum CostsCommand {
    /// Compare what a workload would cost a month at each place, by the built-in prices
    Compare {
        /// JSON file that says what the workload needs, without a server; `-` for standard input
        #[arg(long, required = true, value_name = "PROFILE")]
        offline: PathBuf,
        /// Deduct what accounts have free each month
        #[arg(long)]
        free_tiers: bool,
        /// Compare all regions, whichever the profile names
        #[arg(long)]
        anywhere: bool,
    },
    /// Show the built-in prices
    Prices {
        #[command(subcommand)]
        command: Option<PricesCommand>,
    },
}

#[derive(Debug, Subcommand)]
pub enum PricesCommand {
    /// Show what something costs everywhere, with source and date
    Show {
        /// Key such as `aws.fargate.vcpu_hour`, or a part of one to list keys
        key: String,
    },
    /// Check the built-in price books, or files of one's own
    Check {
        /// Price books
        files: Vec<PathBuf>,
    },
}
