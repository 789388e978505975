use std::sync::Arc;

use services_core::area;
use services_notifications::NotificationServices;
use url::Url;

use crate::auth::{ActorCache, Breaches, ProviderConfig, Providers, Tokens};

/// Settings of identity.
#[derive(Debug, Clone, Default)]
pub struct IdentitySettings {
    /// A service with the range interface of Have I Been Pwned that new passwords are looked up in, if any.
    pub breached_passwords: Option<Url>,
    /// The providers that people sign in with.
    pub providers: Vec<ProviderConfig>,
}

area! {
    /// The use cases of identity. Cheap to clone.
    IdentityServices over NotificationServices: Inner
}

struct Inner {
    tokens: Tokens,
    breaches: Option<Breaches>,
    providers: Providers,
    actors: ActorCache,
}

impl IdentityServices {
    /// The use cases over those of notifications.
    pub fn new(below: NotificationServices, settings: IdentitySettings) -> Self {
        let tokens = Tokens::new(below.store().clone(), Arc::clone(below.sealer()));
        let breaches = settings.breached_passwords.map(Breaches::new);
        let providers = Providers::new(settings.providers);
        Self { below, inner: Arc::new(Inner { tokens, breaches, providers, actors: ActorCache::default() }) }
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.inner.tokens
    }

    pub(crate) fn breaches(&self) -> Option<&Breaches> {
        self.inner.breaches.as_ref()
    }

    pub(crate) fn configured_providers(&self) -> &Providers {
        &self.inner.providers
    }

    pub(crate) fn actors(&self) -> &ActorCache {
        &self.inner.actors
    }
}
