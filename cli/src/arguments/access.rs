//! Who may do what.

use clap::{Args, Subcommand};

use super::{Output, RotateOptions};

#[derive(Debug, Args)]
pub struct DecisionOptions {
    /// The deployment
    pub deployment: String,
    /// Why
    #[arg(long)]
    pub reason: Option<String>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct MembersOptions {
    #[command(subcommand)]
    pub command: Option<MembersCommand>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum MembersCommand {
    /// List the members with their roles and grants
    List,
    /// Add somebody, and print the link with which they sign in once, or join if they have an account already
    Add {
        /// The address they sign in with
        email: String,
        /// Their role: owner, admin, developer, viewer, or one that the team made
        #[arg(long)]
        role: String,
        /// The name shown to others
        #[arg(long)]
        name: Option<String>,
    },
    /// List the invitations that nobody answered yet
    Invitations,
    /// Take an invitation back
    RevokeInvitation {
        /// Its id, as `members invitations` lists it
        invitation: String,
    },
    /// Add a service account, which acts by API keys and never does more than you
    AddServiceAccount {
        /// What it is for
        name: String,
        /// Its role: admin, developer, viewer, or one that the team made
        #[arg(long)]
        role: String,
    },
    /// Give a member another role in the team
    SetRole {
        /// Address, name or id
        member: String,
        /// The role
        role: String,
    },
    /// Give a member a role on a project, or on one of its environments
    Grant {
        /// Address, name or id
        member: String,
        /// The role
        role: String,
        /// The project's name
        #[arg(long, short = 'p')]
        project: String,
        /// The environment; all of the project when left out
        #[arg(long, short = 'e')]
        environment: Option<String>,
    },
    /// Take a grant back
    Revoke {
        /// The grant's id, as `members list` shows it
        grant: String,
    },
    /// Take somebody out of the team
    Remove {
        /// Address, name or id
        member: String,
    },
}

#[derive(Debug, Args)]
pub struct TeamsOptions {
    #[command(subcommand)]
    pub command: Option<TeamsCommand>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum TeamsCommand {
    /// List the teams that you are in
    List {
        /// All teams there are; for who runs the server
        #[arg(long)]
        all: bool,
    },
    /// Make a team, which you own; for who runs the server
    Create {
        /// Its name
        name: String,
    },
    /// Give the team that you work in another name
    Rename {
        /// The new name
        name: String,
    },
}

#[derive(Debug, Args)]
pub struct RolesOptions {
    #[command(subcommand)]
    pub command: Option<RolesCommand>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum RolesCommand {
    /// List the roles with their permissions
    List,
    /// Make a role from permissions that you have yourself
    Create {
        /// Its name
        name: String,
        /// What it includes, such as deployment-write; nothing when left out
        permissions: Vec<String>,
    },
    /// Change a role for all who have it
    Update {
        /// Its name
        name: String,
        /// What it includes from now on
        permissions: Vec<String>,
        /// Give it another name
        #[arg(long)]
        rename: Option<String>,
    },
    /// Delete a role that nobody has
    Delete {
        /// Its name
        name: String,
    },
}

#[derive(Debug, Args)]
pub struct KeysOptions {
    #[command(subcommand)]
    pub command: Option<KeysCommand>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// List the API keys
    List,
    /// Make a key and print it, this once
    Create {
        /// What it is for
        name: String,
        /// What it may do, such as deployment-write; all that you may when left out
        #[arg(long = "scope", value_name = "PERMISSION")]
        scopes: Option<Vec<String>>,
        /// The service account of yours that it is for: name or id
        #[arg(long, value_name = "ACCOUNT")]
        service_account: Option<String>,
        /// In how many days it expires; never when left out
        #[arg(long, value_name = "DAYS")]
        expires_in_days: Option<i64>,
    },
    /// Revoke a key
    Revoke {
        /// Its id, as `keys list` shows it
        key: String,
    },
    /// Replace the master key, while everything runs; on the server's own machine
    ///
    /// All secrets are sealed anew under a new key. Start it again if it is stopped: it goes on.
    Rotate(Box<RotateOptions>),
}
