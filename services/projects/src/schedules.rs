//! Schedules: what people set up, when it is due, and what one run does.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::access::{Actor, Credential, Permission, Target};
use domain::deployment::Deployment;
use domain::environment::{Environment, environment_label};
use domain::id::{ProjectId, ScheduleId};
use domain::schedule::{Action, ExpectedRun, MISSED_AFTER, MissedRuns, RunState, Schedule, Timetable};
use domain::time::{Timestamp, now};
use jobs::payload::ScheduleRunJob;
use jobs::{JobAttempt, JobError, Outcome};
use serde_json::{Value, json};
use services_core::alerts::raise;
use services_core::audit::{self, AuditEntry, record};
use services_core::environments::parse_environment;
use services_core::unit_of_work::UnitOfWork;
use services_core::{Result, ServiceError, require_on, require_somewhere};
use store::{Lock, Page, StoreError, Tx};

use crate::Schedules;
use crate::deployments::{Occasion, Trigger, TriggerSource};

/// The most schedules a project may have, and how many are looked at in one step.
const MAX_SCHEDULES: usize = 100;
const DUE_AT_ONCE: i64 = 200;
/// Timeout of a run: the maximum, and the default.
const MAX_TIMEOUT: i64 = 600;
const TIMEOUT: i64 = 60;
/// Time after its due time by which a run is expected to have begun, and after its timeout to have ended.
const GRACE: TimeDelta = TimeDelta::seconds(30);

/// Parameters of a new schedule.
#[derive(Debug, Clone)]
pub struct NewSchedule {
    /// The project.
    pub project: ProjectId,
    /// The environment; production when absent.
    pub environment: Option<String>,
    /// Its name.
    pub name: String,
    /// Times of the runs, as a cron expression.
    pub cron: String,
    /// Time zone; UTC if absent.
    pub time_zone: Option<String>,
    /// Action of the schedule.
    pub action: Action,
    /// Treatment of missed times.
    pub missed: MissedRuns,
    /// Timeout of one run, seconds.
    pub timeout_seconds: Option<i64>,
}

fn timetable(cron: &str, time_zone: &str) -> Result<Timetable> {
    Timetable::parse(cron, time_zone).map_err(|error| {
        let field = if matches!(error, domain::schedule::TimetableError::TimeZone(_)) { "timeZone" } else { "cron" };
        ServiceError::invalid(field, "INVALID_SCHEDULE", error)
    })
}

fn parse_name(text: &str) -> Result<String> {
    let name = text.trim();
    let fits = (1..=60).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits {
        Ok(name.to_owned())
    } else {
        Err(ServiceError::invalid("name", "INVALID_NAME", "give a name of 1 to 60 characters"))
    }
}

/// Builds the audit log's details of a schedule.
fn logged(schedule: &Schedule) -> Value {
    json!({
        "name": schedule.name,
        "environment": schedule.environment,
        "cron": schedule.cron,
        "timeZone": schedule.time_zone,
        "action": schedule.action,
        "enabled": schedule.enabled,
        "timeoutSeconds": schedule.timeout_seconds,
        "createdBy": schedule.created_by,
    })
}

fn check_action(action: &Action) -> Result<()> {
    match action {
        Action::Request { path }
            if !path.starts_with('/') || path.len() > 2000 || path.contains(|c: char| c.is_whitespace() || c.is_control()) =>
        {
            Err(ServiceError::invalid(
                "path",
                "INVALID_PATH",
                "give a path that begins with `/` and has no blanks, such as /api/cron",
            ))
        }
        Action::Request { .. } | Action::Deploy => Ok(()),
    }
}

impl Schedules {
    /// The schedules of a project, by name.
    pub async fn list(&self, actor: &Actor, project: ProjectId) -> Result<Vec<Schedule>> {
        require_on(actor, Permission::ProjectRead, Target::Project(project), "project")?;
        Ok(self.store().schedule_list(actor.team_id, project).await?)
    }

    /// The runs of a schedule, the latest first; those due before a moment, if one is given.
    pub async fn runs(&self, actor: &Actor, id: ScheduleId, before: Option<Timestamp>, limit: i64) -> Result<Page<ExpectedRun>> {
        require_somewhere(actor, Permission::ProjectRead)?;
        let schedule = self.get(actor, id).await?;
        require_on(actor, Permission::ProjectRead, Target::Project(schedule.project_id), "schedule")?;
        Ok(self.store().schedule_run_list(actor.team_id, id, before, limit).await?)
    }

    /// Makes a schedule. It acts for whoever made it, with the rights they have at each run.
    pub async fn create(&self, actor: &Actor, input: NewSchedule) -> Result<Schedule> {
        let environment = parse_environment(input.environment.as_deref())?;
        let entry = AuditEntry::new(audit::Action::ScheduleCreate);
        let mut allowed = self.require_environment(actor, Permission::ProjectWrite, input.project, &environment).await;
        if allowed.is_ok() && input.action == Action::Deploy {
            allowed = self.require_environment(actor, Permission::DeploymentWrite, input.project, &environment).await;
        }
        self.audit_denial(actor, &entry.clone().on("project", input.project), allowed).await?;
        check_action(&input.action)?;
        let project = self.store().project_get(actor.team_id, input.project).await?.ok_or(ServiceError::NotFound("project"))?;
        let time_zone = input.time_zone.unwrap_or_else(|| "UTC".to_owned());
        let next = timetable(&input.cron, &time_zone)?.next_after(now());
        let next = next.ok_or_else(|| {
            let error = domain::schedule::TimetableError::Never(input.cron.clone());
            ServiceError::invalid("cron", "INVALID_SCHEDULE", error)
        })?;
        let timeout = input.timeout_seconds.unwrap_or(TIMEOUT);
        if !(1..=MAX_TIMEOUT).contains(&timeout) {
            let message = format!("{timeout} is out of range: give 1 to {MAX_TIMEOUT} seconds");
            return Err(ServiceError::invalid("timeoutSeconds", "OUT_OF_RANGE", message));
        }
        if self.store().schedule_list(actor.team_id, project.id).await?.len() >= MAX_SCHEDULES {
            let message = format!("the project has {MAX_SCHEDULES} schedules, the most it may: delete one");
            return Err(ServiceError::invalid("projectId", "TOO_MANY", message));
        }
        let schedule = Schedule {
            id: ScheduleId::new(),
            team_id: actor.team_id,
            project_id: project.id,
            environment: environment.to_string(),
            name: parse_name(&input.name)?,
            cron: input.cron,
            time_zone,
            action: input.action,
            missed: input.missed,
            enabled: true,
            timeout_seconds: timeout,
            next_due_at: Some(next),
            created_by: actor.user_id,
            created_at: now(),
        };
        let mut tx = self.begin().await?;
        tx.schedule_insert(&schedule).await.map_err(|error| match error {
            StoreError::Exists => {
                let message = format!("the project has a schedule `{}` already: choose another name", schedule.name);
                ServiceError::invalid("name", "TAKEN", message)
            }
            error => error.into(),
        })?;
        let entry = entry.on("schedule", schedule.id).named(&schedule.name).in_project(project.id, &project.name);
        record(&mut tx, actor, entry.after(logged(&schedule))).await?;
        tx.commit().await?;
        Ok(schedule)
    }

    /// Enables a schedule, from its next time on, or disables it.
    pub async fn enable(&self, actor: &Actor, id: ScheduleId, enabled: bool) -> Result<Schedule> {
        let entry = AuditEntry::new(audit::Action::ScheduleEnable).on("schedule", id);
        let schedule = self.schedule_to_change(actor, id, &entry).await?;
        let next = if enabled { timetable(&schedule.cron, &schedule.time_zone)?.next_after(now()) } else { None };
        let mut tx = self.begin().await?;
        tx.schedule_enable(actor.team_id, id, enabled, next).await?;
        let entry = entry.named(&schedule.name).detail("project", json!({"id": schedule.project_id}));
        let entry = entry.before(json!({"enabled": schedule.enabled})).after(json!({"enabled": enabled}));
        record(&mut tx, actor, entry).await?;
        tx.commit().await?;
        self.get(actor, id).await
    }

    /// Deletes a schedule with its ledger.
    pub async fn delete(&self, actor: &Actor, id: ScheduleId) -> Result<()> {
        let entry = AuditEntry::new(audit::Action::ScheduleDelete).on("schedule", id);
        let schedule = self.schedule_to_change(actor, id, &entry).await?;
        let mut tx = self.begin().await?;
        if !tx.schedule_delete(actor.team_id, id).await? {
            return Err(ServiceError::NotFound("schedule"));
        }
        for kind in ["run_missed", "run_failed"] {
            tx.alert_resolve(kind, &id.to_string()).await?;
        }
        let entry = entry.named(&schedule.name).detail("project", json!({"id": schedule.project_id}));
        record(&mut tx, actor, entry.before(logged(&schedule))).await?;
        Ok(tx.commit().await?)
    }

    async fn schedule_to_change(&self, actor: &Actor, id: ScheduleId, entry: &AuditEntry) -> Result<Schedule> {
        self.audit_denial(actor, entry, require_somewhere(actor, Permission::ProjectWrite)).await?;
        let schedule = self.get(actor, id).await?;
        let environment = parse_environment(Some(&schedule.environment))?;
        let allowed = self.require_environment(actor, Permission::ProjectWrite, schedule.project_id, &environment).await;
        self.audit_denial(actor, entry, allowed).await?;
        Ok(schedule)
    }

    async fn get(&self, actor: &Actor, id: ScheduleId) -> Result<Schedule> {
        self.store().schedule_get(actor.team_id, id).await?.ok_or(ServiceError::NotFound("schedule"))
    }

    /// Returns true if any schedule is due.
    pub async fn is_any_due(&self, at: Timestamp) -> Result<bool, StoreError> {
        Ok(!self.store().schedule_list_due(at, 1).await?.is_empty())
    }

    /// Writes the runs of all schedules that are due into the ledger, each with its job, and moves the schedules on.
    pub async fn fire_due(&self, tx: &mut UnitOfWork, at: Timestamp) -> Result<(), StoreError> {
        for schedule in self.store().schedule_list_due(at, DUE_AT_ONCE).await? {
            // What was valid when it was made stays so; a time zone that a later release drops ends the schedule.
            let Ok(table) = Timetable::parse(&schedule.cron, &schedule.time_zone) else {
                tx.schedule_enable(schedule.team_id, schedule.id, false, None).await?;
                continue;
            };
            let due = table.due(schedule.next_due_at.unwrap_or(at), at, schedule.missed);
            if !tx.schedule_advance(&schedule, due.next).await? {
                continue;
            }
            for due_at in &due.runs {
                if tx.run_expect(&entry(&schedule, *due_at, RunState::Waiting, at)).await? {
                    let payload =
                        ScheduleRunJob { version: 1, team_id: schedule.team_id, schedule_id: schedule.id, due_at: *due_at };
                    tx.enqueue(&payload).await?;
                }
            }
            for due_at in &due.skipped {
                tx.run_expect(&entry(&schedule, *due_at, RunState::Skipped, at)).await?;
            }
            if !due.skipped.is_empty() {
                let message = format!(
                    "`{}` was not run at {} times, the last of them {}, because no MikroCloud was there; they are not made up for",
                    schedule.name,
                    due.skipped.len(),
                    due.skipped.last().map(Timestamp::to_rfc3339).unwrap_or_default()
                );
                raise(tx, Some(schedule.team_id), "run_missed", &schedule.id.to_string(), message).await?;
            }
        }
        Ok(())
    }

    /// Brings schedules back that a clock which was ahead has moved on too far, and forgets times that were skipped while it was: they are
    /// still to come. What ran early does not run again.
    pub async fn pull_back(&self, at: Timestamp) -> Result<(), StoreError> {
        let far: Vec<_> = self.store().schedule_list_ahead(at).await?;
        let early = far.iter().filter_map(|schedule| {
            // What cannot be read is ended when it is due.
            let next = Timetable::parse(&schedule.cron, &schedule.time_zone).ok()?.next_after(at)?;
            (schedule.next_due_at > Some(next)).then_some((schedule, next))
        });
        let early: Vec<_> = early.collect();
        if early.is_empty() && !self.store().run_is_any_ahead(at).await? {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        if !tx.try_lock(Lock::Watch).await? {
            return Ok(());
        }
        for (schedule, next) in early {
            if tx.schedule_advance(schedule, Some(next)).await? {
                tracing::warn!(schedule.id = %schedule.id, "the clock went back: a schedule is due again at {next}");
            }
        }
        tx.run_forget_skipped(at).await?;
        tx.commit().await
    }

    /// The work of a [`ScheduleRunJob`].
    pub async fn run(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: ScheduleRunJob = run.payload()?;
        let Some(schedule) = self.store().schedule_get(job.team_id, job.schedule_id).await? else { return Ok(Outcome::Done) };
        let deadline = now() + TimeDelta::seconds(schedule.timeout_seconds) + GRACE;
        let mut tx = self.begin().await?;
        tx.job_fence(run.fence).await?;
        if !tx.schedule_run_begin(schedule.id, job.due_at, deadline).await? {
            return Ok(Outcome::Done);
        }
        tx.commit().await?;
        let limit = Duration::from_secs(schedule.timeout_seconds.unsigned_abs());
        let done = tokio::select! {
            done = tokio::time::timeout(limit, self.act(run, &schedule, job.due_at)) => {
                done.unwrap_or_else(|_| Err(format!("it took longer than {} seconds", schedule.timeout_seconds)))
            }
            () = run.stop.cancelled() => return Err(JobError::Stopped),
        };
        match done {
            // The deployment, the ledger and the end of the job were one transaction.
            Ok(None) => Ok(Outcome::Recorded),
            Ok(Some(outcome)) => self.end_run(run, &schedule, job.due_at, RunState::Done, &outcome).await,
            Err(reason) => self.end_run(run, &schedule, job.due_at, RunState::Failed, &reason).await,
        }
    }

    /// Does what the schedule says; returns what came of it, or nothing when that is recorded already.
    async fn act(&self, run: &JobAttempt, schedule: &Schedule, due_at: Timestamp) -> Result<Option<String>, String> {
        match &schedule.action {
            Action::Deploy => {
                let rights =
                    self.sessions().rights(schedule.team_id, schedule.created_by).await.map_err(|error| error.to_string())?;
                let rights = rights.ok_or("who made this schedule is no longer in the team: make it anew")?;
                let actor = Actor {
                    user_id: schedule.created_by,
                    team_id: schedule.team_id,
                    rights: Arc::new(rights),
                    scopes: None,
                    credential: Credential::Schedule(schedule.id),
                    expires_at: None,
                    origin: None,
                };
                let trigger = Trigger {
                    project: schedule.project_id,
                    environment: Some(schedule.environment.clone()),
                    cloud: None,
                    region: None,
                    source: TriggerSource::Git { repository: None, reference: None },
                    directory: None,
                };
                let scheduled = ScheduledRun { fence: run.fence, schedule: schedule.id, due_at };
                self.deployments().trigger_for(&actor, trigger, &scheduled).await.map_err(|error| error.to_string())?;
                Ok(None)
            }
            Action::Request { path } => self.request(schedule, path).await.map(Some),
        }
    }

    async fn request(&self, schedule: &Schedule, path: &str) -> Result<String, String> {
        let project = self.store().project_get(schedule.team_id, schedule.project_id).await.map_err(|error| error.to_string())?;
        let project = project.ok_or("the project is gone")?;
        let environment = schedule.environment.parse().map_err(|_| "the environment's name is none".to_owned())?;
        let labels = self.host_labels().map_err(|error| error.to_string())?;
        let label = environment_label(&project.name, &environment);
        let reach = labels.reach(&label).await.map_err(|error| error.to_string())?;
        let client =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().map_err(|error| error.to_string())?;
        let request =
            client.get(format!("{}{path}", reach.base)).header("host", reach.host).header("user-agent", "MikroCloud-Schedule");
        let response =
            request.send().await.map_err(|error| format!("GET {path} got no answer: {}", jobs::handler::chain(&error)))?;
        let status = response.status();
        if status.is_client_error() || status.is_server_error() {
            return Err(format!("GET {path} answered {status}"));
        }
        Ok(format!("GET {path} answered {status}"))
    }

    async fn end_run(
        &self,
        run: &JobAttempt,
        schedule: &Schedule,
        due_at: Timestamp,
        state: RunState,
        outcome: &str,
    ) -> Result<Outcome, JobError> {
        let mut tx = self.begin().await?;
        tx.job_fence(run.fence).await?;
        end(&mut tx, schedule.id, due_at, state, outcome).await?;
        if state == RunState::Failed {
            let message = format!("`{}`, due at {}, failed: {outcome}", schedule.name, due_at.to_rfc3339());
            raise(&mut tx, Some(schedule.team_id), "run_failed", &schedule.id.to_string(), message).await?;
        }
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        Ok(Outcome::Recorded)
    }
}

/// A run that a deployment is triggered for: recorded in the same transaction, so that it is never triggered twice.
struct ScheduledRun {
    fence: domain::job::Fence,
    schedule: ScheduleId,
    due_at: Timestamp,
}

#[async_trait]
impl Occasion for ScheduledRun {
    async fn record(&self, tx: &mut UnitOfWork, deployment: &Deployment, _environment: &Environment) -> Result<()> {
        tx.job_fence(self.fence).await?;
        let outcome = format!("triggered deployment number {}", deployment.number);
        end(tx, self.schedule, self.due_at, RunState::Done, &outcome).await?;
        Ok(tx.job_finish(self.fence).await?)
    }
}

/// Ends a run in the ledger; what was said about it being late, or about failures before a success, is over.
async fn end(tx: &mut Tx, schedule: ScheduleId, due_at: Timestamp, state: RunState, outcome: &str) -> Result<(), StoreError> {
    tx.schedule_run_end(schedule, due_at, state, outcome).await?;
    tx.alert_resolve("run_missed", &schedule.to_string()).await?;
    if state == RunState::Done {
        tx.alert_resolve("run_failed", &schedule.to_string()).await?;
    }
    Ok(())
}

fn entry(schedule: &Schedule, due_at: Timestamp, state: RunState, at: Timestamp) -> ExpectedRun {
    let skipped = state == RunState::Skipped;
    ExpectedRun {
        schedule_id: schedule.id,
        due_at,
        team_id: schedule.team_id,
        state,
        deadline: due_at.max(at) + MISSED_AFTER,
        outcome: skipped.then(|| "nobody was there".to_owned()),
        started_at: None,
        finished_at: skipped.then_some(at),
    }
}
