use std::time::Duration;

use clouds_contract::{About, Base, IdleCost, Per, Rules, ServerAbout, SiteAbout, Switch};
use domain::region;

use crate::variables::LONGEST;

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
    servers: Some(ServerAbout {
        switch: Switch::Atomic,
        own_address: false,
        sleeps: false,
        variable_bytes: LONGEST,
        bases: &[Base::Containers],
        idle: &[
            IdleCost { item: "load balancer", price_key: "aws.elb.application", per: Per::AccountRegion },
            IdleCost { item: "public addresses of the load balancer", price_key: "aws.ipv4.public", per: Per::AccountRegion },
            IdleCost { item: "tasks on Fargate", price_key: "aws.fargate", per: Per::Deployment },
            IdleCost { item: "public addresses of tasks", price_key: "aws.ipv4.public", per: Per::Deployment },
            IdleCost { item: "images", price_key: "aws.ecr.storage", per: Per::Deployment },
        ],
    }),
};
