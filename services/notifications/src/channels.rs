//! The channels of a team: what people do with them.

use domain::access::{Actor, Permission};
use domain::id::{ChannelId, ProjectId};
use domain::notification::{Channel, ChannelKind, EventTypes, Template};
use domain::secret::Secret;
use domain::time::now;
use serde_json::{Value, json};
use services_core::alerts::DISABLED_ALERT;
use services_core::audit::{Action, AuditEntry, record};
use services_core::{Result, ServiceError, require_somewhere};
use store::{ChannelEdit, StoreError};

use super::address::Endpoint;
use super::input::{parse_events, parse_name, parse_templates, refuse_addresses, refuse_url};
use super::{require_channels, require_new_channel, template};
use crate::Channels;

/// The most channels a team may have: each event is written for each of them.
const MAX_CHANNELS: i64 = 30;
/// Reason for which waiting deliveries of a disabled channel were abandoned.
pub(super) const CHANNEL_DISABLED: &str = "the channel was disabled: enable it and replay this";

/// A channel to be made.
#[derive(Debug)]
pub struct NewChannel {
    /// The project it is limited to; all the team has when absent.
    pub project: Option<ProjectId>,
    /// Name of the channel.
    pub name: String,
    /// Kind of its receiver.
    pub kind: ChannelKind,
    /// The names of what it is told of; all but what is queued when absent.
    pub events: Option<Vec<String>>,
    /// URL that messages are sent to; for all kinds but e-mail.
    pub url: Option<Secret>,
    /// The members that are written to; for e-mail.
    pub addresses: Vec<String>,
    /// Texts of its own.
    pub templates: Vec<TemplateInput>,
}

/// Change of a channel. `None` leaves a field as it is.
#[derive(Debug, Default)]
pub struct ChannelChange {
    /// Its name.
    pub name: Option<String>,
    /// The names of what it is told of.
    pub events: Option<Vec<String>>,
    /// URL that messages are sent to.
    pub url: Option<Secret>,
    /// The members that are written to.
    pub addresses: Option<Vec<String>>,
    /// Texts of its own, in place of those it has.
    pub templates: Option<Vec<TemplateInput>>,
}

/// A text for an event.
#[derive(Debug, Clone)]
pub struct TemplateInput {
    /// The event's name.
    pub event: String,
    /// One line.
    pub title: String,
    /// The text below it.
    pub body: String,
}

impl Channels {
    /// The channels that the actor may change, by name: those of a project, or all.
    pub async fn list(&self, actor: &Actor, project: Option<ProjectId>) -> Result<Vec<Channel>> {
        require_somewhere(actor, Permission::ProjectWrite)?;
        if let Some(project) = project {
            require_channels(actor, Some(project), "project")?;
        }
        let mut found = self.store().channel_list(actor.team_id).await?;
        found.retain(|channel| project.is_none_or(|project| channel.project_id == Some(project)));
        found.retain(|channel| require_channels(actor, channel.project_id, "notification channel").is_ok());
        Ok(found)
    }

    /// A channel.
    pub async fn get(&self, actor: &Actor, id: ChannelId) -> Result<Channel> {
        require_somewhere(actor, Permission::ProjectWrite)?;
        let channel = self.store().channel_get(actor.team_id, id).await?;
        let channel = channel.ok_or(ServiceError::NotFound("notification channel"))?;
        require_channels(actor, channel.project_id, "notification channel")?;
        Ok(channel)
    }

    /// Makes a channel. Returns the secret that signs its messages, where it is one of signed messages; it is not shown again.
    pub async fn create(&self, actor: &Actor, input: NewChannel) -> Result<(Channel, Option<Secret>)> {
        let entry = AuditEntry::new(Action::ChannelCreate);
        self.audit_denial(actor, &entry, require_new_channel(actor, input.project)).await?;
        if let Some(project) = input.project {
            let project = self.store().project_get(actor.team_id, project).await?;
            project.filter(|project| project.deleting_at.is_none()).ok_or(ServiceError::NotFound("project"))?;
        }
        let id = ChannelId::new();
        let edit = ChannelEdit {
            name: parse_name(&input.name)?,
            events: input.events.as_deref().map_or_else(|| Ok(EventTypes::default()), parse_events)?,
            templates: parse_templates(input.kind, &input.templates)?,
            sealed: None,
            recipients: Vec::new(),
            shown: String::new(),
        };
        let (edit, endpoint) = if input.kind == ChannelKind::Email {
            refuse_url(input.url.as_ref())?;
            let (recipients, shown) = self.recipients(actor, &input.addresses).await?;
            (ChannelEdit { recipients, shown, ..edit }, None)
        } else {
            refuse_addresses(&input.addresses)?;
            let endpoint = Endpoint::new(&self.checked_url(input.url.as_ref()).await?, input.kind);
            let sealed = Some(self.seal_endpoint(actor.team_id, id, &endpoint).await?);
            (ChannelEdit { sealed, shown: endpoint.shown(), ..edit }, Some(endpoint))
        };
        let channel = new_channel(actor, id, input.project, input.kind, edit);
        self.insert_channel(actor, &channel, endpoint.as_ref(), entry).await?;
        Ok((channel, endpoint.and_then(|endpoint| endpoint.secret())))
    }

    async fn insert_channel(
        &self,
        actor: &Actor,
        channel: &Channel,
        endpoint: Option<&Endpoint>,
        entry: AuditEntry,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.team_lock(actor.team_id).await?;
        if tx.channel_count(actor.team_id).await? >= MAX_CHANNELS {
            let message = format!("the team has {MAX_CHANNELS} notification channels, the most it may: delete one");
            return Err(ServiceError::invalid("name", "TOO_MANY", message));
        }
        tx.channel_insert(channel).await.map_err(|error| taken(error, &channel.name))?;
        let entry = entry.on("notification_channel", channel.id).named(&channel.name);
        record(&mut tx, actor, entry.after(self.logged_channel(channel, endpoint)?)).await?;
        Ok(tx.commit().await?)
    }

    /// Changes a channel.
    pub async fn update(&self, actor: &Actor, id: ChannelId, change: ChannelChange) -> Result<Channel> {
        let entry = AuditEntry::new(Action::ChannelUpdate).on("notification_channel", id);
        let channel = self.channel_to_change(actor, id, &entry).await?;
        let mut edit = edit_of(&channel);
        if let Some(name) = &change.name {
            edit.name = parse_name(name)?;
        }
        if let Some(events) = &change.events {
            edit.events = parse_events(events)?;
        }
        if let Some(templates) = &change.templates {
            edit.templates = parse_templates(channel.kind, templates)?;
        }
        let before = self.endpoint(&channel).await?;
        let mut after = before.clone();
        if channel.kind == ChannelKind::Email {
            refuse_url(change.url.as_ref())?;
            if let Some(addresses) = &change.addresses {
                (edit.recipients, edit.shown) = self.recipients(actor, addresses).await?;
            }
        } else {
            refuse_addresses(change.addresses.as_deref().unwrap_or_default())?;
            if let (Some(url), Some(endpoint)) = (&change.url, before.clone()) {
                let endpoint = endpoint.at(&self.checked_url(Some(url)).await?);
                edit.sealed = Some(self.seal_endpoint(actor.team_id, id, &endpoint).await?);
                edit.shown = endpoint.shown();
                after = Some(endpoint);
            }
        }
        let changed = with(&channel, &edit);
        let (before, after) = (self.logged_channel(&channel, before.as_ref())?, self.logged_channel(&changed, after.as_ref())?);
        self.write_channel(actor, &channel, &edit, entry.named(&channel.name).between(before, after)).await
    }

    /// Gives a channel of signed messages a new secret, and returns it. The one of before signs for 24 hours, too.
    pub async fn rotate_secret(&self, actor: &Actor, id: ChannelId) -> Result<(Channel, Secret)> {
        let entry = AuditEntry::new(Action::ChannelRotate).on("notification_channel", id);
        let channel = self.channel_to_change(actor, id, &entry).await?;
        let unsigned = || {
            let message = format!("a channel of the kind {} signs nothing: only webhooks have secrets", channel.kind.name());
            ServiceError::invalid("channelId", "NOT_SIGNED", message)
        };
        let endpoint = self.endpoint(&channel).await?.filter(|_| channel.kind == ChannelKind::Webhook).ok_or_else(unsigned)?;
        let endpoint = endpoint.rotated();
        let sealed = Some(self.seal_endpoint(actor.team_id, id, &endpoint).await?);
        let edit = ChannelEdit { sealed, ..edit_of(&channel) };
        let channel = self.write_channel(actor, &channel, &edit, entry.named(&channel.name)).await?;
        Ok((channel, endpoint.secret().ok_or_else(|| ServiceError::internal("a new secret is missing"))?))
    }

    /// Enables a channel, as if nothing had ever failed, or disables it: what waits for it is given up then, and can be replayed.
    pub async fn enable(&self, actor: &Actor, id: ChannelId, enabled: bool) -> Result<Channel> {
        let entry = AuditEntry::new(Action::ChannelEnable).on("notification_channel", id);
        let channel = self.channel_to_change(actor, id, &entry).await?;
        let mut tx = self.begin().await?;
        if enabled {
            tx.alert_resolve(DISABLED_ALERT, &id.to_string()).await?;
        } else {
            // Before the channel, as at the end of an attempt: one order of locks.
            tx.delivery_give_up_all(actor.team_id, id, CHANNEL_DISABLED).await?;
        }
        tx.channel_enable(actor.team_id, id, enabled, None).await?;
        let entry = entry.named(&channel.name).before(json!({"enabled": channel.enabled}));
        record(&mut tx, actor, entry.after(json!({"enabled": enabled}))).await?;
        tx.commit().await?;
        self.get(actor, id).await
    }

    /// Deletes a channel with all that was sent to it.
    pub async fn delete(&self, actor: &Actor, id: ChannelId) -> Result<()> {
        let entry = AuditEntry::new(Action::ChannelDelete).on("notification_channel", id);
        let channel = self.channel_to_change(actor, id, &entry).await?;
        let endpoint = self.endpoint(&channel).await?;
        let mut tx = self.begin().await?;
        if !tx.channel_delete(actor.team_id, id).await? {
            return Err(ServiceError::NotFound("notification channel"));
        }
        tx.alert_resolve(DISABLED_ALERT, &id.to_string()).await?;
        let entry = entry.named(&channel.name).before(self.logged_channel(&channel, endpoint.as_ref())?);
        record(&mut tx, actor, entry).await?;
        Ok(tx.commit().await?)
    }

    /// Renders a template with sample data of an event; the default template if none is given.
    pub fn preview_template(&self, actor: &Actor, input: &TemplateInput, own: bool) -> Result<template::Preview> {
        require_somewhere(actor, Permission::ProjectWrite)?;
        let event = template::parse_event("event", &input.event)?;
        let given = Template { title: input.title.clone(), body: input.body.clone() };
        template::preview(event, own.then_some(&given))
    }

    /// A channel that the actor may change; a refusal is noted.
    pub(super) async fn channel_to_change(&self, actor: &Actor, id: ChannelId, entry: &AuditEntry) -> Result<Channel> {
        let found = self.get(actor, id).await;
        self.audit_denial(actor, entry, found).await
    }

    /// The address and secrets of a channel; none where it writes to members.
    pub(super) async fn endpoint(&self, channel: &Channel) -> Result<Option<Endpoint>> {
        match &channel.sealed {
            Some(sealed) => Ok(Some(self.open_endpoint(channel.team_id, channel.id, sealed).await?)),
            None => Ok(None),
        }
    }

    async fn write_channel(&self, actor: &Actor, channel: &Channel, edit: &ChannelEdit, entry: AuditEntry) -> Result<Channel> {
        let mut tx = self.begin().await?;
        let written = tx.channel_update(actor.team_id, channel.id, channel.updated_at, edit).await;
        written.map_err(|error| match error {
            StoreError::Changed => ServiceError::Changed,
            error => taken(error, &edit.name),
        })?;
        record(&mut tx, actor, entry).await?;
        tx.commit().await?;
        self.get(actor, channel.id).await
    }

    /// Builds the audit log's details of a channel.
    fn logged_channel(&self, channel: &Channel, endpoint: Option<&Endpoint>) -> Result<Value> {
        let url = endpoint.map(Endpoint::url).transpose()?.map(|url| Secret::new(url.as_str()));
        let templates = channel.templates.iter().map(|(event, own)| (event.clone(), template::logged(own)));
        Ok(json!({
            "name": channel.name,
            "kind": channel.kind.name(),
            "project": channel.project_id,
            "events": channel.events.names(),
            "templates": templates.collect::<serde_json::Map<_, _>>(),
            "recipients": channel.recipients,
            "address": url.map(|url| self.sealer().audit_digest(channel.team_id, &url)),
        }))
    }
}

fn new_channel(actor: &Actor, id: ChannelId, project_id: Option<ProjectId>, kind: ChannelKind, edit: ChannelEdit) -> Channel {
    let at = now();
    let ChannelEdit { name, events, templates, sealed, recipients, shown } = edit;
    Channel {
        id,
        team_id: actor.team_id,
        project_id,
        name,
        kind,
        events,
        templates,
        sealed,
        recipients,
        shown,
        enabled: true,
        disabled_reason: None,
        failing_since: None,
        paused_until: None,
        created_by: actor.user_id,
        created_at: at,
        updated_at: at,
    }
}

fn edit_of(channel: &Channel) -> ChannelEdit {
    let Channel { name, events, templates, sealed, recipients, shown, .. } = channel.clone();
    ChannelEdit { name, events, templates, sealed, recipients, shown }
}

fn with(channel: &Channel, edit: &ChannelEdit) -> Channel {
    let ChannelEdit { name, events, templates, sealed, recipients, shown } = edit.clone();
    Channel { name, events, templates, sealed, recipients, shown, ..channel.clone() }
}

fn taken(error: StoreError, name: &str) -> ServiceError {
    match error {
        StoreError::Exists => {
            ServiceError::invalid("name", "TAKEN", format!("there is a channel `{name}` already: choose another name"))
        }
        error => error.into(),
    }
}
