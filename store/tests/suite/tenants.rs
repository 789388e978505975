//! No team reaches what another has: every function of the store that takes a team's id is tried with the id of a stranger.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;

use domain::access::{Permission, Permissions, Role, RoleRef};
use domain::approval::ApprovalState;
use domain::cloud::{CloudAccount, CloudBase, CloudResource, Placement, TargetState};
use domain::custom_domain::CustomDomain;
use domain::deployment::DeploymentStatus;
use domain::event::NewLine;
use domain::git_host::WebhookDeliveryState;
use domain::id::{
    ApiKeyId, DeliveryId, DeploymentId, GitConnectionId, GitDeliveryId, GrantId, InvitationId, JobId, ObjectId, PreviewId,
    RoleId, ScheduleId, TeamId, UserId,
};
use domain::log_archive::LogArchive;
use domain::notification::{Attempt, Channel};
use domain::retention::GivenUp;
use domain::team::Membership;
use domain::time::now;
use domain::workload::{StaticSite, WorkloadKind, WorkloadSpec};
use serde_json::json;
use store::{
    ArtifactUsage, AttemptEnd, AuditCheckpointRow, AuditFilter, ChannelEdit, ChannelHealth, DeliveryFilter, DeploymentChange,
    EventKey, GitConnectionChange, Invitation, JobFilter, LetterRow, NewApiKey, NewGrant, NewJob, Page, ProjectChange, Store,
    WebhookDeliveryOutcome,
};

use crate::audit::{chain_of, hour};
use crate::fixture::{self, Tenant, digest, write};

const NO_DATA_OF_OTHERS: [&str; 18] = [
    // The row belongs to the very team that is given, and to nothing of another.
    "team_lock",
    "team_key_get",
    "team_key_list",
    "team_key_insert",
    "upload_put",
    "team_get",
    "team_rename",
    // It says in which teams a user is, and one of them is chosen.
    "membership_by_provider",
    "device_decide",
    "audit_chain_insert",
    // The teams of a user.
    "team_list_of",
    // For housekeeping, which works for all teams.
    "artifact_team_list",
    "log_list_archivable",
    // For operators; the team is where a list goes on.
    "team_list",
    // For operators; the team is what is written.
    "git_installation_assign",
    "audit_list_unsigned",
    "audit_list_older",
    // For who changes the master key, which is every team's.
    "team_key_versions",
];

/// An answer that tells a stranger nothing.
trait Nothing: Debug {
    fn is_nothing(&self) -> bool;
}

impl<T: Debug> Nothing for Option<T> {
    fn is_nothing(&self) -> bool {
        self.is_none()
    }
}

impl<T: Debug> Nothing for Vec<T> {
    fn is_nothing(&self) -> bool {
        self.is_empty()
    }
}

impl<T: Debug> Nothing for Page<T> {
    fn is_nothing(&self) -> bool {
        self.items.is_empty() && !self.has_more
    }
}

impl Nothing for i64 {
    fn is_nothing(&self) -> bool {
        *self == 0
    }
}

impl Nothing for ArtifactUsage {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl Nothing for u64 {
    fn is_nothing(&self) -> bool {
        *self == 0
    }
}

impl Nothing for (CloudBase, bool) {
    fn is_nothing(&self) -> bool {
        false
    }
}

impl Nothing for bool {
    fn is_nothing(&self) -> bool {
        !self
    }
}

impl Nothing for () {
    fn is_nothing(&self) -> bool {
        true
    }
}

/// A number that is another for each team.
fn rand_number(team: TeamId) -> i64 {
    i64::try_from(team.uuid().as_u128() % (1 << 62)).unwrap()
}

/// An archive of a deployment's first line.
fn archive(team_id: TeamId, deployment_id: DeploymentId) -> LogArchive {
    let (object_id, chunks) = (ObjectId::new(), Vec::new());
    LogArchive { team_id, deployment_id, first_number: 1, last_number: 1, object_id, size_bytes: 1, chunks }
}

/// An attempt that failed for good.
fn attempted() -> AttemptEnd {
    let attempt =
        Attempt { number: 0, at: now(), duration_ms: 1, status: Some(500), error: Some("500".to_owned()), excerpt: None };
    AttemptEnd { attempt, state: domain::notification::DeliveryState::Failed, next_attempt_at: None }
}

/// A team that has one of everything.
struct Everything {
    tenant: Tenant,
    superseded: DeploymentId,
    waiting: DeploymentId,
    member: UserId,
    role: RoleId,
    spare: RoleId,
    grant: NewGrant,
    key: ApiKeyId,
    invitation: InvitationId,
    job: JobId,
    failed: JobId,
    schedule: ScheduleId,
    domain: CustomDomain,
    account: CloudAccount,
    base: CloudBase,
    placement: Placement,
    thing: CloudResource,
    connection: GitConnectionId,
    delivery: GitDeliveryId,
    preview: PreviewId,
    channel: Channel,
    /// It waits.
    pending: DeliveryId,
    /// It was given up after an attempt.
    ended: DeliveryId,
    letter: LetterRow,
}

impl Everything {
    #[expect(clippy::too_many_lines, reason = "a line for each thing that there is")]
    async fn new(store: &Store) -> Self {
        let tenant = Tenant::with_status(store, DeploymentStatus::Releasing).await;
        let (team, environment, member) = (tenant.id(), tenant.environment.id, fixture::user());
        let superseded = fixture::deployment(&tenant.environment, 2, DeploymentStatus::Superseded);
        let others = [DeploymentStatus::Live, DeploymentStatus::Queued];
        let job = NewJob { subject_id: Some(tenant.deployment.id.uuid()), ..fixture::job(team) };
        let (user_id, scopes) = (member.id, Permissions::of(&[Permission::ProjectRead]));
        let (role, spare) = (fixture::role(team), fixture::role(team));
        let grant =
            NewGrant { id: GrantId::new(), user_id, role: RoleRef::Custom(role.id), target: (&tenant.environment).into() };
        let hash = team.to_string();
        let key = NewApiKey {
            id: ApiKeyId::new(),
            team_id: team,
            user_id,
            name: "k",
            prefix: "p",
            hash: &hash,
            scopes,
            expires_at: None,
        };
        let invitation = Invitation {
            id: InvitationId::new(),
            team_id: team,
            user_id,
            role: RoleRef::BuiltIn(Role::Viewer),
            invited_by: user_id,
            expires_at: now() + chrono::TimeDelta::days(7),
        };
        let (failed, schedule) = (fixture::job(team), fixture::schedule(&tenant.project));
        let run = fixture::run(&schedule);
        let alert = fixture::alert(team);
        let domain = fixture::domain(&tenant.environment, &format!("{}.example", tenant.project.name));
        let served = fixture::domain(&tenant.environment, &format!("{}.example.org", tenant.project.name));
        let served = CustomDomain { verified_at: Some(now()), ..served };
        let account = fixture::cloud_account(team, "main");
        let placement = fixture::placement(&tenant.environment, account.id);
        let thing = fixture::cloud_resource(&placement, tenant.deployment.id);
        let mut base = None;
        let connection = fixture::git_connection(&tenant.project);
        let (delivery, preview) = (fixture::git_delivery(&connection), fixture::preview(&connection, &tenant.environment));
        let installation = rand_number(team);
        let channel = fixture::channel(&tenant, Some(tenant.project.id));
        let (pending, ended) = (fixture::delivery(&channel), fixture::delivery(&channel));
        let letter = fixture::letter(team, user_id);
        let mut waiting = tenant.deployment.id;
        write(store, async |tx| {
            tx.user_insert(&member).await?;
            tx.membership_put(&Membership { team_id: team, user_id, role: RoleRef::BuiltIn(Role::Owner) }).await?;
            tx.role_insert(&role).await?;
            tx.role_insert(&spare).await?;
            assert!(tx.grant_put(team, &grant).await?);
            tx.api_key_insert(&key).await?;
            tx.api_key_is_login(team, key.id).await?;
            tx.invitation_put(&invitation, &hash).await?;
            tx.deployment_insert(&superseded).await?;
            for (number, status) in (3..).zip(others) {
                let deployment = fixture::deployment(&tenant.environment, number, status);
                tx.deployment_insert(&deployment).await?;
                tx.approval_insert(&fixture::approval(&deployment)).await?;
                waiting = deployment.id;
            }
            tx.event_insert(tenant.key(), DeploymentStatus::Releasing, "releasing").await?;
            tx.log_insert(team, tenant.deployment.id, &[NewLine::system("hello")]).await?;
            tx.variable_insert(team, environment, &fixture::variable("KEY", b"sealed"), 1).await?;
            tx.resource_put(&fixture::resource(&tenant.deployment)).await?;
            tx.resource_put(&fixture::resource(&superseded)).await?;
            tx.local_workload_put((team, tenant.project.id, tenant.deployment.id), &json!({ "a": 1 }), &json!({})).await?;
            tx.local_route_put(tenant.project.name.as_str(), (team, tenant.project.id, environment), tenant.deployment.id)
                .await?;
            tx.upload_put(team, &digest(1), 1).await?;
            tx.artifact_put(&digest(2), 1, 1).await?;
            tx.deployment_set_artifact(team, superseded.id, &digest(2), &WorkloadSpec::Static(StaticSite::default())).await?;
            tx.log_insert(team, superseded.id, &[NewLine::system("archived")]).await?;
            tx.log_archive_insert(&archive(team, superseded.id)).await?;
            tx.job_insert(&failed).await?;
            tx.schedule_insert(&schedule).await?;
            tx.run_expect(&run).await?;
            tx.alert_raise(&alert).await?;
            tx.domain_insert(&domain).await?;
            tx.domain_insert(&served).await?;
            tx.cloud_account_insert(&account, b"sealed").await?;
            let (opened, _) = tx.cloud_base_open(team, account.id, "europe-west1", "containers").await?;
            base = Some(opened);
            tx.placement_open(&placement).await?;
            tx.deployment_target_put(team, tenant.deployment.id, placement.id).await?;
            tx.cloud_resource_open(&thing).await?;
            tx.git_connection_insert(&connection, &fixture::git_secrets()).await?;
            assert!(tx.git_delivery_insert(&delivery).await?);
            tx.preview_put(&preview).await?;
            tx.git_report_insert(&fixture::git_report(&preview, tenant.deployment.id)).await?;
            tx.git_installation_put(&fixture::installation(installation), now()).await?;
            assert!(tx.git_installation_assign(installation, Some(team)).await?);
            tx.letter_insert(&letter).await?;
            tx.channel_insert(&channel).await?;
            tx.delivery_insert(&pending).await?;
            tx.delivery_insert(&ended).await?;
            tx.delivery_attempted(team, ended.id, &attempted()).await?;
            tx.job_insert(&job).await
        })
        .await;
        fixture::fail(store, failed.id).await;
        chain_of(store, team, 3, &[2]).await;
        let (failed, schedule) = (failed.id, schedule.id);
        Self {
            tenant,
            superseded: superseded.id,
            waiting,
            member: user_id,
            role: role.id,
            spare: spare.id,
            grant,
            key: key.id,
            invitation: invitation.id,
            job: job.id,
            failed,
            schedule,
            domain,
            account,
            base: base.unwrap(),
            placement,
            thing,
            connection: connection.id,
            delivery: delivery.row.id,
            preview: preview.id,
            channel,
            pending: pending.id,
            ended: ended.id,
            letter,
        }
    }

    /// Calls every read with this team's id. Each answer stands under the name of its function.
    #[expect(clippy::too_many_lines, reason = "a line for each function of the store")]
    async fn read(&self, store: &Store, team: TeamId) -> Vec<(&'static str, Box<dyn Nothing>)> {
        let Tenant { project, environment, deployment, .. } = &self.tenant;
        let (project_id, environment, deployment) = (project.id, environment.id, deployment.id);
        let mut answers: Vec<(&'static str, Box<dyn Nothing>)> = Vec::new();
        macro_rules! read {
            ($($function:ident($($argument:expr),*);)+) => {$(
                answers.push((stringify!($function), Box::new(store.$function(team $(, $argument)*).await.unwrap())));
            )+};
        }
        read! {
            standing_get(self.member);
            member_list();
            role_list();
            role_get(self.role);
            approval_get_many(&[self.waiting]);
            approval_list_pending(10);
            api_key_is_valid(self.key, now());
            api_key_list();
            invitation_list(now());
            project_get(project_id);
            project_by_name(project.name.as_str());
            project_get_many(&[project_id]);
            project_list(None, 10);
            project_brief_list(None, 10);
            project_count();
            project_event_count(project_id);
            environment_get(environment);
            environment_by_name(project_id, "production");
            environment_list(&[project_id]);
            variable_list(environment);
            variable_values(environment, 1);
            deployment_get(deployment);
            deployment_get_many(&[deployment]);
            deployment_list(project_id, Some(environment), None, 10);
            deployment_count(project_id);
            deployment_previous(environment);
            deployment_list_beyond(environment, 0);
            event_list(deployment, 0, 10);
            project_event_list(project_id, 0, 10);
            log_list(deployment, 0, 10);
            log_archive_list(self.superseded, 0);
            log_archive_objects(project_id);
            log_archive_usage();
            artifact_usage();
            resource_list(project_id);
            resource_list_of_deployment(deployment);
            upload_exists(&digest(1));
            job_get(self.job);
            job_count_before(deployment.uuid(), "test");
            job_list(&JobFilter::default(), None, 10);
            job_failure_list(self.failed);
            cloud_account_list();
            cloud_account_get(self.account.id);
            cloud_account_credential(self.account.id);
            cloud_account_uses(self.account.id);
            cloud_base_get(self.base.id);
            cloud_base_list(self.account.id);
            placement_get(self.placement.id);
            placement_list(environment);
            placement_list_of_project(project_id);
            placement_list_of_account(self.account.id);
            place_list_of_environments(&[environment]);
            place_list_of_deployments(&[deployment]);
            deployment_target_get(deployment);
            deployment_target_list(self.placement.id);
            cloud_resource_list_of(self.account.id, "europe-west1", deployment.uuid());
            cloud_resource_list(self.account.id, None, 10);
            domain_list(project_id);
            domain_get(self.domain.id);
            acme_domain_list_of(project_id, "https://authority.example.org/directory");
            git_connection_of(project_id);
            git_connection_get(self.connection);
            git_secrets(self.connection);
            git_installation_on("octo");
            git_delivery_list(self.connection, None, 10);
            git_delivery_get(self.delivery);
            git_delivery_event(self.delivery);
            preview_list(project_id);
            preview_get(self.preview);
            git_report_get(deployment);
            git_report_list_of_environment(environment);
            resource_list_of_environment(environment);
            log_archive_objects_of_environment(environment);
            schedule_list(project_id);
            schedule_get(self.schedule);
            schedule_run_list(self.schedule, None, 10);
            alert_list(false, None, 10);
            channel_list();
            channel_get(self.channel.id);
            delivery_list(self.channel.id, DeliveryFilter::default(), None, 10);
            delivery_get(self.ended);
            attempt_list(self.ended);
            letter_get(self.letter.id);
            audit_list(&AuditFilter::default(), None, 10);
            audit_range(0, 9, 9);
            audit_page(0, 9, 9, 100);
            audit_checkpoint_range(0, 9);
            audit_checkpoint_up_to(9);
            audit_checkpoint_from(1);
            audit_first_since(hour(0));
            audit_last_before(hour(9));
            audit_first_kept();
        }
        macro_rules! find {
            ($($function:ident($($argument:expr),*);)+) => {$(
                let answer = write(store, async |tx| tx.$function(team $(, $argument)*).await).await;
                answers.push((stringify!($function), Box::new(answer)));
            )+};
        }
        find! {
            artifact_holdings();
            artifact_hold(self.superseded);
            owner_count();
            standing_find(self.member);
            role_find(self.role);
            role_count();
            role_is_used(self.role);
            grant_holder(self.grant.id);
            approval_find(self.waiting);
            project_lock(project_id);
            environment_find(project_id, "production");
            environment_find_by_id(environment);
            domain_find(self.domain.id);
            domain_count(project_id);
            preview_find(self.connection, 2);
            preview_of_environment(environment);
            git_report_find(deployment);
            variable_count(environment);
            deployment_find(deployment);
            deployment_list_queued(environment);
            deployment_list_live(environment);
            deployment_list_moving(project_id);
            variable_values_now(environment);
            channel_find(self.channel.id);
            channel_count();
            channel_list_enabled(Some(project_id));
            channel_list_of_project(project_id);
            deployment_told(deployment);
            schedule_project(self.schedule);
            audit_head(None, None);
            audit_checkpoint_sequence();
            audit_retirable(hour(9), 9);
        }
        answers
    }

    /// Tries every write with the id of a stranger. Whether one says that nothing was done or fails: nothing may be changed.
    #[expect(clippy::too_many_lines, reason = "a table with a line for each function")]
    async fn write_as(&self, store: &Store, team: TeamId) -> Vec<(&'static str, bool)> {
        use DeploymentStatus::{Live, Releasing};
        let Tenant { project, environment, deployment, .. } = &self.tenant;
        let (project_id, environment, id) = (project.id, environment.id, deployment.id);
        let rename = ProjectChange { name: Some("stolen".parse().unwrap()), ..ProjectChange::default() };
        let change = DeploymentChange { from: Releasing, to: Live, deadline: None, failure: None };
        let (site, line) = (WorkloadSpec::Static(StaticSite::default()), [NewLine::system("stranger")]);
        let (new_value, other) = (fixture::variable("OTHER", b"stranger"), DeploymentId::new());
        let given_up = GivenUp { digest: digest(2), deployments: vec![self.superseded], bytes: 1 };
        let renamed = ChannelEdit {
            name: "stolen".to_owned(),
            events: self.channel.events.clone(),
            templates: self.channel.templates.clone(),
            sealed: None,
            recipients: Vec::new(),
            shown: String::new(),
        };
        let checkpoint = AuditCheckpointRow { sequence: 3, hash: digest(3), statement: "stolen".to_owned(), at: now() };
        let stolen = GitConnectionChange { previews: Some(false), ..GitConnectionChange::default() };
        let stolen_domain = CustomDomain { team_id: team, verified_at: Some(now()), ..self.domain.clone() };
        let stolen_base = CloudBase { team_id: team, ..self.base.clone() };
        let stolen_thing = CloudResource { team_id: team, ..self.thing.clone() };
        let outcome =
            WebhookDeliveryOutcome { state: WebhookDeliveryState::Failed, outcome: "stolen".to_owned(), deployment_id: None };
        let mut done = Vec::new();
        macro_rules! attempt {
            ($($function:ident($($argument:expr),*);)+) => {$({
                let mut tx = store.begin().await.unwrap();
                let nothing = tx.$function($($argument),*).await.map_or(true, |answer| answer.is_nothing());
                // What failed cannot be committed on PostgreSQL, which is as good.
                let _ = tx.commit().await;
                done.push((stringify!($function), nothing));
            })+};
        }
        attempt! {
            membership_delete(team, self.member);
            role_update(team, self.role, "stolen", Permissions::ALL);
            role_delete(team, self.spare);
            grant_put(team, &self.grant);
            grant_delete(team, self.grant.id);
            environment_protect(team, environment, true);
            approval_end(team, self.waiting, ApprovalState::Approved, None, Some("stolen"));
            api_key_revoke(team, self.key);
            api_key_is_login(team, self.key);
            api_key_revoke_login(team, self.key);
            invitation_delete(team, self.invitation);
            membership_of_provider(team, self.member, "stolen");
            project_update(team, project_id, &rename);
            project_mark_deleting(team, project_id);
            project_next_deployment(team, project_id);
            environment_next_config(team, environment);
            environment_set_live(team, environment, other);
            variable_end(team, environment, "KEY", 2);
            variable_insert(team, environment, &new_value, 2);
            deployment_change(team, id, &change);
            deployment_set_commit(team, id, "stolen");
            deployment_set_artifact(team, id, &digest(2), &site);
            deployment_begin_switch(team, id);
            deployment_is_switching(team, id);
            event_insert(EventKey { team_id: team, ..self.tenant.key() }, Live, "stolen");
            log_insert(team, id, &line);
            log_archive_insert(&archive(team, id));
            artifact_give_up(team, &given_up, now());
            job_cancel_subject(team, id.uuid());
            job_retry(team, self.failed, now());
            job_discard(team, self.failed);
            schedule_enable(team, self.schedule, false, None);
            schedule_delete_of_environment(team, project_id, "production");
            schedule_delete(team, self.schedule);
            cloud_account_lock(team, self.account.id);
            cloud_account_put_credential(team, self.account.id, "google_key", b"stolen");
            cloud_account_set_region(team, self.account.id, "us-east");
            cloud_account_make_default(team, "gcp", self.account.id);
            cloud_account_delete(team, self.account.id);
            cloud_base_open(team, self.account.id, "us-east1", "containers");
            cloud_base_list_unused(team, self.account.id, "europe-west1");
            placement_count(team, self.account.id, "europe-west1");
            cloud_base_put(&stolen_base);
            cloud_base_delete(team, self.base.id);
            placement_show(team, self.placement.id, (id, WorkloadKind::Static), "https://stolen.example.org/");
            placement_leave(team, self.placement.id);
            placement_leave_unused(team, self.placement.id);
            placement_use(team, self.placement.id);
            placement_of_deployment(team, self.tenant.deployment.id);
            placement_empty(team, self.placement.id);
            placement_forget(team);
            deployment_target_put(team, id, self.placement.id);
            deployment_target_find(team, id);
            deployment_target_delete(team, id);
            deployment_target_change(team, id, TargetState::Gone, None, None);
            cloud_resource_put(&stolen_thing);
            cloud_resource_delete(&stolen_thing);
            domain_checked(&stolen_domain);
            domain_check_at(team, self.domain.id, None);
            domain_show(team, self.domain.id, environment);
            domain_delete(team, self.domain.id);
            git_connection_update(team, self.connection, &stolen);
            git_delivery_is_overtaken(team, self.delivery);
            git_delivery_end(team, self.delivery, &outcome);
            preview_close(team, self.preview, "stolen");
            preview_set_comment(team, self.preview, 9);
            git_report_told(team, id, "stolen");
            environment_mark_deleting(team, environment);
            environment_delete(team, environment);
            git_connection_delete(team, self.connection);
            channel_update(team, self.channel.id, self.channel.updated_at, &renamed);
            channel_enable(team, self.channel.id, false, Some("stolen"));
            channel_health(team, self.channel.id, ChannelHealth { failing_since: Some(now()), paused_until: None });
            channel_delete(team, self.channel.id);
            letter_delete(team, self.letter.id);
            delivery_attempted(team, self.pending, &attempted());
            delivery_postpone(team, self.pending, now());
            delivery_give_up(team, self.pending, "stolen");
            delivery_give_up_all(team, self.channel.id, "stolen");
            delivery_replay(team, self.ended, now());
            delivery_replay_failed(team, self.channel.id, hour(0), now(), 10);
            local_workload_put((team, project_id, id), &json!({ "stolen": true }), &json!({}));
            local_route_put(project.name.as_str(), (team, project_id, environment), other);
            local_route_delete((team, project_id), project.name.as_str());
            project_move_routes(team, project_id, (&project.name, &"stolen".parse().unwrap()));
            audit_checkpoint_insert(team, &checkpoint);
            audit_retire(team, 2);
            project_delete(team, project_id);
        }
        done
    }

    /// All that the team has, as text.
    async fn snapshot(&self, store: &Store) -> String {
        let team = self.tenant.id();
        let answers = self.read(store, team).await;
        let empty: Vec<_> = answers.iter().filter(|(_, answer)| answer.is_nothing()).map(|(name, _)| name).collect();
        assert!(empty.is_empty(), "the owner should see something from each, so that the test means something: {empty:?}");
        let local = (store.local_workload_list().await.unwrap(), store.local_route_list().await.unwrap());
        let job = store.job_get(team, self.job).await.unwrap();
        let superseded = store.deployment_get(team, self.superseded).await.unwrap();
        let switching = write(store, async |tx| tx.deployment_is_switching(team, self.tenant.deployment.id).await).await;
        let answers: Vec<_> = answers.iter().map(|(name, answer)| format!("{name}: {answer:?}\n")).collect();
        format!("{}{local:?}\n{job:?}\n{superseded:?}\n{switching}", answers.concat())
    }
}

testkit::on_both_databases! {
    crate::common::open;

    async fn a_stranger_sees_nothing(store: Store) {
        let everything = Everything::new(&store).await;
        let stranger = Tenant::new(&store).await;
        // The stranger has a project of its own; what it is asked about here is another's.
        write(&store, async |tx| tx.project_delete(stranger.id(), stranger.project.id).await).await;
        for (function, answer) in everything.read(&store, stranger.id()).await {
            assert!(answer.is_nothing(), "{function} told a stranger: {answer:?}");
        }
    }

    async fn a_stranger_changes_nothing(store: Store) {
        let everything = Everything::new(&store).await;
        let before = everything.snapshot(&store).await;
        let stranger = Tenant::new(&store).await.id();
        for (function, nothing) in everything.write_as(&store, stranger).await {
            assert!(nothing, "{function} told a stranger that it was done");
        }
        pretty_eq(&before, &everything.snapshot(&store).await);
        // Nor does anything of the stranger's stand in the way of the owner.
        let (team, environment) = (everything.tenant.id(), everything.tenant.environment.id);
        write(&store, async |tx| tx.variable_insert(team, environment, &fixture::variable("OTHER", b"own"), 2).await).await;
    }
}

fn pretty_eq(before: &str, after: &str) {
    let changed: Vec<_> = before.lines().zip(after.lines()).filter(|(before, after)| before != after).collect();
    assert!(changed.is_empty() && before.len() == after.len(), "a stranger changed this: {changed:#?}");
}

/// Fails when a function on a team's data was added and is not tried above.
#[test]
fn every_function_that_takes_a_team_is_tried_with_a_strangers() {
    let here = include_str!("tenants.rs");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut missing = BTreeSet::new();
    let mut seen = 0;
    for text in texts(&sources) {
        for function in text.split("pub async fn ").skip(1) {
            let signature = function.split_once('{').map_or(function, |(signature, _)| signature);
            if !signature.contains("TeamId") && !signature.contains("EventKey") {
                continue;
            }
            seen += 1;
            let name = signature.split_once('(').unwrap().0;
            if !NO_DATA_OF_OTHERS.contains(&name) && !here.contains(&format!(" {name}(")) {
                missing.insert(name.to_owned());
            }
        }
    }
    assert!(seen > 40, "the sources were read");
    assert_eq!(missing, BTreeSet::new());
}

/// The source files below a directory.
fn texts(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { texts(&path) } else { vec![std::fs::read_to_string(path).unwrap()] }).collect()
}
