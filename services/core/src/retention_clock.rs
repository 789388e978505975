//! The time that the age of what is kept is told by. A clock that is ahead for a moment must not end what cannot be had again.

use domain::retention_clock::RetentionClock;
use domain::time::{Timestamp, now};
use store::StoreError;

use crate::Context;
use crate::alerts::raise;

/// The fact that the clock is kept as.
const FACT: &str = "retention_clock";
/// The kind of the alert while a leap is waited out, and its subject.
const ALERT: (&str, &str) = ("clock", "retention");
/// Looks that follow each other faster are not written down.
const WRITTEN_EVERY: chrono::TimeDelta = chrono::TimeDelta::minutes(1);

impl Context {
    /// The present moment, for what is deleted because it is old.
    pub async fn retention_time(&self) -> Result<Timestamp, StoreError> {
        self.retention_time_at(now()).await
    }

    /// The same when the clock shows this.
    pub async fn retention_time_at(&self, at: Timestamp) -> Result<Timestamp, StoreError> {
        let recorded = self.store().installation_get(FACT).await?.and_then(|text| serde_json::from_str(&text).ok());
        // The clock may leap before it is looked at for the first time.
        let clock: RetentionClock = if let Some(clock) = recorded {
            clock
        } else {
            let known = self.store().audit_latest().await?.max(self.store().installation_began().await?);
            RetentionClock::at(known.unwrap_or(at))
        };
        let next = clock.look(at);
        let moved = (next.seen - clock.seen).abs() >= WRITTEN_EVERY;
        if recorded.is_some() && !moved && next.ahead_since == clock.ahead_since {
            return Ok(next.shows);
        }
        let mut tx = self.begin().await?;
        // A clock is three moments: it always serialises.
        tx.installation_put(FACT, &serde_json::to_string(&next).unwrap_or_default()).await?;
        if next.ahead_since.is_some() {
            let message = format!(
                "the clock shows {}, which is far ahead of the last time that it showed: nothing is deleted for its age until it has gone on \
                 evenly for a day. Put it right if it is wrong",
                at.format("%Y-%m-%d %H:%M UTC")
            );
            raise(&mut tx, None, ALERT.0, ALERT.1, message).await?;
        } else {
            tx.alert_resolve(ALERT.0, ALERT.1).await?;
        }
        tx.commit().await?;
        Ok(next.shows)
    }
}
