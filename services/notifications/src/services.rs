use std::sync::Arc;

use services_core::{Context, area};
use url::Url;

use crate::Mailer;

/// Settings of notifications.
#[derive(Debug, Clone, Default)]
pub struct NotificationSettings {
    /// Public URL of the server, if the operator sets it: links in mail lead there.
    pub public_url: Option<Url>,
    /// Mailer, if mail is sent.
    pub mailer: Option<Mailer>,
}

area! {
    /// The use cases of notifications. Cheap to clone.
    NotificationServices over Context: NotificationSettings
}

impl NotificationServices {
    /// The use cases over a context.
    pub fn new(below: Context, settings: NotificationSettings) -> Self {
        Self { below, inner: Arc::new(settings) }
    }

    pub(crate) fn settings(&self) -> &NotificationSettings {
        &self.inner
    }
}
