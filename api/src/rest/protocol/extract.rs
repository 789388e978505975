//! Extractors of handlers. Their errors are reported like every other error.

use std::fmt;
use std::marker::PhantomData;

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use domain::access::Actor;
use http::StatusCode;
use http::request::Parts;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use services::ServiceError;

use super::error::Refused;
use crate::client;
use crate::problem::Refusal;
use crate::state::ApiState;

/// Actor that makes the request.
pub(in crate::rest) struct Caller(pub Actor);

impl FromRequestParts<ApiState> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Refused> {
        if let Some(actor) = parts.extensions.get::<Actor>() {
            return Ok(Self(actor.clone()));
        }
        let actor = crate::auth::required_actor(&state.machine.services, &parts.headers).await?;
        Ok(Self(actor.from(&Arc::new(client::origin(&parts.extensions, &parts.headers)))))
    }
}

/// The variables of the path.
pub(in crate::rest) struct Path<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<ApiState> for Path<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Refused> {
        no_nul(parts)?;
        let found = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        let axum::extract::Path(value) =
            found.map_err(|error| ServiceError::invalid("path", "INVALID_ID", bare(&error.body_text())))?;
        Ok(Self(value))
    }
}

/// The query. Parameters that the route does not know are refused.
pub(in crate::rest) struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<ApiState> for Query<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Refused> {
        no_nul(parts)?;
        let found = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        let axum::extract::Query(value) =
            found.map_err(|error| ServiceError::invalid("query", "INVALID_QUERY", bare(&error.body_text())))?;
        Ok(Self(value))
    }
}

/// Returns the bare error message, without the words of the framework around it.
fn bare(text: &str) -> &str {
    ["Invalid URL: ", "Failed to deserialize query string: "].iter().find_map(|words| text.strip_prefix(words)).unwrap_or(text)
}

/// No route has a use for the character NUL, and PostgreSQL takes it in no text.
fn no_nul(parts: &Parts) -> Result<(), Refused> {
    if parts.uri.to_string().contains("%00") {
        return Err(
            ServiceError::invalid("path", "INVALID_CHARACTER", "the address holds the character NUL: leave it out").into()
        );
    }
    Ok(())
}

/// A JSON body. Fields that the route does not know are refused.
pub(in crate::rest) struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<ApiState> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Refused> {
        let Json(JsonObject(value)) = Json::from_request(request, state).await.map_err(unreadable)?;
        Ok(Self(value))
    }
}

/// A JSON body that may be left out.
pub(in crate::rest) struct OptionalBody<T>(pub T);

impl<T: DeserializeOwned + Default> FromRequest<ApiState> for OptionalBody<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Refused> {
        if http_body::Body::is_end_stream(request.body()) {
            return Ok(Self(T::default()));
        }
        let Json(value) = Json::<Option<JsonObject<T>>>::from_request(request, state).await.map_err(unreadable)?;
        Ok(Self(value.map(|JsonObject(value)| value).unwrap_or_default()))
    }
}

/// Body that is written as a JSON object. By itself serde also accepts a list of the fields' values.
pub(in crate::rest) struct JsonObject<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for JsonObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = JsonObject<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<JsonObject<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(JsonObject)
    }
}

fn unreadable(error: JsonRejection) -> Refused {
    match error {
        JsonRejection::MissingJsonContentType(_) => {
            let detail = "send a JSON document, with the header `Content-Type: application/json`";
            Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", detail).into()
        }
        error => ServiceError::invalid("body", "INVALID_JSON", error.body_text()).into(),
    }
}

/// A field of a merge patch (RFC 7396): one that is null is not one that is left out.
#[derive(Debug, Default)]
pub(in crate::rest) enum PatchField {
    /// Left out.
    #[default]
    Kept,
    /// Null.
    Emptied,
    /// A text.
    Set(String),
}

impl PatchField {
    /// As use cases take it: `None` leaves a field, an empty text empties it.
    pub fn into_change(self) -> Option<String> {
        match self {
            Self::Kept => None,
            Self::Emptied => Some(String::new()),
            Self::Set(text) => Some(text),
        }
    }
}

impl<'de> Deserialize<'de> for PatchField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Emptied, Self::Set))
    }
}
