//! The work of a job that delivers: one attempt, and what follows from it.

use chrono::TimeDelta;
use domain::environment::{deployment_label, environment_label};
use domain::id::DeploymentId;
use domain::name::{EnvironmentName, ProjectName};
use domain::notification::{
    Attempt, Channel, ChannelKind, Delivery, DeliveryState, EventType, GIVE_UP_AFTER, LONGEST_PAUSE, retry_pause,
};
use domain::time::{Timestamp, now};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use jobs::payload::NotifyJob;
use jobs::{JobAttempt, JobError, Outcome};
use serde_json::Value;
use services_core::alerts::{DISABLED_ALERT, raise};
use services_core::outbound::{Answer, OutboundError};
use services_core::outbox::enqueue_attempt;
use services_core::unit_of_work::UnitOfWork;
use services_core::{Result, ServiceError};
use store::{AttemptEnd, ChannelHealth, StoreError};
use tokio::time::Instant;

use super::channels::CHANNEL_DISABLED;
use super::mail::Letter;
use super::message::Message;
use super::payload::{Label, of_delivery};
use super::{Deliveries, chat, signature};

/// A job that comes earlier than its delivery's next attempt belongs to an attempt that was made already.
const STALE_JOB_TOLERANCE: TimeDelta = TimeDelta::seconds(1);
/// A channel is not disabled before a delivery was tried so often: the first attempts may fall into a short outage.
const TRIES_BEFORE_DISABLING: i64 = 3;

/// Result of an attempt.
struct Sent {
    status: Option<i64>,
    excerpt: Option<String>,
    verdict: Verdict,
}

enum Verdict {
    Accepted,
    /// It may be taken later; not before a pause that the receiver asks for.
    RetryLater(String, Option<TimeDelta>),
    /// It will never be taken.
    Rejected(String),
    /// The receiver wants nothing any more.
    Unsubscribed,
}

impl Verdict {
    fn problem(&self) -> Option<String> {
        match self {
            Self::Accepted => None,
            Self::RetryLater(problem, _) | Self::Rejected(problem) => Some(problem.clone()),
            Self::Unsubscribed => Some("the receiver answered 410 Gone: it wants nothing any more".to_owned()),
        }
    }
}

impl Deliveries {
    /// The work of a [`NotifyJob`].
    pub async fn deliver(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: NotifyJob = run.payload()?;
        let Some(delivery) = self.store().delivery_get(job.team_id, job.delivery_id).await? else { return Ok(Outcome::Done) };
        // A channel that is deleted takes what was on its way with it.
        let Some(channel) = self.store().channel_get(job.team_id, job.channel_id).await? else { return Ok(Outcome::Done) };
        let is_early = delivery.next_attempt_at.is_some_and(|due| due > now() + STALE_JOB_TOLERANCE);
        if delivery.state != DeliveryState::Pending || is_early {
            return Ok(Outcome::Done);
        }
        if !channel.enabled {
            return self.give_delivery_up(run, &delivery).await;
        }
        if let Some(until) = channel.paused_until.filter(|until| *until > now()) {
            return self.postpone(run, delivery, until).await;
        }
        let (at, begun) = (now(), Instant::now());
        let sent = tokio::select! {
            sent = self.send(&channel, &delivery, at) => sent.map_err(|error| JobError::Retry(jobs::handler::chain(&error)))?,
            () = run.stop.cancelled() => return Err(JobError::Stopped),
        };
        let duration_ms = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let outcome = if matches!(sent.verdict, Verdict::Accepted) { "delivered" } else { "failed" };
        metrics::counter!("mikrocloud_notifications_total", "kind" => channel.kind.name(), "outcome" => outcome).increment(1);
        self.record_attempt(run, &delivery, sent, at, duration_ms).await
    }

    async fn give_delivery_up(&self, run: &JobAttempt, delivery: &Delivery) -> Result<Outcome, JobError> {
        let mut tx = self.begin().await?;
        tx.job_fence(run.fence).await?;
        tx.delivery_give_up(delivery.team_id, delivery.id, CHANNEL_DISABLED).await?;
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        Ok(Outcome::Recorded)
    }

    async fn postpone(&self, run: &JobAttempt, mut delivery: Delivery, until: Timestamp) -> Result<Outcome, JobError> {
        delivery.next_attempt_at = Some(until);
        let mut tx = self.begin().await?;
        tx.job_fence(run.fence).await?;
        tx.delivery_postpone(delivery.team_id, delivery.id, until).await?;
        enqueue_attempt(&mut tx, &delivery).await?;
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        Ok(Outcome::Recorded)
    }

    async fn send(&self, channel: &Channel, delivery: &Delivery, at: Timestamp) -> Result<Sent> {
        let pinned = self.address_name_of(delivery).await?;
        let places = self.addresses_in_clouds(delivery).await?;
        let payload = of_delivery(delivery, |label| match (&places, label) {
            (Some((environment, _)), Label::Environment(..)) => environment.clone(),
            (Some((_, deployment)), Label::Deployment(..)) => deployment.clone(),
            (None, label) => self.address_of(label, pinned.as_ref()),
        });
        if channel.kind == ChannelKind::Email {
            return self.send_mail(channel, delivery, &payload).await;
        }
        let endpoint =
            self.channels().endpoint(channel).await?.ok_or_else(|| ServiceError::internal("a channel has no address"))?;
        let message = || Message::of(delivery.event, &payload, &channel.templates);
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let body = match channel.kind {
            ChannelKind::Slack => chat::slack(&message()),
            ChannelKind::Discord => chat::discord(&message(), delivery.event_at),
            ChannelKind::Webhook | ChannelKind::Email => payload,
        };
        let body = serde_json::to_vec(&body).map_err(ServiceError::internal)?;
        if channel.kind == ChannelKind::Webhook {
            let (id, seconds) = (delivery.id.to_string(), at.timestamp());
            let signed = signature::sign(&endpoint.signing(at), &id, seconds, &body);
            for (name, value) in [("webhook-id", id), ("webhook-timestamp", seconds.to_string()), ("webhook-signature", signed)] {
                let value = HeaderValue::try_from(value).map_err(ServiceError::internal)?;
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        Ok(judged(self.outbound().post(&endpoint.url()?, headers, body).await))
    }

    async fn send_mail(&self, channel: &Channel, delivery: &Delivery, payload: &Value) -> Result<Sent> {
        let unsent = |verdict| Ok(Sent { status: None, excerpt: None, verdict });
        let Some(mailer) = &self.settings().mailer else {
            return unsent(Verdict::RetryLater(
                "this server sends no mail any more: who runs it sets --smtp-url".to_owned(),
                None,
            ));
        };
        let members = self.store().member_list(channel.team_id).await?;
        let recipient = members.into_iter().find(|member| Some(member.user.id) == delivery.recipient_id);
        let Some(recipient) = recipient else {
            return unsent(Verdict::Rejected(
                "who it is for is no longer in the team: give the channel other addresses".to_owned(),
            ));
        };
        let Message { title, body, link, .. } = Message::of(delivery.event, payload, &channel.templates);
        let letter = Letter { title: &title, body: &body, link: link.as_deref() };
        Ok(match mailer.send(&recipient.user.email, &delivery.id.to_string(), &letter).await {
            Ok(status) => Sent { status: Some(status), excerpt: None, verdict: Verdict::Accepted },
            Err(error) => {
                let verdict =
                    if error.is_permanent { Verdict::Rejected(error.message) } else { Verdict::RetryLater(error.message, None) };
                Sent { status: error.status, excerpt: None, verdict }
            }
        })
    }

    /// The name of its project in the address of the deployment that a delivery is about, where the project got another since.
    async fn address_name_of(&self, delivery: &Delivery) -> Result<Option<ProjectName>> {
        let Some(id) = deployment_of(delivery) else { return Ok(None) };
        Ok(self.store().deployment_get(delivery.team_id, id).await?.and_then(|deployment| deployment.address_name))
    }

    /// Addresses of the environment and the deployment that a delivery is about, where these are in a vendor's cloud.
    async fn addresses_in_clouds(&self, delivery: &Delivery) -> Result<Option<(Option<String>, Option<String>)>> {
        let Some(id) = deployment_of(delivery) else { return Ok(None) };
        let Some(place) = self.store().place_list_of_deployments(delivery.team_id, &[id]).await?.pop() else { return Ok(None) };
        let environment = self.store().place_list_of_environments(delivery.team_id, &[place.environment_id]).await?.pop();
        Ok(Some((environment.and_then(|environment| environment.url), place.url)))
    }

    /// Returns the address of the page about a label's object.
    fn address_of(&self, label: &Label<'_>, pinned: Option<&ProjectName>) -> Option<String> {
        let label = match label {
            Label::Environment(project, environment) => {
                environment_label(&project.parse::<ProjectName>().ok()?, &environment.parse::<EnvironmentName>().ok()?)
            }
            Label::Deployment(project, deployment) => {
                let project = pinned.cloned().or_else(|| project.parse().ok())?;
                deployment_label(&project, deployment.parse::<DeploymentId>().ok()?)
            }
        };
        self.host_labels().ok().map(|labels| labels.url(&label))
    }

    /// Writes an attempt, the job of the next one, and what it says about the channel, in one transaction.
    async fn record_attempt(
        &self,
        run: &JobAttempt,
        delivery: &Delivery,
        sent: Sent,
        at: Timestamp,
        duration_ms: i64,
    ) -> Result<Outcome, JobError> {
        let tries = delivery.tries + 1;
        let next = next_attempt(delivery.event, tries, &sent.verdict);
        let state = match (&sent.verdict, next) {
            (Verdict::Accepted, _) => DeliveryState::Delivered,
            (_, Some(_)) => DeliveryState::Pending,
            (_, None) => DeliveryState::Failed,
        };
        let (status, excerpt) = (sent.status, sent.excerpt.filter(|excerpt| !excerpt.is_empty()));
        let attempt = Attempt { number: 0, at, duration_ms, status, error: sent.verdict.problem(), excerpt };
        let mut tx = self.begin().await?;
        tx.job_fence(run.fence).await?;
        let end = AttemptEnd { attempt, state, next_attempt_at: next };
        match tx.delivery_attempted(delivery.team_id, delivery.id, &end).await {
            // It was given up meanwhile, or deleted with its channel.
            Err(StoreError::Changed) => return Ok(Outcome::Done),
            written => written?,
        }
        if next.is_some() {
            enqueue_attempt(&mut tx, &Delivery { next_attempt_at: next, ..delivery.clone() }).await?;
        }
        let channel = tx.channel_find(delivery.team_id, delivery.channel_id).await?;
        if let Some(channel) = channel.filter(|channel| channel.enabled) {
            note_health(&mut tx, &channel, tries, &sent.verdict, at).await?;
        }
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        Ok(Outcome::Recorded)
    }

    /// Gives up what should have been tried and has no job any more.
    pub async fn end_stranded(&self) -> Result<(), StoreError> {
        let reason = "its job was discarded, or each worker that took it died: replay it";
        for delivery in self.store().delivery_list_stranded(now() - TimeDelta::minutes(10)).await? {
            let mut tx = self.begin().await?;
            tx.delivery_give_up(delivery.team_id, delivery.id, reason).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// Converts a response, or its absence, into the result of an attempt (Standard Webhooks, "Delivery").
fn judged(answered: Result<Answer, OutboundError>) -> Sent {
    let Answer { status, retry_after, excerpt } = match answered {
        Ok(answer) => answer,
        Err(error) => return Sent { status: None, excerpt: None, verdict: Verdict::RetryLater(error.to_string(), None) },
    };
    let verdict = match status {
        200..=299 => Verdict::Accepted,
        410 => Verdict::Unsubscribed,
        300..=399 => Verdict::RetryLater(format!("it answered {status}, a redirect: give the address that it leads to"), None),
        429 | 502 | 503 | 504 => {
            Verdict::RetryLater(format!("it answered {status}"), retry_after.map(|pause| pause.min(LONGEST_PAUSE)))
        }
        _ => Verdict::RetryLater(format!("it answered {status}"), None),
    };
    Sent { status: Some(status.into()), excerpt: Some(excerpt), verdict }
}

/// Returns the time of a delivery's next attempt; `None` if there is none. A ping is tried once, as a user waits for its result.
fn next_attempt(event: EventType, tries: i64, verdict: &Verdict) -> Option<Timestamp> {
    let Verdict::RetryLater(_, pause) = verdict else { return None };
    let scheduled = retry_pause(tries, rand::random::<f64>()).filter(|_| event != EventType::Ping)?;
    Some(now() + pause.map_or(scheduled, |pause| pause.max(scheduled)))
}

/// Writes what an attempt says about a channel, and disables it when it says enough.
async fn note_health(
    tx: &mut UnitOfWork,
    channel: &Channel,
    tries: i64,
    verdict: &Verdict,
    at: Timestamp,
) -> Result<(), StoreError> {
    let present = ChannelHealth { failing_since: channel.failing_since, paused_until: channel.paused_until };
    let health = match verdict {
        Verdict::Accepted => ChannelHealth::default(),
        Verdict::RetryLater(_, pause) => ChannelHealth {
            failing_since: present.failing_since.or(Some(at)),
            paused_until: pause.map(|pause| now() + pause).or(present.paused_until),
        },
        // It says nothing about those it is not for.
        Verdict::Rejected(_) => present,
        Verdict::Unsubscribed => return disable(tx, channel, "the receiver answered 410 Gone").await,
    };
    let for_long = health.failing_since.is_some_and(|since| now() - since >= GIVE_UP_AFTER);
    if for_long && tries >= TRIES_BEFORE_DISABLING {
        return disable(tx, channel, &format!("every attempt failed for {} days", GIVE_UP_AFTER.num_days())).await;
    }
    if health != present {
        tx.channel_health(channel.team_id, channel.id, health).await?;
    }
    Ok(())
}

async fn disable(tx: &mut UnitOfWork, channel: &Channel, reason: &str) -> Result<(), StoreError> {
    tx.delivery_give_up_all(channel.team_id, channel.id, CHANNEL_DISABLED).await?;
    tx.channel_enable(channel.team_id, channel.id, false, Some(reason)).await?;
    let message = format!(
        "nothing is sent to the notification channel `{}` any more: {reason}. See `mikrocloud notifications deliveries {2}`, then \
         `mikrocloud notifications enable {2}`{1}",
        channel.name, " and `replay`", channel.id
    );
    raise(tx, Some(channel.team_id), DISABLED_ALERT, &channel.id.to_string(), message).await
}

/// The deployment that a delivery is about.
fn deployment_of(delivery: &Delivery) -> Option<DeploymentId> {
    delivery.data.pointer("/deployment/id").and_then(Value::as_str).and_then(|id| id.parse().ok())
}
