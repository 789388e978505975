use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
pub use domain::access::Role;
use domain::access::{Rights, Target};
use domain::team::{ApiKey, Member};
use services::StorageUsage;

use super::account::{Account, account};
use super::roles::Grant;
use crate::context::caller;
use crate::error::to_graphql;

/// Caller of the API, with their team.
pub struct Viewer;

#[Object]
impl Viewer {
    /// The user.
    async fn user(&self, context: &Context<'_>) -> Result<User> {
        let (services, actor) = caller(context)?;
        Ok(services.me(actor).await.map_err(to_graphql)?.into())
    }

    /// The team the request acts in.
    async fn team(&self, context: &Context<'_>) -> Result<Team> {
        let (services, actor) = caller(context)?;
        let team = services.teams().get(actor).await.map_err(to_graphql)?;
        Ok(team.into())
    }

    /// The teams that the user is in, the oldest first. An API key is good for one, and shows that one.
    async fn teams(&self, context: &Context<'_>) -> Result<Vec<Team>> {
        let (services, actor) = caller(context)?;
        Ok(services.teams().own(actor).await.map_err(to_graphql)?.into_iter().map(Team::from).collect())
    }

    /// The user's built-in role in that team; null when it is one that the team made.
    async fn role(&self, context: &Context<'_>) -> Result<Option<Role>> {
        Ok(caller(context)?.1.rights.role.built_in())
    }

    /// The id of the user's role in that team, when it is one that the team made.
    async fn custom_role_id(&self, context: &Context<'_>) -> Result<Option<ID>> {
        Ok(caller(context)?.1.rights.role.custom().map(|id| id.to_string().into()))
    }

    /// Returns the permissions of the credential in all of the team, such as `deployment-write`.
    async fn permissions(&self, context: &Context<'_>) -> Result<Vec<&'static str>> {
        Ok(caller(context)?.1.permissions(Target::Team).names())
    }

    /// Returns the additional grants of the user on projects and environments.
    async fn grants(&self, context: &Context<'_>) -> Result<Vec<Grant>> {
        Ok(caller(context)?.1.rights.grants.iter().map(Grant::from).collect())
    }

    /// The user's account, which shows itself to a session of the user's only.
    async fn account(&self, context: &Context<'_>) -> Result<Account> {
        account(context).await.map(Account)
    }

    /// The API keys one may see: one's own, or the whole team's for those who manage members.
    async fn api_keys(&self, context: &Context<'_>) -> Result<Vec<ApiKeyInfo>> {
        let (services, actor) = caller(context)?;
        Ok(services.api_keys().list(actor).await.map_err(to_graphql)?.into_iter().map(ApiKeyInfo::from).collect())
    }
}

/// A person.
#[derive(SimpleObject)]
pub struct User {
    /// Identity.
    pub id: ID,
    /// Address used to sign in.
    pub email: String,
    /// Name shown to others.
    pub name: String,
}

impl From<domain::team::User> for User {
    fn from(user: domain::team::User) -> Self {
        Self { id: user.id.to_string().into(), email: user.email, name: user.name }
    }
}

/// A team.
#[derive(SimpleObject)]
pub struct Team {
    /// Identity.
    pub id: ID,
    /// Its name.
    pub name: String,
    /// Creation time.
    pub created_at: DateTime<Utc>,
}

impl From<domain::team::Team> for Team {
    fn from(team: domain::team::Team) -> Self {
        Self { id: team.id.to_string().into(), name: team.name, created_at: team.created_at }
    }
}

/// Storage use of a team.
#[derive(SimpleObject)]
pub struct Storage {
    /// Number of stored artifacts; those of equal content count once.
    pub artifacts: i64,
    /// Total size of their files, bytes.
    pub artifact_bytes: i64,
    /// Maximum total size of the artifacts, bytes; beyond it the oldest that only a rollback needs are removed.
    pub artifact_budget_bytes: i64,
    /// Size of the archived logs, bytes, compressed.
    pub log_archive_bytes: i64,
}

impl From<StorageUsage> for Storage {
    fn from(usage: StorageUsage) -> Self {
        let StorageUsage { artifacts, artifact_bytes, artifact_budget_bytes, log_archive_bytes } = usage;
        Self { artifacts, artifact_bytes, artifact_budget_bytes, log_archive_bytes }
    }
}

/// A member of a team.
#[derive(SimpleObject)]
pub struct TeamMember {
    /// The user.
    pub user: User,
    /// Their built-in role in the team; null when it is one that the team made.
    pub role: Option<Role>,
    /// The id of their role in the team, when it is one that the team made.
    pub custom_role_id: Option<ID>,
    /// Permissions in all of the team.
    pub permissions: Vec<&'static str>,
    /// Additional grants on projects and environments.
    pub grants: Vec<Grant>,
    /// Creator of the account, if it is a service account: it never has more permissions than they have.
    pub created_by: Option<ID>,
}

impl From<Member> for TeamMember {
    fn from(member: Member) -> Self {
        let Rights { role, permissions, grants, .. } = member.rights;
        Self {
            user: member.user.into(),
            role: role.built_in(),
            custom_role_id: role.custom().map(|id| id.to_string().into()),
            permissions: permissions.names(),
            grants: grants.iter().map(Grant::from).collect(),
            created_by: member.created_by.map(|id| id.to_string().into()),
        }
    }
}

/// Metadata of an API key after its creation.
#[derive(SimpleObject)]
#[graphql(name = "ApiKey")]
pub struct ApiKeyInfo {
    /// Identity.
    pub id: ID,
    /// The member it acts as.
    pub user_id: ID,
    /// Purpose of the key.
    pub name: String,
    /// The first characters of the key, to recognise it by.
    pub prefix: String,
    /// Permissions of the key.
    pub scopes: Vec<&'static str>,
    /// Expiry time.
    pub expires_at: Option<DateTime<Utc>>,
    /// Time of revocation.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Creation time.
    pub created_at: DateTime<Utc>,
}

impl From<ApiKey> for ApiKeyInfo {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id.to_string().into(),
            user_id: key.user_id.to_string().into(),
            name: key.name,
            prefix: key.prefix,
            scopes: key.scopes.names(),
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            created_at: key.created_at,
        }
    }
}
