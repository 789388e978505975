//! Abilities of Azure, as data.

use std::time::Duration;

use clouds_contract::{About, Base, IdleCost, Per, Rules, ServerAbout, SiteAbout, Switch};
use domain::region::AZURE;

/// The longest value of a secret of a container app (learn.microsoft.com, "Manage secrets in Azure Container Apps").
pub const VARIABLE_BYTES: usize = 32 * 1024;

/// Abilities of Azure.
pub static ABOUT: About = About {
    title: "Azure",
    regions: AZURE,
    release_deadline: Duration::from_mins(45),
    static_sites: Some(SiteAbout {
        switch: Switch::InPlace,
        own_address: false,
        not_found_page: true,
        redirects: Rules::None,
        headers: Rules::None,
        bases: &[Base::Files],
        idle: &[],
    }),
    servers: Some(ServerAbout {
        switch: Switch::Atomic,
        own_address: true,
        sleeps: true,
        variable_bytes: VARIABLE_BYTES,
        bases: &[Base::Containers],
        idle: &[IdleCost {
            item: "Container Registry, Basic",
            price_key: "azure.container-registry.basic",
            per: Per::AccountRegion,
        }],
    }),
};
