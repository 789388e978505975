//! Clouds of vendors, and the team's accounts there.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::arguments::Output;

#[derive(Debug, Args)]
pub struct CloudsOptions {
    #[command(subcommand)]
    pub command: Option<CloudsCommand>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum CloudsCommand {
    /// List the team's accounts
    List,
    /// List the regions of each cloud, by the name that is the same on all
    Regions,
    /// Show what each cloud can do, and what costs there while nobody visits
    Capabilities,
    /// Connect an account; its secret is read from standard input, a file or the environment
    #[command(subcommand)]
    Connect(ConnectCommand),
    /// Show an account: its permissions, what is shared in it, everything that exists in it because of us
    Show {
        /// Its name, such as main or gcp:main
        account: String,
    },
    /// Print the role that MikroCloud needs in an account: exactly what it uses, and the commands that set it up
    Policy {
        /// The cloud: aws, azure or gcp
        cloud: String,
    },
    /// Look at an account now: who we are in it, and what we may do
    Verify {
        /// Its name, such as main or gcp:main
        account: String,
    },
    /// Give an account another credential or region, or make it the default
    Update {
        /// Its name, such as main or gcp:main
        account: String,
        #[command(flatten)]
        credential: NewCredential,
        /// Region of deployments that name none, such as eu-west
        #[arg(long)]
        region: Option<String>,
        /// Make it the one that is meant where a deployment names the cloud alone
        #[arg(long)]
        default: bool,
    },
    /// Disconnect an account in which nothing of ours is left; its credential is deleted
    Disconnect {
        /// Its name, such as main or gcp:main
        account: String,
    },
}

/// Another credential, in the form of the account's cloud.
#[derive(Debug, Args)]
pub struct NewCredential {
    /// Google Cloud: the new service account key; `-` reads it from standard input
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Azure: the tenant of the new client secret
    #[arg(long, requires = "client")]
    pub tenant: Option<String>,
    /// Azure: the application whose new secret is in `AZURE_CLIENT_SECRET` or on standard input
    #[arg(long, requires = "tenant")]
    pub client: Option<String>,
    /// AWS: the id of the new access key, whose secret is in `AWS_SECRET_ACCESS_KEY` or on standard input
    #[arg(long, value_name = "ID")]
    pub access_key: Option<String>,
    /// AWS: the role that the key assumes
    #[arg(long, value_name = "ARN", requires_all = ["access_key", "external_id"])]
    pub role_arn: Option<String>,
    /// AWS: the external id that the role asks for
    #[arg(long, value_name = "ID", requires = "role_arn")]
    pub external_id: Option<String>,
}

/// Cloud of the account to connect.
#[derive(Debug, Subcommand)]
pub enum ConnectCommand {
    /// An account of Amazon Web Services, by an access key; its secret is in `AWS_SECRET_ACCESS_KEY` or on standard input
    Aws {
        /// The account's number
        #[arg(long, value_name = "NUMBER", required_unless_present = "sandbox")]
        account: Option<String>,
        /// The id of the access key
        #[arg(long, value_name = "ID", required_unless_present = "sandbox")]
        access_key: Option<String>,
        /// The role that the key assumes
        #[arg(long, value_name = "ARN", requires = "external_id")]
        role_arn: Option<String>,
        /// The external id that the role asks for
        #[arg(long, value_name = "ID", requires = "role_arn")]
        external_id: Option<String>,
        #[command(flatten)]
        place: ConnectPlace,
    },
    /// A subscription of Azure, by an application's secret, which is in `AZURE_CLIENT_SECRET` or on standard input
    Azure {
        /// The subscription's id
        #[arg(long, required_unless_present = "sandbox")]
        subscription: Option<String>,
        /// The directory's (tenant's) id
        #[arg(long, required_unless_present = "sandbox")]
        tenant: Option<String>,
        /// The application's (client's) id
        #[arg(long, required_unless_present = "sandbox")]
        client: Option<String>,
        #[command(flatten)]
        place: ConnectPlace,
    },
    /// A project of Google Cloud, by a service account key
    Gcp {
        /// The file that Google made; `-` reads it from standard input
        #[arg(long, value_name = "FILE", required_unless_present = "sandbox")]
        key_file: Option<PathBuf>,
        /// The project's id; the key's own when left out
        #[arg(long)]
        project: Option<String>,
        #[command(flatten)]
        place: ConnectPlace,
    },
}

#[derive(Debug, Args)]
pub struct ConnectPlace {
    /// Its name among the team's accounts of this cloud
    #[arg(long, default_value = "main")]
    pub name: String,
    /// Region of deployments that name none, such as eu-west
    #[arg(long)]
    pub region: Option<String>,
    /// Address of a simulated cloud, which gives a credential if none is given; whoever runs the server has to allow it
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "http://127.0.0.1:8090")]
    pub sandbox: Option<String>,
}
