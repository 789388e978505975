#![doc = include_str!("../README.md")]

mod build;
mod delete_project;
mod release;
mod resolve;
mod retire;
mod run;

use jobs::Registration;
use jobs::payload::{BuildJob, DeleteProjectJob, ReleaseJob, ResolveJob, RetireJob, RunJob};
use services::Services;

/// Every handler there is.
pub fn registrations(services: &Services) -> Vec<Registration> {
    vec![
        Registration::of::<BuildJob>(build::Build(services.clone())),
        Registration::of::<ResolveJob>(resolve::Resolve(services.clone())),
        Registration::of::<ReleaseJob>(release::Release(services.clone())),
        Registration::of::<RetireJob>(retire::Retire(services.clone())),
        Registration::of::<RunJob>(run::Run(services.clone())),
        Registration::of::<DeleteProjectJob>(delete_project::DeleteProject(services.clone())),
    ]
}
