//! Mutations of one's own account. Each requires a session: API keys are refused.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::secret::Secret;

use super::teams::{DonePayload, done};
use crate::context::caller;
use crate::error::{UserError, to_graphql, user_errors};
use crate::identity::model::account::account;
use crate::input::parse_id;

#[derive(Default)]
pub struct AccountMutation;

#[derive(InputObject)]
struct ChangePasswordInput {
    /// The present password; left out by who has none.
    password: Option<String>,
    /// The password to use from then on.
    new_password: String,
}

#[derive(InputObject)]
struct RevokeSessionInput {
    /// The session.
    session_id: ID,
}

#[derive(InputObject)]
struct BeginSecondFactorInput {
    /// The present password; left out by who has none.
    password: Option<String>,
}

#[derive(InputObject)]
struct SecondFactorCodeInput {
    /// The code that the authenticator shows, or, once it is enabled, a recovery code.
    code: String,
}

#[derive(InputObject)]
struct UnlinkIdentityInput {
    /// The provider's name.
    provider: String,
    /// The present password; left out by who has none.
    password: Option<String>,
}

#[derive(InputObject)]
struct AnswerInvitationInput {
    /// The token in the invitation's link.
    token: String,
    /// Accepts the invitation if true, and declines it otherwise.
    accept: bool,
}

#[derive(SimpleObject)]
struct EnrolmentPayload {
    /// The secret, to be typed into the authenticator.
    secret: Option<String>,
    /// The same as an `otpauth:` address, to be shown as a QR code.
    address: Option<String>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
struct RecoveryCodesPayload {
    /// The recovery codes, shown this once; each signs in once in place of a code.
    codes: Option<Vec<String>>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

fn codes(result: services::Result<Vec<Secret>>) -> Result<RecoveryCodesPayload> {
    let (codes, user_errors) = user_errors(result)?;
    let codes = codes.map(|codes| codes.iter().map(|code| code.expose().to_owned()).collect());
    Ok(RecoveryCodesPayload { codes, user_errors })
}

#[Object]
impl AccountMutation {
    /// Sets another password and ends all other sessions.
    async fn change_password(&self, context: &Context<'_>, input: ChangePasswordInput) -> Result<DonePayload> {
        let (account, services) = (account(context).await?, caller(context)?.0);
        let present = input.password.map(Secret::new);
        done(services.accounts().change_password(&account, present, Secret::new(input.new_password)).await)
    }

    /// Ends one of one's sessions.
    async fn revoke_session(&self, context: &Context<'_>, input: RevokeSessionInput) -> Result<DonePayload> {
        let (account, services) = (account(context).await?, caller(context)?.0);
        done(async { services.accounts().revoke_session(&account, parse_id("sessionId", &input.session_id)?).await }.await)
    }

    /// Makes a secret for an authenticator program. Nothing is asked for until a first code confirms it.
    async fn begin_second_factor(&self, context: &Context<'_>, input: BeginSecondFactorInput) -> Result<EnrolmentPayload> {
        let (account, services) = (account(context).await?, caller(context)?.0);
        let user = services.user(account.user_id).await.map_err(to_graphql)?;
        let begun = services.second_factors().start(&account, &user, input.password.map(Secret::new)).await;
        let (enrolment, user_errors) = user_errors(begun)?;
        let text = |secret: Secret| secret.expose().to_owned();
        let (secret, address) = enrolment.map(|enrolment| (text(enrolment.secret), text(enrolment.address))).unzip();
        Ok(EnrolmentPayload { secret, address, user_errors })
    }

    /// Asks for a second factor from now on.
    async fn confirm_second_factor(&self, context: &Context<'_>, input: SecondFactorCodeInput) -> Result<RecoveryCodesPayload> {
        let (account, services) = (account(context).await?, caller(context)?.0);
        codes(services.second_factors().confirm(&account, &input.code).await)
    }

    /// Replaces the recovery codes.
    async fn renew_recovery_codes(&self, context: &Context<'_>, input: SecondFactorCodeInput) -> Result<RecoveryCodesPayload> {
        let (account, services) = (account(context).await?, caller(context)?.0);
        codes(services.second_factors().renew_recovery_codes(&account, &input.code).await)
    }

    /// Asks for a second factor no longer.
    async fn disable_second_factor(&self, context: &Context<'_>, input: SecondFactorCodeInput) -> Result<DonePayload> {
        let (account, services) = (account(context).await?, caller(context)?.0);
        done(services.second_factors().disable(&account, &input.code).await)
    }

    /// Takes back that an account of a provider signs one in.
    async fn unlink_identity(&self, context: &Context<'_>, input: UnlinkIdentityInput) -> Result<DonePayload> {
        let (account, services) = (account(context).await?, caller(context)?.0);
        done(services.providers().unlink_identity(&account, &input.provider, input.password.map(Secret::new)).await)
    }

    /// Says that one has seen what happened to one's account.
    async fn acknowledge_security_events(&self, context: &Context<'_>) -> Result<DonePayload> {
        let (account, services) = (account(context).await?, caller(context)?.0);
        done(services.accounts().acknowledge_security_events(&account).await)
    }

    /// Answers an invitation to a team.
    async fn answer_invitation(&self, context: &Context<'_>, input: AnswerInvitationInput) -> Result<DonePayload> {
        let (account, services) = (account(context).await?, caller(context)?.0);
        done(if input.accept {
            services.invitations().accept(&account, &input.token).await.map(drop)
        } else {
            services.invitations().decline(&account, &input.token).await
        })
    }

    /// Ends all sessions, this one too, and signs all command lines out. API keys that one made stay.
    async fn sign_out_everywhere(&self, context: &Context<'_>) -> Result<DonePayload> {
        let (account, services) = (account(context).await?, caller(context)?.0);
        done(services.accounts().sign_out_everywhere(&account).await)
    }
}
