//! Clouds of vendors, against simulated ones: accounts, and deployments to them.

mod accounts;
mod azure;
mod google;
