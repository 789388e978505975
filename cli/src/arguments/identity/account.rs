//! One's own account.

use clap::{Args, Subcommand};

use crate::arguments::Output;

#[derive(Debug, Args)]
pub struct AccountOptions {
    #[command(subcommand)]
    pub command: Option<AccountCommand>,
    /// The address to sign in with; that of the credential when left out
    #[arg(long, global = true)]
    pub email: Option<String>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Show the sessions, the second factor, and what happened to the account
    Show,
    /// Set another password, and end all other sessions
    Password,
    /// Ask for a code at each sign-in, or no longer
    SecondFactor {
        #[command(subcommand)]
        command: SecondFactorCommand,
    },
    /// End one of the sessions
    RevokeSession {
        /// Its id, as `account show` lists it
        session: String,
    },
    /// Take back that an account of a provider signs you in
    Unlink {
        /// The provider's name, as `account show` lists it
        provider: String,
    },
    /// End all sessions and sign all command lines out, this one too
    SignOutEverywhere,
}

#[derive(Debug, Subcommand)]
pub enum SecondFactorCommand {
    /// Begin to ask for codes of an authenticator program
    Enable,
    /// Ask for codes no longer
    Disable,
    /// Replace the recovery codes
    RecoveryCodes,
}
