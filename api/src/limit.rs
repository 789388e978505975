//! Rate limits in front of the routes: who asks is found out here, counted, and told how they stand.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use services::ServiceError;
use services::limits::Standing;

use crate::problem::refusal;
use crate::state::ApiState;
use crate::{auth, client};

/// Address at which pages of the dashboard get their access token.
const ACCESS: &str = "/auth/access";

/// Counts a request and lets it pass or not. Handlers find the actor in the request's extensions.
pub(crate) async fn limit(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let standing = count(&state, &mut request).await;
    let mut response = match standing {
        Some(standing) if !standing.allowed => refusal(request.uri().path(), limited(&standing)),
        _ => next.run(request).await,
    };
    if let Some(standing) = standing {
        describe(&standing, response.headers_mut());
    }
    response
}

async fn count(state: &ApiState, request: &mut Request) -> Option<Standing> {
    let address = client::address(request.extensions(), request.headers());
    // Each page of the dashboard begins with it, and a whole office may come from one address. It tries no secret that can be guessed.
    if request.uri().path() == ACCESS && request.headers().contains_key(http::header::COOKIE) {
        return None;
    }
    // A command line that waits asks every few seconds, with a code that nobody guesses.
    if request.method() == Method::POST && request.uri().path().starts_with("/auth/") && request.uri().path() != "/auth/token" {
        return state.limiter.count_sign_in(address);
    }
    let is_counted = !client::is_local_cli(request.extensions(), request.headers());
    // What is wrong with a credential is for the handler to say.
    let Ok(Some(actor)) = auth::actor(&state.machine.services, request.headers()).await else {
        return if is_counted { state.limiter.count_anonymous(address) } else { None };
    };
    let standing = if is_counted { state.limiter.count(&actor).await } else { None };
    let origin = client::origin(request.extensions(), request.headers());
    request.extensions_mut().insert(actor.from(&Arc::new(origin)));
    standing
}

/// The error of somebody who asks too often.
pub(crate) fn limited(standing: &Standing) -> ServiceError {
    ServiceError::RateLimited {
        limit: standing.limit,
        window_seconds: standing.window.as_secs(),
        retry_seconds: standing.reset_seconds(),
    }
}

/// Says how somebody stands, in the fields of draft-ietf-httpapi-ratelimit-headers-10 and in those of its earlier versions (up to 07),
/// which more clients know.
fn describe(standing: &Standing, headers: &mut HeaderMap) {
    let Standing { policy, limit, window, remaining, allowed, .. } = standing;
    let reset = standing.reset_seconds();
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("ratelimit-policy", format!("\"{policy}\";q={limit};w={}", window.as_secs()));
    set("ratelimit", format!("\"{policy}\";r={remaining};t={reset}"));
    set("ratelimit-limit", limit.to_string());
    set("ratelimit-remaining", remaining.to_string());
    set("ratelimit-reset", reset.to_string());
    if !allowed {
        headers.insert(RETRY_AFTER, HeaderValue::from(reset));
    }
}
