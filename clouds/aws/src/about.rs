use std::time::Duration;

use clouds_contract::{About, Base, IdleCost, Per, Rules, SiteAbout, Switch};
use domain::region;

/// Abilities of Amazon Web Services.
pub static ABOUT: About = About {
    title: "Amazon Web Services",
    regions: region::AWS,
    // A first distribution alone may take a quarter of an hour.
    release_deadline: Duration::from_mins(45),
    static_sites: Some(SiteAbout {
        switch: Switch::Atomic,
        own_address: false,
        not_found_page: true,
        redirects: Rules::None,
        headers: Rules::None,
        bases: &[Base::Front, Base::Files],
        idle: &[IdleCost { item: "files of the site", price_key: "aws.s3.standard", per: Per::Deployment }],
    }),
    servers: None,
};
