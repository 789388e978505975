//! Domains of a team's own: added, shown to be theirs by a record in the DNS, served (docs/adr/0021-custom-domains.md).

mod check;
mod dns;

use domain::access::{Actor, Permission, Target};
use domain::custom_domain::{CustomDomain, DnsRecord, check_name};
use domain::environment::Environment;
use domain::host_name::HostName;
use domain::id::{DomainId, ProjectId};
use domain::name::EnvironmentName;
use domain::project::Project;
use domain::time::now;
use jobs::Topic;
use serde_json::{Value, json};
use services_core::audit::{Action, AuditEntry, record};
use services_core::environments::{check_kept, parse_environment};
use services_core::{Result, ServiceError, require_on, require_somewhere};
use store::{StoreError, Tx};
use url::Url;
use uuid::Uuid;

use crate::Domains;
use crate::acme::DomainCertificate;
use crate::protection::check_exposure;

/// The most domains a project may have.
const MAX_DOMAINS: i64 = 100;

/// A domain with all that people are told of it.
#[derive(Debug, Clone)]
pub struct DomainDetails {
    /// The domain.
    pub domain: CustomDomain,
    /// The environment that it shows.
    pub environment: EnvironmentName,
    /// Its address.
    pub url: String,
    /// The records that its owner makes: one that shows that it is theirs, and one that leads visitors here where that can be said by name.
    pub records: Vec<DnsRecord>,
    /// Status of its certificate.
    pub certificate: DomainCertificate,
}

/// Builds the audit log's details of a domain.
fn logged(domain: &CustomDomain, environment: &Environment) -> Value {
    json!({"name": domain.name, "environment": environment.name, "state": domain.state()})
}

impl Domains {
    /// Those domains of a project whose environments the actor may see, by name.
    pub async fn list(&self, actor: &Actor, project: ProjectId) -> Result<Vec<DomainDetails>> {
        let environments = self.environments().list(actor, &[project]).await?;
        let project = self.projects().get(actor, project).await?;
        let domains = self.store().domain_list(actor.team_id, project.id).await?;
        let certificates = self.certificates().of_project(actor.team_id, project.id).await?;
        let shown = domains.into_iter().filter_map(|domain| {
            let environment = environments.iter().find(|environment| environment.id == domain.environment_id)?;
            let certificate = certificates.of(&domain.name);
            Some(self.details(domain, (&project, environment), certificate))
        });
        shown.collect()
    }

    /// A domain of the team.
    pub async fn get(&self, actor: &Actor, id: DomainId) -> Result<DomainDetails> {
        require_somewhere(actor, Permission::ProjectRead)?;
        let (domain, environment) = self.domain_with_environment(actor, id, Permission::ProjectRead).await?;
        let project =
            self.store().project_get(actor.team_id, domain.project_id).await?.ok_or(ServiceError::NotFound("domain"))?;
        let certificate = self.certificates().of_project(actor.team_id, project.id).await?.of(&domain.name);
        self.details(domain, (&project, &environment), certificate)
    }

    /// Adds a domain to an environment, production when none is named. It is served once the DNS shows that it is the team's.
    pub async fn add(&self, actor: &Actor, project: ProjectId, environment: Option<&str>, name: &str) -> Result<DomainDetails> {
        let entry = AuditEntry::new(Action::DomainAdd);
        let allowed = self.require_environment(actor, Permission::ProjectWrite, project, &parse_environment(environment)?).await;
        self.audit_denial(actor, &entry.clone().on("project", project), allowed).await?;
        let name = self.parse_domain(name)?;
        let environment = self.environments().by_name(actor, project, environment).await?;
        let mut domain = CustomDomain {
            id: DomainId::new(),
            team_id: actor.team_id,
            project_id: project,
            environment_id: environment.id,
            name,
            // Nobody guesses it.
            token: Uuid::new_v4().simple().to_string(),
            problem: None,
            checked_at: None,
            next_check_at: None,
            verified_at: None,
            created_by: actor.user_id,
            created_at: now(),
        };
        let mut tx = self.begin().await?;
        let (project, present) = hold(&mut tx, &environment).await?;
        if let Err(refused) = check_exposure(actor, [&present]) {
            drop(tx);
            return self.audit_denial(actor, &entry.on("project", project.id), Err(refused)).await;
        }
        if tx.domain_count(actor.team_id, project.id).await? >= MAX_DOMAINS {
            let message = format!("the project has {MAX_DOMAINS} domains, the most it may: remove one");
            return Err(ServiceError::invalid("projectId", "TOO_MANY", message));
        }
        tx.domain_insert(&domain).await.map_err(|error| match error {
            StoreError::Exists => {
                let message =
                    format!("your team has `{}` already: remove it there first, or let it show another environment", domain.name);
                ServiceError::invalid("name", "TAKEN", message)
            }
            error => error.into(),
        })?;
        self.schedule_check(&mut tx, &mut domain).await?;
        let entry = entry.on("domain", domain.id).named(&domain.name).in_project(project.id, &project.name);
        record(&mut tx, actor, entry.after(logged(&domain, &environment))).await?;
        tx.commit().await?;
        self.get(actor, domain.id).await
    }

    /// Looks now whether the DNS shows that a domain is the team's, and goes on looking where that was given up. A job does it: what it
    /// found is there once `checked_at` is later.
    pub async fn verify(&self, actor: &Actor, id: DomainId) -> Result<DomainDetails> {
        let (mut domain, _) = self.domain_to_change(actor, id, &AuditEntry::new(Action::DomainVerify).on("domain", id)).await?;
        let mut tx = self.begin().await?;
        self.schedule_check(&mut tx, &mut domain).await?;
        tx.commit().await?;
        self.get(actor, id).await
    }

    /// Lets a domain show another environment of its project.
    pub async fn update(&self, actor: &Actor, id: DomainId, environment: &str) -> Result<DomainDetails> {
        let entry = AuditEntry::new(Action::DomainUpdate).on("domain", id);
        let (domain, _) = self.domain_to_change(actor, id, &entry).await?;
        let name = parse_environment(Some(environment))?;
        let allowed = self.require_environment(actor, Permission::ProjectWrite, domain.project_id, &name).await;
        self.audit_denial(actor, &entry, allowed).await?;
        let after = self.environments().by_name(actor, domain.project_id, Some(environment)).await?;
        let mut tx = self.begin().await?;
        let (project, after) = hold(&mut tx, &after).await?;
        let before = shown_by(&mut tx, &domain).await?;
        // What was approved for one environment is not what the domain's visitors see then.
        if before.id != after.id
            && let Err(refused) = check_exposure(actor, [&before, &after])
        {
            drop(tx);
            return self.audit_denial(actor, &entry, Err(refused)).await;
        }
        if !tx.domain_show(actor.team_id, id, after.id).await? {
            return Err(ServiceError::NotFound("domain"));
        }
        let entry = entry.named(&domain.name).in_project(project.id, &project.name);
        record(&mut tx, actor, entry.between(logged(&domain, &before), logged(&domain, &after))).await?;
        tx.publish(Topic::Edges);
        tx.commit().await?;
        self.get(actor, id).await
    }

    /// Removes a domain: it is served no longer.
    pub async fn remove(&self, actor: &Actor, id: DomainId) -> Result<()> {
        let entry = AuditEntry::new(Action::DomainRemove).on("domain", id);
        let (domain, _) = self.domain_to_change(actor, id, &entry).await?;
        let mut tx = self.begin().await?;
        tx.project_lock(actor.team_id, domain.project_id).await?;
        let environment = shown_by(&mut tx, &domain).await?;
        // It could be added anew to another environment, or by another team.
        if domain.verified_at.is_some()
            && let Err(refused) = check_exposure(actor, [&environment])
        {
            drop(tx);
            return self.audit_denial(actor, &entry, Err(refused)).await;
        }
        if !tx.domain_delete(actor.team_id, id).await? {
            return Err(ServiceError::NotFound("domain"));
        }
        let entry = entry.named(&domain.name).detail("project", json!({"id": domain.project_id}));
        record(&mut tx, actor, entry.before(logged(&domain, &environment))).await?;
        tx.publish(Topic::Edges);
        tx.commit().await?;
        Ok(())
    }

    fn details(
        &self,
        domain: CustomDomain,
        (project, environment): (&Project, &Environment),
        certificate: DomainCertificate,
    ) -> Result<DomainDetails> {
        let mut records = vec![domain.proof()];
        if let Some(target) = self.domain_target(project, environment)? {
            records.push(DnsRecord { kind: "CNAME", name: domain.name.to_string(), value: target.to_string() });
        }
        let url = self.host_labels()?.url(domain.name.as_str());
        Ok(DomainDetails { domain, environment: environment.name.clone(), url, records, certificate })
    }

    /// The name below the installation's domain that shows an environment; `None` when that is known on this machine only.
    fn domain_target(&self, project: &Project, environment: &Environment) -> Result<Option<HostName>> {
        let target = host_of(&self.environments().local_url(project, environment)?);
        Ok(target.filter(|target| !target.is_within("localhost")))
    }

    /// The name of a domain that can be added here.
    fn parse_domain(&self, text: &str) -> Result<HostName> {
        let invalid = |message: &dyn std::fmt::Display| ServiceError::invalid("name", "INVALID_NAME", message);
        let name: HostName = text.parse().map_err(|error| invalid(&error))?;
        check_name(&name).map_err(|problem| invalid(&problem))?;
        let sites = host_of(&self.host_labels()?.url("x"));
        let sites = sites.as_ref().and_then(|host| host.as_str().strip_prefix("x."));
        if sites.is_some_and(|sites| name.is_within(sites)) {
            return Err(invalid(&"names below the installation's own domain belong to environments: give a domain of your own"));
        }
        if self.settings().own_names.contains(&name) {
            return Err(invalid(&"this is where the installation itself is reached: give another name"));
        }
        Ok(name)
    }

    async fn domain_to_change(&self, actor: &Actor, id: DomainId, entry: &AuditEntry) -> Result<(CustomDomain, Environment)> {
        self.audit_denial(actor, entry, require_somewhere(actor, Permission::ProjectWrite)).await?;
        let found = self.domain_with_environment(actor, id, Permission::ProjectWrite).await;
        self.audit_denial(actor, entry, found).await
    }

    /// A domain and the environment that it shows, on which the actor needs the permission.
    async fn domain_with_environment(
        &self,
        actor: &Actor,
        id: DomainId,
        permission: Permission,
    ) -> Result<(CustomDomain, Environment)> {
        let domain = self.store().domain_get(actor.team_id, id).await?.ok_or(ServiceError::NotFound("domain"))?;
        let environment = self.store().environment_get(actor.team_id, domain.environment_id).await?;
        let environment = environment.ok_or(ServiceError::NotFound("domain"))?;
        require_on(actor, permission, Target::from(&environment), "domain")?;
        Ok((domain, environment))
    }
}

/// Locks the project of an environment; refused when either is being deleted.
async fn hold(tx: &mut Tx, environment: &Environment) -> Result<(Project, Environment)> {
    let project = tx.project_lock(environment.team_id, environment.project_id).await?;
    let project = project.filter(|project| project.deleting_at.is_none()).ok_or(ServiceError::NotFound("project"))?;
    let present = tx.environment_find_by_id(environment.team_id, environment.id).await?;
    let present = present.ok_or(ServiceError::NotFound("environment"))?;
    check_kept(&present)?;
    Ok((project, present))
}

/// The environment that a domain shows, as a transaction that holds its project's lock sees both.
async fn shown_by(tx: &mut Tx, domain: &CustomDomain) -> Result<Environment> {
    let gone = ServiceError::NotFound("domain");
    let present = tx.domain_find(domain.team_id, domain.id).await?;
    let Some(present) = present else { return Err(gone) };
    tx.environment_find_by_id(domain.team_id, present.environment_id).await?.ok_or(gone)
}

/// The host of an address.
fn host_of(url: &str) -> Option<HostName> {
    Url::parse(url).ok()?.host_str()?.parse().ok()
}
