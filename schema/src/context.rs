//! Values in the context of resolvers.

use async_graphql::{Context, Result};
use domain::access::Actor;
use services::{ServiceError, Services};

use crate::error::to_graphql;

/// The services and who asks; an error when nobody signed in.
pub fn caller<'c>(context: &'c Context<'_>) -> Result<(&'c Services, &'c Actor)> {
    let services = context.data::<Services>()?;
    let actor = context.data_opt::<Actor>().ok_or_else(|| {
        to_graphql(ServiceError::Unauthenticated("sign in first: send `Authorization: Bearer` with an access token or API key"))
    })?;
    Ok((services, actor))
}
