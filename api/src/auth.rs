//! Identification of a request's sender.

use domain::access::Actor;
use domain::id::TeamId;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use services::{ServiceError, Services};

/// Chooses one of the user's teams.
const TEAM_HEADER: &str = "x-mikrocloud-team";

/// The actor behind the `Authorization` header; `None` when there is no such header.
pub(crate) async fn actor(services: &Services, headers: &HeaderMap) -> services::Result<Option<Actor>> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let bearer = value.to_str().ok().and_then(bearer);
    let bearer = bearer.ok_or(ServiceError::Unauthenticated("the Authorization header must be `Bearer` and a token"))?;
    let team = headers.get(TEAM_HEADER).map(|value| parse_team(value.to_str().ok())).transpose()?;
    services.sessions().authenticate(bearer, team).await.map(Some)
}

/// The actor behind the `Authorization` header, which must be there.
pub(crate) async fn required_actor(services: &Services, headers: &HeaderMap) -> services::Result<Actor> {
    let missing = ServiceError::Unauthenticated("sign in first: send `Authorization: Bearer` with an access token or API key");
    actor(services, headers).await?.ok_or(missing)
}

/// The token of a `Bearer` header value; the scheme's case does not matter (RFC 9110).
pub(crate) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn parse_team(text: Option<&str>) -> services::Result<TeamId> {
    let text = text.unwrap_or_default();
    text.parse().map_err(|error| ServiceError::invalid(TEAM_HEADER, "INVALID_ID", error))
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn only_the_bearer_scheme_is_taken() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("Bearer"), None);
    }
}
