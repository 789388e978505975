//! Notification channels of the team.

mod deliveries;
mod show;

use std::io::Read;
use std::time::Duration;

use serde_json::{Value, json};

use crate::arguments::{AddChannel, NotificationsCommand, NotificationsOptions, Output};
use crate::client::api::Api;
use crate::client::operations;
use crate::client::output::{self, text};
use server::Failure;

const CHANNEL: &str = "id name kind projectId events templates { event title body } address enabled disabledReason failingSince \
                       pausedUntil createdAt updatedAt";

/// Time for which `test` waits for an answer: a little longer than MikroCloud does.
const PATIENCE: Duration = Duration::from_secs(40);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Lists, adds, changes and tries channels, and shows what was sent to them.
pub async fn run(options: NotificationsOptions) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    let NotificationsOptions { command, project, output } = options;
    let client = Client { api, project, output };
    match command.unwrap_or(NotificationsCommand::List) {
        NotificationsCommand::List => client.list().await,
        NotificationsCommand::Add(what) => client.add(what).await,
        NotificationsCommand::Show { channel } => {
            show::channel(&client.find(&channel).await?, output);
            Ok(())
        }
        NotificationsCommand::Update { channel, name, events, url, addresses } => {
            let given = |list: Vec<String>| (!list.is_empty()).then_some(list);
            let input = json!({
                "channelId": client.id(&channel).await?, "name": name, "events": given(events),
                "url": url.as_deref().map(given_text).transpose()?, "addresses": given(addresses),
            });
            client.update(input).await
        }
        NotificationsCommand::Template { channel, event, title, body, reset } => {
            let text = if reset { None } else { Some((title.unwrap_or_default(), given_text(&body)?)) };
            client.template(&channel, &event, text).await
        }
        NotificationsCommand::Preview { event, title, body } => client.preview(&event, title, body).await,
        NotificationsCommand::Enable { channel } => client.enable(&channel, true).await,
        NotificationsCommand::Disable { channel } => client.enable(&channel, false).await,
        NotificationsCommand::Delete { channel } => client.delete(&channel).await,
        NotificationsCommand::Test { channel } => client.test(&channel).await,
        NotificationsCommand::Deliveries { channel, state, since, limit } => {
            client.deliveries(&channel, state, since, limit).await
        }
        NotificationsCommand::Delivery { delivery } => client.delivery(&delivery).await,
        NotificationsCommand::Replay { what, since } => client.replay(&what, since).await,
        NotificationsCommand::RotateSecret { channel } => client.rotate(&channel).await,
    }
}

/// Client of the API, with the chosen project.
struct Client {
    api: Api,
    project: Option<String>,
    output: Output,
}

impl Client {
    /// The id of the project that was given, if one was.
    async fn project_id(&self) -> Result<Option<String>, Failure> {
        match &self.project {
            Some(project) => Ok(Some(operations::project(&self.api, project).await?)),
            None => Ok(None),
        }
    }

    async fn all(&self) -> Result<Value, Failure> {
        let query = format!("query($project: ID) {{ notificationChannels(projectId: $project) {{ {CHANNEL} }} }}");
        Ok(self.api.run(&query, json!({"project": self.project_id().await?})).await?["notificationChannels"].take())
    }

    /// The one channel of this name or id.
    async fn find(&self, given: &str) -> Result<Value, Failure> {
        let mut channels = self.all().await?;
        let channels = channels.as_array_mut().map(std::mem::take).unwrap_or_default();
        let found: Vec<_> = channels.into_iter().filter(|channel| channel["id"] == given || channel["name"] == given).collect();
        match <[Value; 1]>::try_from(found) {
            Ok([channel]) => Ok(channel),
            Err(none) if none.is_empty() => {
                let message = format!("there is no channel `{given}` that you may change: `mikrocloud notifications` lists them");
                Err(Failure::failed("NOT_FOUND", message))
            }
            Err(_) => {
                let message = format!("several channels are called `{given}`: give its id, or a project with --project");
                Err(Failure::failed("AMBIGUOUS", message))
            }
        }
    }

    async fn id(&self, given: &str) -> Result<String, Failure> {
        Ok(text(&self.find(given).await?["id"]))
    }

    async fn list(&self) -> Result<(), Failure> {
        show::channels(&self.all().await?, self.output);
        Ok(())
    }

    async fn add(&self, what: AddChannel) -> Result<(), Failure> {
        let (kind, name, url, addresses, events) = match what {
            AddChannel::Webhook(address) => ("WEBHOOK", address.name, Some(given_text(&address.url)?), None, address.events),
            AddChannel::Slack(address) => ("SLACK", address.name, Some(given_text(&address.url)?), None, address.events),
            AddChannel::Discord(address) => ("DISCORD", address.name, Some(given_text(&address.url)?), None, address.events),
            AddChannel::Email { name, addresses, events } => ("EMAIL", name, None, Some(addresses), events),
        };
        let input = json!({
            "kind": kind, "name": name, "projectId": self.project_id().await?, "url": url, "addresses": addresses,
            "events": (!events.events.is_empty()).then_some(events.events),
        });
        let fields = format!("channel {{ {CHANNEL} }} secret");
        let made = self.api.mutate("createNotificationChannel", "CreateNotificationChannelInput", input, &fields).await?;
        let channel = &made["channel"];
        let secret = match made["secret"].as_str() {
            Some(secret) => format!("\nIts messages are signed with this secret, which is not shown again:\n{secret}"),
            None => String::new(),
        };
        let next = format!("Next: mikrocloud notifications test {}", text(&channel["id"]));
        let said = format!("Added {} ({}).{secret}\n{next}", text(&channel["name"]), text(&channel["id"]));
        output::say(&json!({"channel": channel, "secret": made["secret"]}), &said, self.output);
        Ok(())
    }

    async fn update(&self, input: Value) -> Result<(), Failure> {
        let fields = format!("channel {{ {CHANNEL} }}");
        let changed = self.api.mutate("updateNotificationChannel", "UpdateNotificationChannelInput", input, &fields).await?;
        show::channel(&changed["channel"], self.output);
        Ok(())
    }

    /// Puts a text in place of the one a channel has for an event, or takes it away.
    async fn template(&self, channel: &str, event: &str, given: Option<(String, String)>) -> Result<(), Failure> {
        let channel = self.find(channel).await?;
        let present = channel["templates"].as_array().into_iter().flatten();
        let mut templates: Vec<_> = present.filter(|template| template["event"] != event).cloned().collect();
        if let Some((title, body)) = given {
            templates.push(json!({"event": event, "title": title, "body": body}));
        }
        self.update(json!({"channelId": channel["id"], "templates": templates})).await
    }

    async fn preview(&self, event: &str, title: Option<String>, body: Option<String>) -> Result<(), Failure> {
        let query = "query($event: String!, $title: String, $body: String) {
            notificationPreview(event: $event, title: $title, body: $body) { title body } }";
        let data = self.api.run(query, json!({"event": event, "title": title, "body": body})).await?;
        let preview = &data["notificationPreview"];
        output::say(preview, &format!("{}\n\n{}", text(&preview["title"]), text(&preview["body"])), self.output);
        Ok(())
    }

    async fn enable(&self, channel: &str, enabled: bool) -> Result<(), Failure> {
        let input = json!({"channelId": self.id(channel).await?, "enabled": enabled});
        let fields = format!("channel {{ {CHANNEL} }}");
        let changed = self.api.mutate("enableNotificationChannel", "EnableNotificationChannelInput", input, &fields).await?;
        let said = if enabled { format!("{channel} is enabled.") } else { format!("{channel} is disabled.") };
        output::say(&changed["channel"], &said, self.output);
        Ok(())
    }

    async fn delete(&self, channel: &str) -> Result<(), Failure> {
        let input = json!({"channelId": self.id(channel).await?});
        self.api.mutate("deleteNotificationChannel", "NotificationChannelInput", input, "deleted").await?;
        output::say(&json!({"deleted": channel}), &format!("Deleted {channel}."), self.output);
        Ok(())
    }

    async fn rotate(&self, channel: &str) -> Result<(), Failure> {
        let input = json!({"channelId": self.id(channel).await?});
        let fields = format!("channel {{ {CHANNEL} }} secret");
        let rotated = self.api.mutate("rotateNotificationSecret", "NotificationChannelInput", input, &fields).await?;
        let said = format!(
            "Messages to {channel} are signed with this secret, and for 24 hours with that of before, too. It is not shown again:\n{}",
            text(&rotated["secret"])
        );
        output::say(&json!({"channel": rotated["channel"], "secret": rotated["secret"]}), &said, self.output);
        Ok(())
    }
}

/// A text, or what stands on standard input where it is `-`.
fn given_text(given: &str) -> Result<String, Failure> {
    if given != "-" {
        return Ok(given.to_owned());
    }
    let mut read = String::new();
    let done = std::io::stdin().read_to_string(&mut read);
    done.map_err(|error| Failure::usage(format!("standard input cannot be read: {error}")))?;
    Ok(read.trim_end_matches(['\n', '\r']).to_owned())
}
