//! A team with one of everything that a test may need.

use std::collections::BTreeMap;

use domain::access::{CustomRole, Permission, Permissions};
use domain::alert::Alert;
use domain::approval::{Approval, ApprovalState};
use domain::artifact::Digest;
use domain::cloud::{Check, CheckOutcome, CloudAccount, CloudAccountState, CloudResource, Placement, PlacementState};
use domain::custom_domain::CustomDomain;
use domain::deployment::{Cause, Deployment, DeploymentStatus};
use domain::environment::Environment;
use domain::git_host::{
    BranchRule, GitConnection, GitEvent, GitHost, HostEvent, InstallationAction, InstallationChange, Preview, Push,
    WebhookDelivery, WebhookDeliveryState,
};
use domain::id::{
    AlertId, ChannelId, CloudAccountId, DeliveryId, DeploymentId, DomainId, EnvironmentId, GitConnectionId, GitDeliveryId, JobId,
    LetterId, PlacementId, PreviewId, ProjectId, ResourceId, RoleId, ScheduleId, SessionId, TeamId, UserId, VariableId,
};
use domain::job::Fence;
use domain::notification::{Channel, ChannelKind, EventType, EventTypes, Templates};
use domain::project::Project;
use domain::resource::Resource;
use domain::schedule::{Action, ExpectedRun, MissedRuns, RunState, Schedule};
use domain::session::Session;
use domain::source::Source;
use domain::team::{Team, User};
use domain::time::{Timestamp, now};
use domain::trace::TraceContext;
use serde_json::json;
use store::{
    EventKey, Failed, GitReport, GitSecrets, JobClaim, LetterRow, NewJob, NewWebhookDelivery, SealedVariable, Store, Tx,
};
use uuid::Uuid;

pub fn digest(byte: u8) -> Digest {
    Digest::from_bytes(&[byte; 32])
}

pub fn user() -> User {
    let id = UserId::new();
    User { id, email: format!("{id}@example.org"), name: "Ada Lovelace".to_owned(), created_at: now() }
}

pub fn team() -> Team {
    Team { id: TeamId::new(), name: "Analytical Engines".to_owned(), created_at: now() }
}

/// A session of a user's that is not written yet.
pub fn session_of(user_id: UserId, at: Timestamp) -> Session {
    Session {
        id: SessionId::new(),
        user_id,
        method: Some("password".to_owned()),
        address: Some("203.0.113.7".to_owned()),
        agent: Some("Łódź/1.0".to_owned()),
        created_at: at,
        used_at: at,
        ends_at: None,
    }
}

/// A project whose name no other has.
pub fn project(team: TeamId) -> Project {
    let id = ProjectId::new();
    let name = format!("p-{}", &id.uuid().simple().to_string()[12..]).parse().unwrap();
    let created_at = now();
    Project {
        id,
        team_id: team,
        name,
        repository: Some("https://example.org/site.git".to_owned()),
        reference: None,
        created_at,
        updated_at: created_at,
        deleting_at: None,
    }
}

pub fn environment(project: &Project, name: &str) -> Environment {
    Environment {
        id: EnvironmentId::new(),
        team_id: project.team_id,
        project_id: project.id,
        name: name.parse().unwrap(),
        live_deployment_id: None,
        config_version: 0,
        protected: false,
        created_at: now(),
        deleting_at: None,
    }
}

/// A domain that waits for its proof.
pub fn domain(environment: &Environment, name: &str) -> CustomDomain {
    CustomDomain {
        id: DomainId::new(),
        team_id: environment.team_id,
        project_id: environment.project_id,
        environment_id: environment.id,
        name: name.parse().unwrap(),
        token: "4f9a".to_owned(),
        problem: Some("the record is not there yet".to_owned()),
        checked_at: Some(now()),
        next_check_at: Some(now()),
        verified_at: None,
        created_by: UserId::new(),
        created_at: now(),
    }
}

/// A role that reads projects, by a name that no other has.
pub fn role(team: TeamId) -> CustomRole {
    let id = RoleId::new();
    let permissions = Permissions::of(&[Permission::ProjectRead]);
    CustomRole { id, team_id: team, name: format!("reader-{}", id.uuid().simple()), permissions, created_at: now() }
}

/// The approval that a deployment waits for.
pub fn approval(deployment: &Deployment) -> Approval {
    Approval {
        deployment_id: deployment.id,
        team_id: deployment.team_id,
        project_id: deployment.project_id,
        environment_id: deployment.environment_id,
        state: ApprovalState::Pending,
        requested_by: UserId::new(),
        requested_at: now(),
        expires_at: now(),
        decided_by: None,
        decided_at: None,
        reason: None,
        from_outside: false,
    }
}

pub fn deployment(environment: &Environment, number: i64, status: DeploymentStatus) -> Deployment {
    let created_at = now();
    Deployment {
        id: DeploymentId::new(),
        team_id: environment.team_id,
        project_id: environment.project_id,
        environment_id: environment.id,
        number,
        status,
        trigger: Cause::Build,
        source: Source::Upload { digest: digest(1), directory: None },
        commit_sha: None,
        origin_id: None,
        artifact_digest: None,
        artifact_removed_at: None,
        workload: None,
        config_version: 0,
        failure: None,
        created_by: None,
        created_at,
        changed_at: created_at,
        deadline: None,
        event_count: 0,
        log_count: 0,
        address_name: None,
        wanted_cloud: None,
    }
}

pub fn job(team: TeamId) -> NewJob {
    NewJob {
        id: JobId::new(),
        team_id: team,
        kind: "test",
        queue: "tests",
        payload: json!({ "version": 1 }),
        subject_id: None,
        priority: 100,
        exclusion_key: None,
        deduplication_key: None,
        run_at: now(),
        max_attempts: 3,
        trace: TraceContext::new(),
    }
}

/// A worker takes a job and fails for good.
pub async fn fail(store: &Store, id: JobId) {
    let claim = JobClaim { token: Uuid::new_v4(), lease_until: now(), worker: "test:1", is_limited: false };
    store.job_claim(id, &claim).await.unwrap().unwrap();
    let fence = Fence { job_id: id, token: claim.token };
    let failed = Failed { error: "it broke".to_owned(), retry_at: None };
    write(store, async |tx| tx.job_fail(fence, &failed).await).await;
}

pub fn schedule(project: &Project) -> Schedule {
    Schedule {
        id: ScheduleId::new(),
        team_id: project.team_id,
        project_id: project.id,
        environment: "production".to_owned(),
        name: "nightly".to_owned(),
        cron: "0 3 * * *".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        action: Action::Request { path: "/ü?x=1".to_owned() },
        missed: MissedRuns::Latest,
        enabled: true,
        timeout_seconds: 60,
        next_due_at: Some(now()),
        created_by: UserId::new(),
        created_at: now(),
    }
}

pub fn run(schedule: &Schedule) -> ExpectedRun {
    ExpectedRun {
        schedule_id: schedule.id,
        due_at: now(),
        team_id: schedule.team_id,
        state: RunState::Waiting,
        deadline: now(),
        outcome: None,
        started_at: None,
        finished_at: None,
    }
}

pub fn alert(team: TeamId) -> Alert {
    let (kind, message) = ("run_missed".to_owned(), "it did not happen".to_owned());
    Alert {
        id: AlertId::new(),
        team_id: Some(team),
        kind,
        subject: team.to_string(),
        message,
        raised_at: now(),
        resolved_at: None,
    }
}

/// The connection of a project to `octo/shop` at GitHub.
pub fn git_connection(project: &Project) -> GitConnection {
    GitConnection {
        id: GitConnectionId::new(),
        team_id: project.team_id,
        project_id: project.id,
        host: GitHost::GitHub,
        api_url: GitHost::GitHub.public_api().to_owned(),
        repository: "octo/shop".parse().unwrap(),
        installation_id: None,
        reports: true,
        branches: vec![BranchRule { branch: "develop".parse().unwrap(), environment: "staging".parse().unwrap() }],
        previews: true,
        preview_hours: 24,
        created_by: UserId::new(),
        created_at: now(),
    }
}

pub fn git_secrets() -> GitSecrets {
    GitSecrets { sealed_secret: vec![1, 0, 255], sealed_token: Some(vec![2]) }
}

/// A push that a connection's host tells of.
pub fn git_delivery(connection: &GitConnection) -> NewWebhookDelivery {
    let id = GitDeliveryId::new();
    let push = Push {
        branch: "main".parse().unwrap(),
        commit: "6113728f27ae82c7b1a177c8d03f9e96e0adf246".parse().unwrap(),
        default_branch: None,
    };
    NewWebhookDelivery {
        row: WebhookDelivery {
            id,
            team_id: connection.team_id,
            connection_id: connection.id,
            delivery: format!("of {id}"),
            event: "push".to_owned(),
            state: WebhookDeliveryState::Waiting,
            outcome: None,
            deployment_id: None,
            received_at: now(),
        },
        digest: id.to_string(),
        event: HostEvent {
            repository: Some(connection.repository.clone()),
            installation: None,
            at: None,
            what: GitEvent::Push(push),
        },
        subject: Some("branch main".to_owned()),
    }
}

/// Builds the preview of pull request 2 in an environment.
pub fn preview(connection: &GitConnection, environment: &Environment) -> Preview {
    Preview {
        id: PreviewId::new(),
        team_id: connection.team_id,
        project_id: connection.project_id,
        connection_id: connection.id,
        environment_id: Some(environment.id),
        number: 2,
        title: "A \"page\"".to_owned(),
        author: "ada".to_owned(),
        branch: "page".to_owned(),
        commit_sha: "6113728f27ae82c7b1a177c8d03f9e96e0adf246".to_owned(),
        is_fork: false,
        comment_id: None,
        closed_because: None,
        expires_at: now() + chrono::TimeDelta::hours(1),
        created_at: now(),
    }
}

pub fn git_report(preview: &Preview, deployment_id: DeploymentId) -> GitReport {
    let (team_id, connection_id) = (preview.team_id, preview.connection_id);
    GitReport { deployment_id, team_id, connection_id, preview_id: Some(preview.id), reported: None }
}

/// The app on the account `octo`.
pub fn installation(id: i64) -> InstallationChange {
    InstallationChange { id, account: "octo".to_owned(), action: InstallationAction::Present }
}

/// A webhook for all events, of the whole team or of a project.
pub fn channel(tenant: &Tenant, project: Option<ProjectId>) -> Channel {
    let at = now();
    Channel {
        id: ChannelId::new(),
        team_id: tenant.id(),
        project_id: project,
        name: "ops".to_owned(),
        kind: ChannelKind::Webhook,
        events: EventTypes::new(EventType::ALL),
        templates: Templates::new(),
        sealed: Some(vec![0, 255, 7]),
        recipients: Vec::new(),
        shown: "https://example.org/…".to_owned(),
        enabled: true,
        disabled_reason: None,
        failing_since: None,
        paused_until: None,
        created_by: UserId::new(),
        created_at: at,
        updated_at: at,
    }
}

/// Something on its way to a channel.
pub fn delivery(channel: &Channel) -> domain::notification::Delivery {
    let at = now();
    domain::notification::Delivery {
        id: DeliveryId::new(),
        team_id: channel.team_id,
        channel_id: channel.id,
        recipient_id: None,
        event: EventType::DeploymentLive,
        event_at: at,
        data: json!({ "message": "Grüße" }),
        state: domain::notification::DeliveryState::Pending,
        tries: 0,
        attempts: 0,
        next_attempt_at: Some(at),
        error: None,
        finished_at: None,
    }
}

/// A letter to a user.
pub fn letter(team_id: TeamId, user_id: UserId) -> LetterRow {
    LetterRow { id: LetterId::new(), team_id, user_id, sealed: vec![1, 0, 255], expires_at: now() + chrono::TimeDelta::days(1) }
}

pub fn resource(deployment: &Deployment) -> Resource {
    let id = ResourceId::new();
    Resource {
        id,
        team_id: deployment.team_id,
        project_id: deployment.project_id,
        deployment_id: Some(deployment.id),
        environment_id: None,
        cloud: "local".to_owned(),
        kind: domain::resource::ResourceKind::Workload,
        external_id: id.to_string(),
        created_at: now(),
    }
}

pub fn variable(name: &str, sealed: &[u8]) -> SealedVariable {
    SealedVariable { id: VariableId::new(), name: name.to_owned(), sealed: sealed.to_vec() }
}

/// An account at a vendor of clouds.
pub fn cloud_account(team_id: TeamId, name: &str) -> CloudAccount {
    CloudAccount {
        id: CloudAccountId::new(),
        team_id,
        cloud: "gcp".to_owned(),
        name: name.to_owned(),
        identity: "shop-1234".to_owned(),
        credential_kind: "google_key".to_owned(),
        credential_version: 1,
        region: "eu-west".to_owned(),
        endpoint: None,
        state: CloudAccountState::Connected,
        problem: None,
        principal: Some("deployer@shop-1234.iam.gserviceaccount.com".to_owned()),
        checks: vec![Check { permission: "run.services.get".to_owned(), outcome: CheckOutcome::Granted, remedy: None }],
        verified_at: Some(now()),
        next_check_at: Some(now()),
        is_default: false,
        created_by: UserId::new(),
        created_at: now(),
    }
}

/// An environment's place in an account.
pub fn placement(environment: &Environment, account: CloudAccountId) -> Placement {
    Placement {
        id: PlacementId::new(),
        team_id: environment.team_id,
        project_id: environment.project_id,
        environment_id: environment.id,
        account_id: account,
        cloud: "gcp".to_owned(),
        region: "europe-west1".to_owned(),
        label: "shop".to_owned(),
        url: None,
        shown_deployment_id: None,
        shown_kind: None,
        state: PlacementState::Used,
        created_at: now(),
    }
}

/// A thing of a deployment in a placement.
pub fn cloud_resource(placement: &Placement, deployment: DeploymentId) -> CloudResource {
    CloudResource {
        id: Uuid::now_v7(),
        team_id: placement.team_id,
        account_id: placement.account_id,
        region: placement.region.clone(),
        placement_id: Some(placement.id),
        owner_kind: "deployment".to_owned(),
        owner_id: deployment.uuid(),
        kind: "gcp.run.revision".to_owned(),
        purpose: "app".to_owned(),
        name: "mc-shop-0123456789".to_owned(),
        generation: 1,
        state: "intended".to_owned(),
        token: Uuid::new_v4(),
        external_id: None,
        operation: None,
        outputs: BTreeMap::new(),
        revision: 0,
        created_at: now(),
        changed_at: now(),
    }
}

/// A team with a project, its production environment and a deployment in some status, all written.
pub struct Tenant {
    pub team: Team,
    pub project: Project,
    pub environment: Environment,
    pub deployment: Deployment,
}

impl Tenant {
    pub async fn new(store: &Store) -> Self {
        Self::with_status(store, DeploymentStatus::Queued).await
    }

    pub async fn with_status(store: &Store, status: DeploymentStatus) -> Self {
        let team = team();
        let project = project(team.id);
        let environment = environment(&project, "production");
        let deployment = deployment(&environment, 1, status);
        write(store, async |tx| {
            tx.team_insert(&team).await?;
            tx.project_insert(&project).await?;
            tx.environment_insert(&environment).await?;
            assert_eq!(tx.project_next_deployment(team.id, project.id).await?, 1);
            tx.deployment_insert(&deployment).await
        })
        .await;
        Self { team, project, environment, deployment }
    }

    pub fn id(&self) -> TeamId {
        self.team.id
    }

    pub fn key(&self) -> EventKey {
        EventKey::from(&self.deployment)
    }
}

/// Writes in a transaction of its own and commits it.
pub async fn write<T>(store: &Store, work: impl AsyncFnOnce(&mut Tx) -> Result<T, store::StoreError>) -> T {
    let mut tx = store.begin().await.unwrap();
    let value = work(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    value
}

/// Returns the error of a transaction that is rolled back then.
pub async fn refused<T>(store: &Store, work: impl AsyncFnOnce(&mut Tx) -> Result<T, store::StoreError>) -> store::StoreError {
    let mut tx = store.begin().await.unwrap();
    work(&mut tx).await.err().expect("the store should refuse this")
}
