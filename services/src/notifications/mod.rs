//! Notifications: teams are told outside MikroCloud of what happens (docs/adr/0018). What is told is written in the transaction in which it
//! happens, and a job of its own takes each to its receiver.

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
mod signature;
mod template;

pub use channels::{ChannelChange, NewChannel, TemplateInput};
pub use mail::Mailer;
pub use replay::Replay;
pub use template::Preview;

pub(crate) use letters::{Inviter, Link};

use domain::access::{Actor, Permission, Target};
use domain::id::ProjectId;

use crate::{Result, handle, require, require_on};

handle! {
    /// Notification channels and their templates.
    channels: Channels
}
handle! {
    /// Deliveries to channels: attempts, retries, replays.
    deliveries: Deliveries
}
handle! {
    /// Mail with links, and mail about accounts.
    letters: Letters
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
