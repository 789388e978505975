//! Addresses of services.

use super::Place;
use crate::google::region::{project_hash, project_number, short_name};

/// Host of a service, such as `web-0a1b2c3d4e-ew.a.run.app`.
pub(super) fn host(place: &Place) -> String {
    let Place { project, location, service } = place;
    format!("{service}-{}-{}.a.run.app", project_hash(project, location), short_name(location))
}

/// The second host of a service, which can be told in advance.
pub(super) fn second_host(place: &Place) -> String {
    let Place { project, location, service } = place;
    format!("{service}-{}.{location}.run.app", project_number(project))
}

/// Host that shows the revision of a tag.
pub(super) fn tagged_host(place: &Place, tag: &str) -> String {
    format!("{tag}---{}", host(place))
}
