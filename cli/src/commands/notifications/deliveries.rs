//! Deliveries to a channel: list, resend, test.

use domain::time::Timestamp;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{Client, LOOK_EVERY, PATIENCE, show};
use crate::arguments::DeliveryState;
use crate::client::output::{self, text};
use server::Failure;

const DELIVERY: &str = "id channelId event eventAt data state attemptCount nextAttemptAt error finishedAt";

impl Client {
    pub(super) async fn deliveries(
        &self,
        channel: &str,
        state: Option<DeliveryState>,
        since: Option<Timestamp>,
        limit: u32,
    ) -> Result<(), Failure> {
        let query = format!(
            "query($id: ID!, $state: NotificationState, $since: DateTime, $first: Int) {{ notificationChannel(id: $id) {{
                deliveries(state: $state, since: $since, first: $first) {{ nodes {{ {DELIVERY} }} pageInfo {{ hasNextPage }} }} }} }}"
        );
        let state = state.map(DeliveryState::name);
        let variables = json!({"id": self.id(channel).await?, "state": state, "since": since, "first": limit});
        let data = self.api.run(&query, variables).await?;
        let page = &data["notificationChannel"]["deliveries"];
        show::deliveries(&page["nodes"], page["pageInfo"]["hasNextPage"] == true, self.output);
        Ok(())
    }

    pub(super) async fn delivery(&self, id: &str) -> Result<(), Failure> {
        show::delivery(&self.found(id).await?, self.output);
        Ok(())
    }

    pub(super) async fn replay(&self, what: &str, since: Option<Timestamp>) -> Result<(), Failure> {
        let input = match since {
            Some(since) => json!({"channelId": self.id(what).await?, "since": since}),
            None => json!({"deliveryId": what}),
        };
        let done = self.api.mutate("replayNotifications", "ReplayNotificationsInput", input, "count hasMore").await?;
        let more = if done["hasMore"] == true { " There are more: ask again." } else { "" };
        let said = match done["count"].as_i64() {
            Some(0) => "Nothing failed since then: there is nothing to send again.".to_owned(),
            Some(1) => "1 notification is on its way again.".to_owned(),
            count => format!("{} notifications are on their way again.{more}", count.unwrap_or_default()),
        };
        output::say(&json!({"count": done["count"], "hasMore": done["hasMore"]}), &said, self.output);
        Ok(())
    }

    /// Sends a ping and waits for what comes of it.
    pub(super) async fn test(&self, channel: &str) -> Result<(), Failure> {
        let input = json!({"channelId": self.id(channel).await?});
        let sent = self.api.mutate("testNotificationChannel", "NotificationChannelInput", input, "deliveries { id }").await?;
        let ids: Vec<_> = sent["deliveries"].as_array().into_iter().flatten().map(|delivery| text(&delivery["id"])).collect();
        let until = Instant::now() + PATIENCE;
        let mut ended = Vec::new();
        for id in &ids {
            ended.push(self.ended(id, until).await?);
        }
        let failed = ended.iter().find(|delivery| delivery["state"] != "DELIVERED");
        if let Some(delivery) = failed {
            let problem = delivery["error"].as_str().unwrap_or("nothing came of it yet: is a worker running?");
            let message =
                format!("{channel}: {problem}. `mikrocloud notifications delivery {}` shows more", text(&delivery["id"]));
            return Err(Failure::failed("NOT_DELIVERED", message));
        }
        output::say(&Value::Array(ended), &format!("{channel} took it."), self.output);
        Ok(())
    }

    async fn found(&self, id: &str) -> Result<Value, Failure> {
        let query = format!(
            "query($id: ID!) {{ notificationDelivery(id: $id) {{ {DELIVERY} attempts {{ number at durationMs status error excerpt }} }} }}"
        );
        let found = self.api.run(&query, json!({"id": id})).await?["notificationDelivery"].take();
        if found.is_null() {
            let message = format!("there is no notification `{id}`: `mikrocloud notifications deliveries CHANNEL` lists them");
            return Err(Failure::failed("NOT_FOUND", message));
        }
        Ok(found)
    }

    /// A delivery once it has ended, or as it is when time is up.
    async fn ended(&self, id: &str, until: Instant) -> Result<Value, Failure> {
        loop {
            let delivery = self.found(id).await?;
            if delivery["state"] != "PENDING" || Instant::now() >= until {
                return Ok(delivery);
            }
            sleep(LOOK_EVERY).await;
        }
    }
}
