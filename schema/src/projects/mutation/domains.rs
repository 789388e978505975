use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use services::DomainDetails;

use crate::context::caller;
use crate::error::{UserError, user_errors};
use crate::input::parse_id;
use crate::projects::model::domain::Domain;

#[derive(Default)]
pub struct DomainMutation;

#[derive(InputObject)]
struct AddDomainInput {
    /// The project.
    project_id: ID,
    /// The environment that it shows; production when left out.
    environment: Option<String>,
    /// Its name, such as `www.example.org`.
    name: String,
}

#[derive(InputObject)]
struct VerifyDomainInput {
    /// The domain.
    domain_id: ID,
}

#[derive(InputObject)]
struct UpdateDomainInput {
    /// The domain.
    domain_id: ID,
    /// The environment that it shows from now on.
    environment: String,
}

#[derive(InputObject)]
struct RemoveDomainInput {
    /// The domain.
    domain_id: ID,
}

#[derive(SimpleObject)]
struct DomainPayload {
    /// The domain, when it went well.
    domain: Option<Domain>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
struct RemoveDomainPayload {
    /// Indicates that it is removed.
    removed: bool,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

fn payload(result: services::Result<DomainDetails>) -> Result<DomainPayload> {
    let (domain, user_errors) = user_errors(result)?;
    Ok(DomainPayload { domain: domain.map(Domain::from), user_errors })
}

#[Object]
impl DomainMutation {
    /// Adds a domain of the team's own to an environment. It is served once the DNS shows that it is the team's: `records` says how.
    async fn add_domain(&self, context: &Context<'_>, input: AddDomainInput) -> Result<DomainPayload> {
        let (services, actor) = caller(context)?;
        let add = async {
            let project = parse_id("projectId", &input.project_id)?;
            services.domains().add(actor, project, input.environment.as_deref(), &input.name).await
        };
        payload(add.await)
    }

    /// Looks now whether the DNS shows that a domain is the team's. What is found is there once `checkedAt` is later.
    async fn verify_domain(&self, context: &Context<'_>, input: VerifyDomainInput) -> Result<DomainPayload> {
        let (services, actor) = caller(context)?;
        payload(async { services.domains().verify(actor, parse_id("domainId", &input.domain_id)?).await }.await)
    }

    /// Lets a domain show another environment of its project.
    async fn update_domain(&self, context: &Context<'_>, input: UpdateDomainInput) -> Result<DomainPayload> {
        let (services, actor) = caller(context)?;
        let update =
            async { services.domains().update(actor, parse_id("domainId", &input.domain_id)?, &input.environment).await };
        payload(update.await)
    }

    /// Removes a domain: it is served no longer.
    async fn remove_domain(&self, context: &Context<'_>, input: RemoveDomainInput) -> Result<RemoveDomainPayload> {
        let (services, actor) = caller(context)?;
        let removed = async { services.domains().remove(actor, parse_id("domainId", &input.domain_id)?).await }.await;
        let (removed, user_errors) = user_errors(removed)?;
        Ok(RemoveDomainPayload { removed: removed.is_some(), user_errors })
    }
}
