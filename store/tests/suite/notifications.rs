//! Channels, what is on its way to them, and what each attempt leaves.

use chrono::TimeDelta;
use domain::approval::ApprovalState;
use domain::deployment::{Cause, DeploymentStatus, Failure};
use domain::id::{ChannelId, UserId};
use domain::notification::{Attempt, Channel, ChannelKind, DeliveryState, EventType, EventTypes, Template};
use domain::time::now;
use store::{AttemptEnd, ChannelEdit, ChannelHealth, DeliveryFilter, DeploymentChange, Store, StoreError};

use crate::fixture::{self, Tenant, channel, delivery, refused, write};

fn attempt(error: Option<&str>) -> Attempt {
    let excerpt = Some("Grüße 🦀".to_owned());
    Attempt { number: 0, at: now(), duration_ms: 12, status: Some(500), error: error.map(str::to_owned), excerpt }
}

fn edit(of: &Channel) -> ChannelEdit {
    ChannelEdit {
        name: of.name.clone(),
        events: of.events.clone(),
        templates: of.templates.clone(),
        sealed: of.sealed.clone(),
        recipients: of.recipients.clone(),
        shown: of.shown.clone(),
    }
}

testkit::on_both_databases! {
    crate::common::open;

    async fn a_channel_is_read_back_changed_and_deleted(store: Store) {
        let tenant = Tenant::new(&store).await;
        let (team, project) = (tenant.id(), tenant.project.id);
        let made = channel(&tenant, Some(project));
        write(&store, async |tx| tx.channel_insert(&made).await).await;
        assert_eq!(store.channel_get(team, made.id).await.unwrap().as_ref(), Some(&made));
        let template = Template { title: "{{ x }}".to_owned(), body: "ü\n".to_owned() };
        let changed = ChannelEdit {
            name: "Łódź".to_owned(),
            events: EventTypes::new(&[EventType::AlertRaised]),
            templates: [("alert.raised".to_owned(), template)].into(),
            sealed: None,
            recipients: vec![UserId::new()],
            shown: "a…@example.org".to_owned(),
        };
        write(&store, async |tx| tx.channel_update(team, made.id, made.updated_at, &changed).await).await;
        let stale = refused(&store, async |tx| tx.channel_update(team, made.id, made.updated_at, &changed).await).await;
        assert!(matches!(stale, StoreError::Changed), "somebody else changed it: {stale:?}");
        let read = store.channel_get(team, made.id).await.unwrap().unwrap();
        let fields = |edit: &ChannelEdit| format!("{edit:?}");
        assert_eq!(fields(&edit(&read)), fields(&changed));
        assert!(write(&store, async |tx| tx.channel_delete(team, made.id).await).await);
        assert!(!write(&store, async |tx| tx.channel_delete(team, made.id).await).await);
    }

    async fn names_are_taken_once_in_the_team_and_once_in_each_project(store: Store) {
        let tenant = Tenant::new(&store).await;
        let other = fixture::project(tenant.id());
        write(&store, async |tx| tx.project_insert(&other).await).await;
        for project in [None, Some(tenant.project.id), Some(other.id)] {
            let made = channel(&tenant, project);
            write(&store, async |tx| tx.channel_insert(&made).await).await;
            let again = Channel { id: ChannelId::new(), ..made };
            let error = refused(&store, async |tx| tx.channel_insert(&again).await).await;
            assert!(matches!(error, StoreError::Exists), "{project:?}: {error:?}");
        }
        assert_eq!(write(&store, async |tx| tx.channel_count(tenant.id()).await).await, 3);
        let of = async |project| {
            let found = write(&store, async |tx| tx.channel_list_enabled(tenant.id(), project).await).await;
            found.into_iter().map(|channel| channel.project_id).collect::<Vec<_>>()
        };
        assert_eq!(of(None).await, [None]);
        assert_eq!(of(Some(other.id)).await, [None, Some(other.id)]);
        write(&store, async |tx| tx.project_delete(tenant.id(), other.id).await).await;
        assert_eq!(store.channel_list(tenant.id()).await.unwrap().len(), 2, "a project takes its channels with it");
    }

    async fn a_channel_out_of_use_is_told_of_nothing_and_forgets_its_failures(store: Store) {
        let tenant = Tenant::new(&store).await;
        let made = channel(&tenant, None);
        let team = tenant.id();
        write(&store, async |tx| tx.channel_insert(&made).await).await;
        let health = ChannelHealth { failing_since: Some(now()), paused_until: Some(now()) };
        write(&store, async |tx| tx.channel_health(team, made.id, health).await).await;
        assert_eq!(store.channel_get(team, made.id).await.unwrap().unwrap().failing_since, health.failing_since);
        assert!(write(&store, async |tx| tx.channel_enable(team, made.id, false, Some("it is gone")).await).await);
        assert!(!write(&store, async |tx| tx.channel_enable(team, made.id, false, None).await).await, "it is so already");
        let off = store.channel_get(team, made.id).await.unwrap().unwrap();
        assert_eq!((off.enabled, off.disabled_reason.as_deref(), off.failing_since), (false, Some("it is gone"), None));
        assert_eq!(write(&store, async |tx| tx.channel_list_enabled(team, None).await).await, []);
        assert!(write(&store, async |tx| tx.channel_enable(team, made.id, true, None).await).await);
        let on = write(&store, async |tx| tx.channel_find(team, made.id).await).await.unwrap();
        assert_eq!((on.enabled, on.disabled_reason), (true, None));
    }

    async fn attempts_are_counted_and_listed_until_a_delivery_ends(store: Store) {
        let tenant = Tenant::new(&store).await;
        let (team, channel) = (tenant.id(), channel(&tenant, None));
        let sent = delivery(&channel);
        write(&store, async |tx| {
            tx.channel_insert(&channel).await?;
            tx.delivery_insert(&sent).await
        })
        .await;
        assert_eq!(store.delivery_get(team, sent.id).await.unwrap().as_ref(), Some(&sent));
        assert_eq!(store.delivery_pending_count().await.unwrap(), 1);
        let later = Some(now() + TimeDelta::minutes(5));
        let failed = AttemptEnd { attempt: attempt(Some("it answered 500")), state: DeliveryState::Pending, next_attempt_at: later };
        write(&store, async |tx| tx.delivery_attempted(team, sent.id, &failed).await).await;
        write(&store, async |tx| tx.delivery_postpone(team, sent.id, now()).await).await;
        let taken = AttemptEnd { attempt: attempt(None), state: DeliveryState::Delivered, next_attempt_at: None };
        write(&store, async |tx| tx.delivery_attempted(team, sent.id, &taken).await).await;
        let again = refused(&store, async |tx| tx.delivery_attempted(team, sent.id, &taken).await).await;
        assert!(matches!(again, StoreError::Changed), "it has ended: {again:?}");
        let ended = store.delivery_get(team, sent.id).await.unwrap().unwrap();
        assert_eq!((ended.state, ended.tries, ended.attempts, ended.error), (DeliveryState::Delivered, 2, 2, None));
        let attempts = store.attempt_list(team, sent.id).await.unwrap();
        assert_eq!(attempts, [Attempt { number: 1, ..failed.attempt }, Attempt { number: 2, ..taken.attempt }]);
    }

    async fn what_ended_is_replayed_alone_or_all_that_failed_since(store: Store) {
        let tenant = Tenant::new(&store).await;
        let (team, channel) = (tenant.id(), channel(&tenant, None));
        let sent: Vec<_> = (0..4).map(|_| delivery(&channel)).collect();
        write(&store, async |tx| {
            tx.channel_insert(&channel).await?;
            for delivery in &sent {
                tx.delivery_insert(delivery).await?;
            }
            assert!(tx.delivery_give_up(team, sent[0].id, "enough").await?);
            assert!(!tx.delivery_give_up(team, sent[0].id, "enough").await?, "it does not wait");
            assert!(!tx.delivery_replay(team, sent[1].id, now()).await?, "it waits already");
            assert!(tx.delivery_replay(team, sent[0].id, now()).await?);
            tx.delivery_give_up_all(team, channel.id, "disabled").await
        })
        .await;
        let count = async |filter| store.delivery_list(team, channel.id, filter, None, 10).await.unwrap().items.len();
        let failed = DeliveryFilter { state: Some(DeliveryState::Failed), since: None };
        assert_eq!((count(failed).await, count(DeliveryFilter { since: Some(sent[2].event_at), ..failed }).await), (4, 2));
        let replay = async |limit| {
            write(&store, async |tx| tx.delivery_replay_failed(team, channel.id, sent[1].event_at, now(), limit).await).await
        };
        assert_eq!(replay(2).await, [sent[1].id, sent[2].id], "the oldest first");
        assert_eq!(replay(10).await, [sent[3].id]);
        assert_eq!(count(failed).await, 1);
        let page = store.delivery_list(team, channel.id, DeliveryFilter::default(), Some(sent[3].id), 2).await.unwrap();
        assert_eq!(page.items.iter().map(|delivery| delivery.id).collect::<Vec<_>>(), [sent[2].id, sent[1].id]);
        assert!(page.has_more);
    }

    async fn what_has_no_job_any_more_is_found_and_old_rows_go(store: Store) {
        let tenant = Tenant::new(&store).await;
        let (team, channel) = (tenant.id(), channel(&tenant, None));
        let (with_job, without, of_nobody) = (delivery(&channel), delivery(&channel), delivery(&channel));
        let of_nobody = domain::notification::Delivery { channel_id: ChannelId::new(), ..of_nobody };
        let job = store::NewJob { subject_id: Some(with_job.id.uuid()), ..fixture::job(team) };
        write(&store, async |tx| {
            tx.channel_insert(&channel).await?;
            for delivery in [&with_job, &without, &of_nobody] {
                tx.delivery_insert(delivery).await?;
            }
            tx.job_insert(&job).await
        })
        .await;
        write(&store, async |tx| tx.delivery_purge(now() - TimeDelta::days(30)).await).await;
        assert!(store.delivery_get(team, of_nobody.id).await.unwrap().is_none(), "its channel is gone");
        let stranded = store.delivery_list_stranded(now() + TimeDelta::hours(1)).await.unwrap();
        assert_eq!(stranded.iter().map(|delivery| delivery.id).collect::<Vec<_>>(), [without.id]);
        assert_eq!(store.delivery_list_stranded(now() - TimeDelta::hours(1)).await.unwrap(), []);
        let taken = AttemptEnd { attempt: attempt(None), state: DeliveryState::Delivered, next_attempt_at: None };
        write(&store, async |tx| tx.delivery_attempted(team, without.id, &taken).await).await;
        write(&store, async |tx| tx.delivery_purge(now() + TimeDelta::hours(1)).await).await;
        assert!(store.delivery_get(team, without.id).await.unwrap().is_none(), "with its attempts");
        assert!(store.delivery_get(team, with_job.id).await.unwrap().is_some(), "it waits");
    }

    async fn a_letter_waits_until_it_is_sent_or_of_no_use(store: Store) {
        let (tenant, user) = (Tenant::new(&store).await, fixture::user());
        let (sent, kept) = (fixture::letter(tenant.id(), user.id), fixture::letter(tenant.id(), user.id));
        write(&store, async |tx| {
            tx.user_insert(&user).await?;
            tx.letter_insert(&sent).await?;
            tx.letter_insert(&kept).await?;
            tx.letter_delete(tenant.id(), sent.id).await?;
            tx.letter_purge(kept.expires_at).await
        })
        .await;
        assert_eq!(store.letter_get(tenant.id(), sent.id).await.unwrap(), None);
        assert_eq!(store.letter_get(tenant.id(), kept.id).await.unwrap().as_ref(), Some(&kept));
        write(&store, async |tx| tx.letter_purge(kept.expires_at + TimeDelta::seconds(1)).await).await;
        assert_eq!(store.letter_get(tenant.id(), kept.id).await.unwrap(), None);
    }

    async fn what_there_is_to_say_of_a_deployment_is_as_the_transaction_left_it(store: Store) {
        let tenant = Tenant::new(&store).await;
        let (team, id) = (tenant.id(), tenant.deployment.id);
        let schedule = fixture::schedule(&tenant.project);
        write(&store, async |tx| {
            tx.schedule_insert(&schedule).await?;
            tx.approval_insert(&fixture::approval(&tenant.deployment)).await?;
            tx.event_insert(tenant.key(), DeploymentStatus::Queued, "queued").await?;
            let told = tx.deployment_told(team, id).await?.unwrap();
            assert_eq!((told.project.as_str(), told.environment.as_str()), (tenant.project.name.as_str(), "production"));
            assert_eq!((told.number, told.trigger, told.event_count), (1, Cause::Build, 1));
            assert_eq!((told.approval, told.failure), (Some(ApprovalState::Pending), None));
            let failure = Some(Failure::new("BROKEN", "it broke"));
            let change = DeploymentChange { from: DeploymentStatus::Queued, to: DeploymentStatus::Failed, deadline: None, failure };
            tx.deployment_change(team, id, &change).await?;
            assert_eq!(tx.deployment_told(team, id).await?.unwrap().failure, change.failure);
            let of = tx.schedule_project(team, schedule.id).await?;
            assert_eq!(of, Some((tenant.project.id, tenant.project.name.to_string())));
            Ok(())
        })
        .await;
    }
}

/// One of each kind is written: the database takes what the program knows.
#[test]
fn kinds_and_states_have_the_names_that_the_schema_checks() {
    let schema = include_str!("../../../migrations/20261125000701_notifications.sql");
    for kind in [ChannelKind::Webhook, ChannelKind::Slack, ChannelKind::Discord, ChannelKind::Email] {
        assert!(schema.contains(&format!("'{}'", kind.name())), "{kind:?}");
    }
}
