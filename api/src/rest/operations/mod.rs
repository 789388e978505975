//! Resources that operators and teams look after: jobs.

mod jobs;

pub(super) use jobs::routes;
