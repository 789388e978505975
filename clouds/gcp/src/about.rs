use std::time::Duration;

use clouds_contract::{About, Base, IdleCost, Per, Rules, ServerAbout, SiteAbout, Switch};
use domain::region;

/// Abilities of Google Cloud.
pub static ABOUT: About = About {
    title: "Google Cloud",
    regions: region::GCP,
    release_deadline: Duration::from_mins(30),
    static_sites: Some(SiteAbout {
        switch: Switch::Atomic,
        own_address: true,
        not_found_page: true,
        redirects: Rules::All,
        headers: Rules::All,
        bases: &[Base::Apis, Base::Containers, Base::Files],
        idle: &[IdleCost { item: "files of the site", price_key: "gcp.storage.standard", per: Per::Deployment }],
    }),
    servers: Some(ServerAbout {
        switch: Switch::Atomic,
        own_address: true,
        sleeps: true,
        variable_bytes: crate::variables::LONGEST,
        bases: &[Base::Apis, Base::Containers],
        idle: &[
            IdleCost {
                item: "container images beyond the first 0.5 GB",
                price_key: "gcp.artifactregistry.storage",
                per: Per::Deployment,
            },
            IdleCost {
                item: "secret variables beyond the first six",
                price_key: "gcp.secretmanager.version",
                per: Per::Deployment,
            },
        ],
    }),
};
