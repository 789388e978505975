//! Domains of teams' own.

use domain::custom_domain::CustomDomain;
use domain::host_name::HostName;
use domain::id::{DomainId, EnvironmentId, ProjectId, TeamId};
use domain::time::Timestamp;

use crate::db::{Store, Tx};
use crate::error::Result;

macro_rules! columns {
    () => {
        "id, team_id, project_id, environment_id, name, token, problem, checked_at, next_check_at, verified_at, created_by, created_at"
    };
}

impl Store {
    /// The domains of a project, by name.
    pub async fn domain_list(&self, team: TeamId, project: ProjectId) -> Result<Vec<CustomDomain>> {
        let sql = concat!("SELECT ", columns!(), " FROM domains WHERE team_id = $1 AND project_id = $2 ORDER BY name");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(project).fetch_all(pool).await)?)
    }

    /// A domain of the team.
    pub async fn domain_get(&self, team: TeamId, id: DomainId) -> Result<Option<CustomDomain>> {
        let sql = concat!("SELECT ", columns!(), " FROM domains WHERE team_id = $1 AND id = $2");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(pool).await)?)
    }

    /// The names that are served, of all teams.
    pub async fn domain_names_served(&self) -> Result<Vec<String>> {
        let sql = "SELECT name FROM domains WHERE verified_at IS NOT NULL";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).fetch_all(pool).await)?)
    }

    /// Domains of all teams that it is time to look at.
    pub async fn domain_list_due(&self, at: Timestamp) -> Result<Vec<CustomDomain>> {
        let sql = concat!("SELECT ", columns!(), " FROM domains WHERE next_check_at <= $1 ORDER BY next_check_at LIMIT 100");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(at).fetch_all(pool).await)?)
    }
}

impl Tx {
    /// A domain of the team.
    pub async fn domain_find(&mut self, team: TeamId, id: DomainId) -> Result<Option<CustomDomain>> {
        let sql = concat!("SELECT ", columns!(), " FROM domains WHERE team_id = $1 AND id = $2");
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(conn).await)?)
    }

    /// The domain that is served under a name, whosever it is.
    pub async fn domain_find_served(&mut self, name: &HostName) -> Result<Option<CustomDomain>> {
        let sql = concat!("SELECT ", columns!(), " FROM domains WHERE name = $1 AND verified_at IS NOT NULL");
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(name).fetch_optional(conn).await)?)
    }

    /// Returns the number of a project's domains.
    pub async fn domain_count(&mut self, team: TeamId, project: ProjectId) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM domains WHERE team_id = $1 AND project_id = $2";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(team).bind(project).fetch_one(conn).await)?)
    }

    /// Adds a domain. `Exists` when the team has one of that name.
    pub async fn domain_insert(&mut self, domain: &CustomDomain) -> Result<()> {
        let sql = concat!("INSERT INTO domains (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");
        tx!(self, |conn| sqlx::query(sql)
            .bind(domain.id)
            .bind(domain.team_id)
            .bind(domain.project_id)
            .bind(domain.environment_id)
            .bind(&domain.name)
            .bind(&domain.token)
            .bind(&domain.problem)
            .bind(domain.checked_at)
            .bind(domain.next_check_at)
            .bind(domain.verified_at)
            .bind(domain.created_by)
            .bind(domain.created_at)
            .execute(conn)
            .await
            .map(drop))?;
        crate::operations::idempotency::made(domain.id);
        Ok(())
    }

    /// Records what a look at the DNS found. `Exists` when the domain is to be served and another is under its name; `false` when the team
    /// has none such any more.
    pub async fn domain_checked(&mut self, domain: &CustomDomain) -> Result<bool> {
        let sql = "UPDATE domains SET problem = $3, checked_at = $4, next_check_at = $5, verified_at = $6 WHERE team_id = $1 AND id = $2";
        let done = changed!(
            self,
            sqlx::query(sql)
                .bind(domain.team_id)
                .bind(domain.id)
                .bind(&domain.problem)
                .bind(domain.checked_at)
                .bind(domain.next_check_at)
                .bind(domain.verified_at)
        )?;
        Ok(done == 1)
    }

    /// Says when a domain is looked at next; `false` if not found in the team.
    pub async fn domain_check_at(&mut self, team: TeamId, id: DomainId, at: Option<Timestamp>) -> Result<bool> {
        let sql = "UPDATE domains SET next_check_at = $3 WHERE team_id = $1 AND id = $2";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id).bind(at))?;
        Ok(done == 1)
    }

    /// Lets a domain show another environment of its project; `false` if not found in the team.
    pub async fn domain_show(&mut self, team: TeamId, id: DomainId, environment: EnvironmentId) -> Result<bool> {
        let sql = "UPDATE domains SET environment_id = $3 WHERE team_id = $1 AND id = $2";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id).bind(environment))?;
        Ok(done == 1)
    }

    /// Removes a domain; `false` if not found in the team.
    pub async fn domain_delete(&mut self, team: TeamId, id: DomainId) -> Result<bool> {
        let sql = "DELETE FROM domains WHERE team_id = $1 AND id = $2";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id))?;
        Ok(done == 1)
    }
}
