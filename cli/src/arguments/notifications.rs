//! Notifications.

use clap::{Args, Subcommand, ValueEnum};
use domain::time::Timestamp;

use crate::arguments::Output;
use crate::arguments::audit::moment;

#[derive(Debug, Args)]
pub struct NotificationsOptions {
    #[command(subcommand)]
    pub command: Option<NotificationsCommand>,
    /// The project; all the team has when left out
    #[arg(long, short = 'p', global = true)]
    pub project: Option<String>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum NotificationsCommand {
    /// List the channels that you may change
    List,
    /// Add a channel
    #[command(subcommand)]
    Add(AddChannel),
    /// Show a channel
    Show {
        /// Its name or id
        channel: String,
    },
    /// Change a channel
    Update {
        /// Its name or id
        channel: String,
        /// Its new name
        #[arg(long)]
        name: Option<String>,
        /// Events it is notified of, in place of the present ones; may be given more than once
        #[arg(long = "event", value_name = "EVENT")]
        events: Vec<String>,
        /// URL that messages are sent to; `-` reads it from standard input
        #[arg(long)]
        url: Option<String>,
        /// A member that is written to, in place of those of now; may be given more than once
        #[arg(long = "address", value_name = "ADDRESS")]
        addresses: Vec<String>,
    },
    /// Give a channel a text of its own for an event, or take it back
    Template {
        /// The channel's name or id
        channel: String,
        /// The event, such as deployment.live
        event: String,
        /// One line, with placeholders such as {{ project.name }}
        #[arg(long, required_unless_present = "reset")]
        title: Option<String>,
        /// The text below it, with placeholders; `-` reads it from standard input
        #[arg(long, default_value = "")]
        body: String,
        /// Back to MikroCloud's own text
        #[arg(long, conflicts_with_all = ["title", "body"])]
        reset: bool,
    },
    /// Show what people would read of an event, with sample data
    Preview {
        /// The event, such as deployment.live
        event: String,
        /// One line, with placeholders; MikroCloud's own text when left out
        #[arg(long)]
        title: Option<String>,
        /// The text below it
        #[arg(long, requires = "title")]
        body: Option<String>,
    },
    /// Enable a channel
    Enable {
        /// Its name or id
        channel: String,
    },
    /// Disable a channel; what waits for it is given up
    Disable {
        /// Its name or id
        channel: String,
    },
    /// Delete a channel with all that was sent to it
    Delete {
        /// Its name or id
        channel: String,
    },
    /// Send something to a channel, and wait for what comes of it
    Test {
        /// Its name or id
        channel: String,
    },
    /// List what was sent to a channel, the latest first
    Deliveries {
        /// Its name or id
        channel: String,
        /// Only those in this state
        #[arg(long, value_enum)]
        state: Option<DeliveryState>,
        /// Start time of the events to resend: RFC 3339, or a day as YYYY-MM-DD (UTC)
        #[arg(long, value_parser = moment, value_name = "TIME")]
        since: Option<Timestamp>,
        /// Number of items to show
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
    },
    /// Show what was sent, with each attempt
    Delivery {
        /// Its id, as `notifications deliveries` lists it
        delivery: String,
    },
    /// Send once more, with the same id: one notification, or all of a channel that failed since a moment
    Replay {
        /// The id of a notification; or, with --since, the name or id of a channel
        what: String,
        /// All that failed of what happened since: RFC 3339, or a day as YYYY-MM-DD (UTC)
        #[arg(long, value_parser = moment, value_name = "TIME")]
        since: Option<Timestamp>,
    },
    /// Give a webhook another secret; that of before is good for 24 hours more
    RotateSecret {
        /// Its name or id
        channel: String,
    },
}

/// Kind of the channel to add.
#[derive(Debug, Subcommand)]
pub enum AddChannel {
    /// A program that takes signed messages by the Standard Webhooks scheme
    Webhook(Address),
    /// An incoming webhook of Slack
    Slack(Address),
    /// A webhook of Discord
    Discord(Address),
    /// Members of the team, by e-mail
    Email {
        /// Its name
        name: String,
        /// The members that are written to
        #[arg(required = true)]
        addresses: Vec<String>,
        #[command(flatten)]
        events: Events,
    },
}

#[derive(Debug, Args)]
pub struct Address {
    /// Its name
    pub name: String,
    /// URL that messages are sent to; `-` reads it from standard input, hidden from other users of this machine
    pub url: String,
    #[command(flatten)]
    pub events: Events,
}

#[derive(Debug, Args)]
pub struct Events {
    /// Events it is notified of; may be given more than once. All but deployment.queued if omitted
    #[arg(long = "event", value_name = "EVENT")]
    pub events: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeliveryState {
    Pending,
    Delivered,
    Failed,
}

impl DeliveryState {
    /// As the API names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Delivered => "DELIVERED",
            Self::Failed => "FAILED",
        }
    }
}
