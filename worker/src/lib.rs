#![doc = include_str!("../README.md")]

mod account_mail;
mod build;
mod check_domain;
mod commit_status;
mod delete_environment;
mod delete_project;
mod letter;
mod notify;
mod preview_comment;
mod release;
mod resolve;
mod retire;
mod run;
mod webhook;

use jobs::Registration;
use jobs::payload::{
    AccountMailJob, BuildJob, CheckDomainJob, CommitStatusJob, DeleteEnvironmentJob, DeleteProjectJob, LetterJob, NotifyJob,
    PreviewCommentJob, ReleaseJob, ResolveJob, RetireJob, RunJob, WebhookJob,
};
use services::Services;

/// Every handler there is.
pub fn registrations(services: &Services) -> Vec<Registration> {
    vec![
        Registration::of::<BuildJob>(build::Build(services.clone())),
        Registration::of::<ResolveJob>(resolve::Resolve(services.clone())),
        Registration::of::<ReleaseJob>(release::Release(services.clone())),
        Registration::of::<RetireJob>(retire::Retire(services.clone())),
        Registration::of::<RunJob>(run::Run(services.clone())),
        Registration::of::<NotifyJob>(notify::Notify(services.clone())),
        Registration::of::<AccountMailJob>(account_mail::AccountMail(services.clone())),
        Registration::of::<LetterJob>(letter::SendLetter(services.clone())),
        Registration::of::<DeleteProjectJob>(delete_project::DeleteProject(services.clone())),
        Registration::of::<DeleteEnvironmentJob>(delete_environment::DeleteEnvironment(services.clone())),
        Registration::of::<WebhookJob>(webhook::Webhook(services.clone())),
        Registration::of::<CheckDomainJob>(check_domain::CheckDomain(services.clone())),
        Registration::of::<CommitStatusJob>(commit_status::CommitStatus(services.clone())),
        Registration::of::<PreviewCommentJob>(preview_comment::PreviewComment(services.clone())),
    ]
}
