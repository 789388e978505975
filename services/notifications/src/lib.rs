#![doc = include_str!("../README.md")]

mod accounts;
mod address;
mod channels;
mod chat;
mod delivery;
mod input;
mod letters;
mod mail;
mod message;
mod payload;
mod replay;
mod services;
mod signature;
mod template;

pub use channels::{ChannelChange, NewChannel, TemplateInput};
pub use letters::{Inviter, Link};
pub use mail::Mailer;
pub use replay::Replay;
pub use services::{NotificationServices, NotificationSettings};
pub use template::Preview;

use domain::access::{Actor, Permission, Target};
use domain::id::ProjectId;
use services_core::{Result, handle, require, require_on};

handle! {
    /// Notification channels and their templates.
    channels: Channels over NotificationServices
}
handle! {
    /// Deliveries to channels: attempts, retries, replays.
    deliveries: Deliveries over NotificationServices
}
handle! {
    /// Mail with links, and mail about accounts.
    letters: Letters over NotificationServices
}

/// Checks that an actor may see and change the channels of a project, or of the whole team: addresses are half secrets, and what is told there
/// is what the actor could read. Who may not sees no such `noun`.
fn require_channels(actor: &Actor, project: Option<ProjectId>, noun: &'static str) -> Result<()> {
    let target = project.map_or(Target::Team, Target::Project);
    require_on(actor, Permission::ProjectWrite, target, noun)?;
    require_on(actor, Permission::ProjectRead, target, noun)
}

/// The same for a channel that is to be made; the team itself is no secret.
fn require_new_channel(actor: &Actor, project: Option<ProjectId>) -> Result<()> {
    if project.is_some() {
        return require_channels(actor, project, "project");
    }
    require(actor, Permission::ProjectWrite)?;
    require(actor, Permission::ProjectRead)
}
