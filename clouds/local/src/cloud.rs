//! cloud
/// Placeholder until the edge is there.
pub struct LocalCloud;
