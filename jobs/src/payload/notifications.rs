//! Jobs of notifications: what is sent to receivers, and to people.

use std::time::Duration;

use domain::id::{ChannelId, DeliveryId, LetterId, SecurityEventId};

use super::Queue;

/// Deliveries: receivers that do not answer hold their places for a while.
pub const NOTIFY: Queue = Queue { name: "notify", concurrency: 64 };

// The attempts are those of workers that die: what a receiver does not take is no failure of the job.
job! {
    /// Makes one attempt to deliver a notification; a later one has a job of its own.
    NotifyJob {
        /// Channel that it is sent to; one attempt at a time, so that a slow receiver delays no others.
        channel_id: ChannelId,
        /// Notification to deliver.
        delivery_id: DeliveryId,
    }
    kind: "notify", queue: NOTIFY, attempts: 12, timeout: Duration::from_mins(2),
    subject: delivery_id,
    exclusion: "notify" of channel_id,
}

job! {
    /// Tells a user by mail, on behalf of one of their teams, what happened to their account.
    AccountMailJob {
        /// The event.
        event_id: SecurityEventId,
    }
    kind: "account_mail", queue: NOTIFY, attempts: 12, timeout: Duration::from_mins(2),
}

job! {
    /// Sends a letter of a team.
    LetterJob {
        /// The letter.
        letter_id: LetterId,
    }
    kind: "letter", queue: NOTIFY, attempts: 12, timeout: Duration::from_mins(2),
    subject: letter_id,
}
