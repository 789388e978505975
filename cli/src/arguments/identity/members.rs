//! Members of the team.

use clap::{Args, Subcommand};

use crate::arguments::Output;

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
        /// Purpose of the account
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
