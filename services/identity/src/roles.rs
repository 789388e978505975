//! Roles that a team makes, and roles that members have on a project or an environment.

use domain::access::{Actor, CustomRole, Grant, Permission, Permissions, Role, RoleRef, Target};
use domain::id::{GrantId, ProjectId, RoleId, UserId};
use domain::name::EnvironmentName;
use domain::time::now;
use serde_json::{Value, json};
use services_core::audit::{Action, AuditEntry, record, role_shown};
use services_core::environments::{find_or_insert, parse_environment};
use services_core::unit_of_work::UnitOfWork;
use services_core::{Result, ServiceError, require, require_on, require_somewhere};
use store::{NewGrant, StoreError, Tx};

use crate::Roles;

const MAX_ROLES: i64 = 100;
const MAX_GRANTS: usize = 200;
const MAX_NAME: usize = 40;

/// Parameters of a new grant of a role.
#[derive(Debug, Clone)]
pub struct NewGrantInput {
    /// User who receives the role.
    pub user: UserId,
    /// Role to grant.
    pub role: RoleRef,
    /// Project on which it is granted.
    pub project: ProjectId,
    /// Environment of the project; the whole project if absent.
    pub environment: Option<String>,
}

/// The permissions with these names; the error is about that field.
pub(crate) fn parse_permissions(field: &'static str, code: &'static str, names: &[String]) -> Result<Permissions> {
    let parse = |name: &String| {
        Permission::from_name(name).ok_or_else(|| {
            let (name, known): (String, _) = (name.chars().take(60).collect(), Permissions::ALL.names().join(", "));
            ServiceError::invalid(field, code, format!("`{}` is no permission: use {known}", name.escape_debug()))
        })
    };
    names.iter().map(parse).collect()
}

fn parse_role_name(text: &str) -> Result<String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits = text.len() <= MAX_NAME && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(plain);
    if !fits {
        let message = format!("give a name of 1 to {MAX_NAME} of a-z, 0-9 and hyphens that begins with a letter");
        return Err(ServiceError::invalid("name", "INVALID_NAME", message));
    }
    if Role::from_name(text).is_some() {
        return Err(ServiceError::invalid("name", "TAKEN", format!("`{text}` is a built-in role: choose another name")));
    }
    Ok(text.to_owned())
}

fn taken(error: StoreError, name: &str) -> ServiceError {
    match error {
        StoreError::Exists => ServiceError::invalid("name", "TAKEN", format!("the team has a role `{name}` already")),
        error => error.into(),
    }
}

/// Nobody gives more than they have, or takes away what is more than they have.
pub(crate) fn check_within(actor: &Actor, permissions: Permissions, target: Target, field: &'static str) -> Result<()> {
    let lacking = permissions.without(actor.permissions(target));
    if lacking.is_empty() {
        return Ok(());
    }
    let message = format!("this is more than you may do yourself there: you lack {}", lacking.names().join(", "));
    Err(ServiceError::invalid(field, "TOO_WIDE", message))
}

impl Roles {
    /// The roles that the team made, by name.
    pub async fn list(&self, actor: &Actor) -> Result<Vec<CustomRole>> {
        require(actor, Permission::MemberRead)?;
        Ok(self.store().role_list(actor.team_id).await?)
    }

    /// Makes a role from permissions, all of which the actor has.
    pub async fn create(&self, actor: &Actor, name: &str, permissions: &[String]) -> Result<CustomRole> {
        let entry = AuditEntry::new(Action::RoleCreate);
        self.audit_denial(actor, &entry, require(actor, Permission::MemberWrite)).await?;
        let name = parse_role_name(name)?;
        let permissions = parse_permissions("permissions", "UNKNOWN_PERMISSION", permissions)?;
        check_within(actor, permissions, Target::Team, "permissions")?;
        let mut tx = self.members().change_rights(actor).await?;
        if tx.role_count(actor.team_id).await? >= MAX_ROLES {
            let message = format!("the team has {MAX_ROLES} roles, the most it may: delete one");
            return Err(ServiceError::invalid("name", "TOO_MANY", message));
        }
        let role = CustomRole { id: RoleId::new(), team_id: actor.team_id, name, permissions, created_at: now() };
        tx.role_insert(&role).await.map_err(|error| taken(error, &role.name))?;
        record(&mut tx, actor, entry.on("role", role.id).named(&role.name).after(logged(&role))).await?;
        tx.commit().await?;
        Ok(role)
    }

    /// Changes a role for all who have it; what is `None` stays.
    pub async fn update(
        &self,
        actor: &Actor,
        id: RoleId,
        name: Option<&str>,
        permissions: Option<&[String]>,
    ) -> Result<CustomRole> {
        let entry = AuditEntry::new(Action::RoleUpdate).on("role", id);
        let (mut tx, mut role) = self.role_to_change(actor, id, &entry).await?;
        let (entry, before) = (entry.named(&role.name), logged(&role));
        if let Some(name) = name {
            role.name = parse_role_name(name)?;
        }
        if let Some(permissions) = permissions {
            role.permissions = parse_permissions("permissions", "UNKNOWN_PERMISSION", permissions)?;
            check_within(actor, role.permissions, Target::Team, "permissions")?;
        }
        let updated = tx.role_update(actor.team_id, id, &role.name, role.permissions).await;
        if !updated.map_err(|error| taken(error, &role.name))? {
            return Err(ServiceError::NotFound("role"));
        }
        record(&mut tx, actor, entry.between(before, logged(&role))).await?;
        tx.hold(self.actors().change());
        tx.commit().await?;
        Ok(role)
    }

    /// Deletes a role that nobody has.
    pub async fn delete(&self, actor: &Actor, id: RoleId) -> Result<()> {
        let entry = AuditEntry::new(Action::RoleDelete).on("role", id);
        let (mut tx, role) = self.role_to_change(actor, id, &entry).await?;
        if tx.role_is_used(actor.team_id, id).await? {
            let message = format!("members have the role `{}`: give them another one first", role.name);
            return Err(ServiceError::invalid("roleId", "IN_USE", message));
        }
        tx.role_delete(actor.team_id, id).await?;
        record(&mut tx, actor, entry.named(&role.name).before(logged(&role))).await?;
        Ok(tx.commit().await?)
    }

    /// Gives a member a role on a project or one of its environments, instead of the one it had there.
    pub async fn grant(&self, actor: &Actor, input: NewGrantInput) -> Result<Grant> {
        let NewGrantInput { user, role, project, environment } = input;
        let entry = AuditEntry::new(Action::GrantCreate).on("member", user);
        self.audit_denial(actor, &entry, require_somewhere(actor, Permission::MemberWrite)).await?;
        let name = environment.as_deref().map(|name| parse_environment(Some(name))).transpose()?;
        let allowed = match &name {
            Some(name) => self.require_environment(actor, Permission::MemberWrite, project, name).await,
            None => require_on(actor, Permission::MemberWrite, Target::Project(project), "project"),
        };
        self.audit_denial(actor, &entry, allowed).await?;
        if let Some(name) = &name {
            self.check_room_for(actor, project, name).await?;
        }
        if role == RoleRef::BuiltIn(Role::Owner) {
            let message = "owners own the whole team: grant `admin`, or make them owner with setMemberRole";
            return Err(ServiceError::invalid("role", "OWNER_OF_A_PART", message));
        }
        let mut tx = self.members().change_rights(actor).await?;
        let member = tx.standing_find(actor.team_id, user).await?.ok_or(ServiceError::NotFound("member"))?;
        if member.rights.grants.len() >= MAX_GRANTS {
            let message = format!("the member has {MAX_GRANTS} grants, the most it may: revoke some, or widen its role");
            return Err(ServiceError::invalid("userId", "TOO_MANY", message));
        }
        let permissions = role_permissions(&mut tx, actor, role).await?;
        let project = tx.project_lock(actor.team_id, project).await?.filter(|project| project.deleting_at.is_none());
        let project = project.ok_or(ServiceError::NotFound("project"))?;
        let target = match &name {
            Some(name) => Target::from(&find_or_insert(&mut tx, &project, name).await?),
            None => Target::Project(project.id),
        };
        check_within(actor, permissions, target, "role")?;
        for replaced in member.rights.grants.iter().filter(|grant| grant.target == target) {
            check_within(actor, replaced.permissions, target, "userId")?;
        }
        let grant = Grant { id: GrantId::new(), role, permissions, target };
        if !tx.grant_put(actor.team_id, &NewGrant { id: grant.id, user_id: user, role, target }).await? {
            return Err(ServiceError::NotFound("project"));
        }
        let replaced: Vec<_> =
            member.rights.grants.iter().filter(|grant| grant.target == target).map(|grant| role_shown(grant.role)).collect();
        let email = tx.user_email(user).await?.unwrap_or_default();
        let entry = entry.named(email).in_project(project.id, &project.name).detail("grant", grant.id.to_string());
        let environment = name.as_ref().map(EnvironmentName::as_str);
        let entry = entry.before(json!({"role": replaced.first()}));
        record(&mut tx, actor, entry.after(json!({"role": role_shown(role), "environment": environment}))).await?;
        tx.hold(self.actors().change());
        tx.commit().await?;
        Ok(grant)
    }

    /// Takes a grant back.
    pub async fn revoke(&self, actor: &Actor, id: GrantId) -> Result<()> {
        let entry = AuditEntry::new(Action::GrantRevoke).on("grant", id);
        self.audit_denial(actor, &entry, require_somewhere(actor, Permission::MemberWrite)).await?;
        let mut tx = self.members().change_rights(actor).await?;
        let holder = tx.grant_holder(actor.team_id, id).await?.ok_or(ServiceError::NotFound("grant"))?;
        let member = tx.standing_find(actor.team_id, holder).await?;
        let grant = member.and_then(|member| member.rights.grants.into_iter().find(|grant| grant.id == id));
        let grant = grant.ok_or(ServiceError::NotFound("grant"))?;
        if let refused @ Err(_) = require_on(actor, Permission::MemberWrite, grant.target, "grant") {
            drop(tx);
            return self.audit_denial(actor, &entry, refused).await;
        }
        check_within(actor, grant.permissions, grant.target, "grantId")?;
        tx.grant_delete(actor.team_id, id).await?;
        let email = tx.user_email(holder).await?;
        let (project, environment) = match grant.target {
            Target::Team => (None, None),
            Target::Project(project) => (Some(project), None),
            Target::Environment(project, environment) => (Some(project), Some(environment)),
        };
        let entry = entry.detail("member", json!({"id": holder, "email": email}));
        let before = json!({"role": role_shown(grant.role), "project": project, "environment": environment});
        record(&mut tx, actor, entry.before(before)).await?;
        tx.hold(self.actors().change());
        tx.commit().await?;
        Ok(())
    }

    /// A transaction that changes rights, with a role that the actor may change.
    async fn role_to_change(&self, actor: &Actor, id: RoleId, entry: &AuditEntry) -> Result<(UnitOfWork, CustomRole)> {
        self.audit_denial(actor, entry, require(actor, Permission::MemberWrite)).await?;
        let mut tx = self.members().change_rights(actor).await?;
        let role = tx.role_find(actor.team_id, id).await?.ok_or(ServiceError::NotFound("role"))?;
        check_within(actor, role.permissions, Target::Team, "roleId")?;
        Ok((tx, role))
    }
}

/// Builds the audit log's details of a role.
fn logged(role: &CustomRole) -> Value {
    json!({"name": role.name, "permissions": role.permissions})
}

/// Returns the permissions that a role includes.
pub(crate) async fn role_permissions(tx: &mut Tx, actor: &Actor, role: RoleRef) -> Result<Permissions> {
    match role {
        RoleRef::BuiltIn(role) => Ok(role.permissions()),
        RoleRef::Custom(id) => {
            let found = tx.role_find(actor.team_id, id).await?;
            let message = "the team has no such role: `mikrocloud roles` lists them";
            Ok(found.ok_or_else(|| ServiceError::invalid("customRoleId", "UNKNOWN_ROLE", message))?.permissions)
        }
    }
}
