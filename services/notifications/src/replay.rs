//! Deliveries to a channel: list, replay, test.

use domain::access::Actor;
use domain::id::{ChannelId, DeliveryId};
use domain::notification::{Attempt, Channel, Delivery, EventType};
use domain::time::{Timestamp, now};
use serde_json::json;
use services_core::audit::{Action, AuditEntry, record};
use services_core::outbox::{enqueue_attempt, write_to};
use services_core::{Result, ServiceError};
use store::{DeliveryFilter, Page};

use super::payload;
use crate::Deliveries;

/// Number of deliveries that are replayed at once.
const AT_ONCE: i64 = 500;

/// Result of a request to replay all failed deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay {
    /// Number of deliveries that are sent again.
    pub count: i64,
    /// Indicates that there are more: repeat the request for them.
    pub has_more: bool,
}

impl Deliveries {
    /// A page of what was sent to a channel, the newest first.
    pub async fn list(
        &self,
        actor: &Actor,
        channel: ChannelId,
        filter: DeliveryFilter,
        after: Option<DeliveryId>,
        limit: i64,
    ) -> Result<Page<Delivery>> {
        let channel = self.channels().get(actor, channel).await?;
        Ok(self.store().delivery_list(actor.team_id, channel.id, filter, after, limit).await?)
    }

    /// The attempts at a delivery of a channel, the oldest first.
    pub async fn attempts(&self, actor: &Actor, channel: ChannelId, id: DeliveryId) -> Result<Vec<Attempt>> {
        Ok(self.delivery_of(actor, channel, id).await?.2)
    }

    /// A delivery of a channel, with the channel and the attempts, the oldest first.
    pub async fn delivery_of(
        &self,
        actor: &Actor,
        channel: ChannelId,
        id: DeliveryId,
    ) -> Result<(Channel, Delivery, Vec<Attempt>)> {
        let channel = self.channels().get(actor, channel).await?;
        let delivery = self.store().delivery_get(actor.team_id, id).await?.filter(|delivery| delivery.channel_id == channel.id);
        let delivery = delivery.ok_or(ServiceError::NotFound("notification"))?;
        let attempts = self.store().attempt_list(actor.team_id, delivery.id).await?;
        Ok((channel, delivery, attempts))
    }

    /// A delivery.
    pub async fn get(&self, actor: &Actor, id: DeliveryId) -> Result<Delivery> {
        services_core::require_somewhere(actor, domain::access::Permission::ProjectWrite)?;
        let missing = || ServiceError::NotFound("notification");
        let delivery = self.store().delivery_get(actor.team_id, id).await?.ok_or_else(missing)?;
        match self.channels().get(actor, delivery.channel_id).await {
            Ok(_) => Ok(delivery),
            Err(ServiceError::NotFound(_)) => Err(missing()),
            Err(error) => Err(error),
        }
    }

    /// Sends something to a channel, so that people see whether it arrives; to each of its recipients, where it has some.
    pub async fn test(&self, actor: &Actor, id: ChannelId) -> Result<Vec<Delivery>> {
        let entry = AuditEntry::new(Action::ChannelTest).on("notification_channel", id);
        let channel = self.channel_in_use(actor, id, &entry).await?;
        let mut tx = self.begin().await?;
        let data = payload::of_ping(channel.team_id, channel.id, &channel.name);
        let deliveries = write_to(&mut tx, &channel, EventType::Ping, &data).await?;
        record(&mut tx, actor, entry.named(&channel.name)).await?;
        tx.commit().await?;
        Ok(deliveries)
    }

    /// Sends a delivery that ended once more, with the same id. One that is on its way is left as it is.
    pub async fn replay(&self, actor: &Actor, id: DeliveryId) -> Result<Delivery> {
        let entry = AuditEntry::new(Action::ChannelReplay);
        let found = self.get(actor, id).await;
        let delivery = self.audit_denial(actor, &entry.clone().on("notification", id), found).await?;
        let entry = entry.on("notification_channel", delivery.channel_id).detail("notification", id.to_string());
        let channel = self.channel_in_use(actor, delivery.channel_id, &entry).await?;
        let at = now();
        let mut tx = self.begin().await?;
        if tx.delivery_replay(actor.team_id, id, at).await? {
            enqueue_attempt(&mut tx, &Delivery { next_attempt_at: Some(at), ..delivery }).await?;
        }
        record(&mut tx, actor, entry.named(&channel.name)).await?;
        tx.commit().await?;
        self.get(actor, id).await
    }

    /// Sends all of a channel's deliveries once more that failed, of what happened since a moment: the oldest first, some hundreds at once.
    pub async fn replay_failed(&self, actor: &Actor, id: ChannelId, since: Timestamp) -> Result<Replay> {
        let entry = AuditEntry::new(Action::ChannelReplay).on("notification_channel", id);
        let channel = self.channel_in_use(actor, id, &entry).await?;
        let at = now();
        let mut tx = self.begin().await?;
        let replayed = tx.delivery_replay_failed(actor.team_id, id, since, at, AT_ONCE).await?;
        for delivery in &replayed {
            let payload = jobs::payload::NotifyJob { version: 1, team_id: actor.team_id, channel_id: id, delivery_id: *delivery };
            tx.enqueue(&payload).await?;
        }
        let count = i64::try_from(replayed.len()).unwrap_or(i64::MAX);
        let entry = entry.named(&channel.name).detail("since", json!(since)).detail("count", count);
        record(&mut tx, actor, entry).await?;
        tx.commit().await?;
        Ok(Replay { count, has_more: count == AT_ONCE })
    }

    async fn channel_in_use(&self, actor: &Actor, id: ChannelId, entry: &AuditEntry) -> Result<Channel> {
        let channel = self.channels().channel_to_change(actor, id, entry).await?;
        if channel.enabled {
            return Ok(channel);
        }
        let message = format!("nothing is sent to this channel: `mikrocloud notifications enable {id}` enables it");
        Err(ServiceError::invalid("channelId", "DISABLED", message))
    }
}
