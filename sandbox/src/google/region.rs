//! Short names of regions and numbers of projects.

use crate::world::digest_of;

/// The short name of a region in addresses of Cloud Run, such as `ew` for `europe-west1`.
pub(super) fn short_name(region: &str) -> String {
    const NAMES: [(&str, &str); 12] = [
        ("us-central1", "uc"),
        ("us-east1", "ue"),
        ("us-east4", "uk"),
        ("us-west1", "uw"),
        ("europe-west1", "ew"),
        ("europe-west2", "nw"),
        ("europe-west3", "ey"),
        ("europe-north1", "lz"),
        ("asia-southeast1", "as"),
        ("asia-northeast1", "an"),
        ("asia-south1", "el"),
        ("australia-southeast1", "ts"),
    ];
    let known = NAMES.iter().find(|(name, _)| *name == region).map(|(_, short)| (*short).to_owned());
    known.unwrap_or_else(|| region.chars().filter(char::is_ascii_alphanumeric).collect())
}

/// The number of a project, which follows from its id.
pub(super) fn project_number(project: &str) -> String {
    let digest = digest_of(project.as_bytes());
    let number = u64::from_str_radix(&digest[..10], 16).unwrap_or(0) % 900_000_000_000;
    (100_000_000_000 + number).to_string()
}

/// Ten letters and digits that stand for a project in addresses of Cloud Run.
pub(super) fn project_hash(project: &str, region: &str) -> String {
    digest_of(format!("{project}/{region}").as_bytes())[..10].to_owned()
}
