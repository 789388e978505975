use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use services::Added;
use services::auth::NewApiKeyInput;

use crate::context::caller;
use crate::error::{UserError, user_errors};
use crate::identity::model::roles::role_choice;
use crate::identity::model::team::{ApiKeyInfo, Role, Team, TeamMember};
use crate::input::parse_id;

#[derive(Default)]
pub struct TeamMutation;

#[derive(InputObject)]
struct CreateTeamInput {
    /// Its name, which no other team has.
    name: String,
}

#[derive(InputObject)]
struct UpdateTeamInput {
    /// The new name, which no other team has.
    name: String,
}

#[derive(InputObject)]
struct CreateApiKeyInput {
    /// Purpose of the key.
    name: String,
    /// Permissions of the key, such as `deployment-write`; all of your own if omitted.
    scopes: Option<Vec<String>>,
    /// The service account of yours that it is for; yourself when left out.
    service_account_id: Option<ID>,
    /// In how many days it expires; never when left out.
    expires_in_days: Option<i64>,
}

#[derive(InputObject)]
struct RevokeApiKeyInput {
    /// The key.
    api_key_id: ID,
}

#[derive(InputObject)]
struct AddMemberInput {
    /// Address used to sign in.
    email: String,
    /// Name shown to others.
    name: Option<String>,
    /// Their built-in role in the team.
    role: Option<Role>,
    /// Or a role that the team made.
    custom_role_id: Option<ID>,
}

#[derive(InputObject)]
struct SetMemberRoleInput {
    /// The member.
    user_id: ID,
    /// The new built-in role.
    role: Option<Role>,
    /// Or a role that the team made.
    custom_role_id: Option<ID>,
}

#[derive(InputObject)]
struct CreateServiceAccountInput {
    /// Purpose of the key.
    name: String,
    /// Its built-in role in the team.
    role: Option<Role>,
    /// Or a role that the team made.
    custom_role_id: Option<ID>,
}

#[derive(InputObject)]
struct RevokeInvitationInput {
    /// The invitation.
    invitation_id: ID,
}

#[derive(InputObject)]
struct RemoveMemberInput {
    /// The member.
    user_id: ID,
}

#[derive(SimpleObject)]
struct TeamPayload {
    /// The team, when it went well.
    team: Option<Team>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
struct ApiKeyPayload {
    /// Metadata of the key.
    api_key: Option<ApiKeyInfo>,
    /// The key itself, shown this once.
    secret: Option<String>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
struct MemberPayload {
    /// The member.
    member: Option<TeamMember>,
    /// The path of their one-time sign-in link, or of their invitation, to be handed to them; none when it was mailed to them.
    sign_in_path: Option<String>,
    /// The invitation, when there is an account with this address: they are a member once they accept it.
    invitation_id: Option<ID>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
pub(crate) struct DonePayload {
    /// Indicates success.
    done: bool,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

pub(crate) fn done(result: services::Result<()>) -> Result<DonePayload> {
    let (done, user_errors) = user_errors(result)?;
    Ok(DonePayload { done: done.is_some(), user_errors })
}

#[Object]
impl TeamMutation {
    /// Makes a team, which you own. Operators only.
    async fn create_team(&self, context: &Context<'_>, input: CreateTeamInput) -> Result<TeamPayload> {
        let (services, actor) = caller(context)?;
        let (team, user_errors) = user_errors(services.teams().create(actor, &input.name).await)?;
        Ok(TeamPayload { team: team.map(Team::from), user_errors })
    }

    /// Gives the team another name.
    async fn update_team(&self, context: &Context<'_>, input: UpdateTeamInput) -> Result<TeamPayload> {
        let (services, actor) = caller(context)?;
        let (team, user_errors) = user_errors(services.teams().rename(actor, &input.name).await)?;
        Ok(TeamPayload { team: team.map(Team::from), user_errors })
    }

    /// Makes an API key. It can never do more than you.
    async fn create_api_key(&self, context: &Context<'_>, input: CreateApiKeyInput) -> Result<ApiKeyPayload> {
        let (services, actor) = caller(context)?;
        let CreateApiKeyInput { name, scopes, service_account_id, expires_in_days } = input;
        let creation = async {
            let service_account = service_account_id.map(|id| parse_id("serviceAccountId", &id)).transpose()?;
            services.api_keys().create(actor, NewApiKeyInput { name, scopes, service_account, expires_in_days }).await
        };
        let (created, user_errors) = user_errors(creation.await)?;
        let (api_key, secret) = created.map(|made| (made.key.into(), made.secret.expose().to_owned())).unzip();
        Ok(ApiKeyPayload { api_key, secret, user_errors })
    }

    /// Revokes an API key.
    async fn revoke_api_key(&self, context: &Context<'_>, input: RevokeApiKeyInput) -> Result<DonePayload> {
        let (services, actor) = caller(context)?;
        let change = async { services.api_keys().revoke(actor, parse_id("apiKeyId", &input.api_key_id)?).await };
        done(change.await)
    }

    /// Adds somebody new to the team, or invites who has an account already. Who was added and never came gets a new link.
    async fn add_member(&self, context: &Context<'_>, input: AddMemberInput) -> Result<MemberPayload> {
        let (services, actor) = caller(context)?;
        let name = input.name.unwrap_or_default();
        let adding = async {
            let role = role_choice(input.role, input.custom_role_id.as_ref())?;
            services.members().add(actor, &input.email, &name, role).await
        };
        let (added, user_errors) = user_errors(adding.await)?;
        Ok(match added {
            Some(Added::Member(member, link)) => {
                let sign_in_path = link.map(|link| format!("/auth/link?token={}", link.expose()));
                MemberPayload { member: Some(member.into()), sign_in_path, invitation_id: None, user_errors }
            }
            Some(Added::Invited(id, token)) => {
                let sign_in_path = token.map(|token| format!("/auth/invitation?token={}", token.expose()));
                MemberPayload { member: None, sign_in_path, invitation_id: Some(id.to_string().into()), user_errors }
            }
            None => MemberPayload { member: None, sign_in_path: None, invitation_id: None, user_errors },
        })
    }

    /// Adds a service account: a member that does not sign in and acts by API keys. It never does more than you.
    async fn create_service_account(&self, context: &Context<'_>, input: CreateServiceAccountInput) -> Result<MemberPayload> {
        let (services, actor) = caller(context)?;
        let creation = async {
            let role = role_choice(input.role, input.custom_role_id.as_ref())?;
            services.members().create_service_account(actor, &input.name, role).await
        };
        let (member, user_errors) = user_errors(creation.await)?;
        Ok(MemberPayload { member: member.map(TeamMember::from), sign_in_path: None, invitation_id: None, user_errors })
    }

    /// Gives a member another role.
    async fn set_member_role(&self, context: &Context<'_>, input: SetMemberRoleInput) -> Result<DonePayload> {
        let (services, actor) = caller(context)?;
        let change = async {
            let role = role_choice(input.role, input.custom_role_id.as_ref())?;
            services.members().set_role(actor, parse_id("userId", &input.user_id)?, role).await
        };
        done(change.await)
    }

    /// Takes an invitation back.
    async fn revoke_invitation(&self, context: &Context<'_>, input: RevokeInvitationInput) -> Result<DonePayload> {
        let (services, actor) = caller(context)?;
        let change = async { services.invitations().revoke(actor, parse_id("invitationId", &input.invitation_id)?).await };
        done(change.await)
    }

    /// Takes a member out of the team.
    async fn remove_member(&self, context: &Context<'_>, input: RemoveMemberInput) -> Result<DonePayload> {
        let (services, actor) = caller(context)?;
        let change = async { services.members().remove(actor, parse_id("userId", &input.user_id)?).await };
        done(change.await)
    }
}
