//! Access tokens: JWTs of 15 minutes, signed with HMAC-SHA-256 under a key derived from the master key.

use chrono::Duration;
use domain::id::{SessionId, UserId};
use domain::secret::Secret;
use domain::time::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::sealing::Sealer;
use crate::{Result, ServiceError};

const ISSUER: &str = "mikrocloud";

/// Makes and checks access tokens.
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// What an access token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Claims {
    iss: String,
    exp: i64,
    iat: i64,
    #[serde(rename = "sub")]
    pub user_id: UserId,
    #[serde(rename = "sid")]
    pub session_id: SessionId,
}

impl Claims {
    /// When the token ends.
    pub fn expires_at(&self) -> Option<Timestamp> {
        Timestamp::from_timestamp(self.exp, 0)
    }
}

impl Tokens {
    /// How long a token stands.
    pub const LIFETIME: Duration = Duration::minutes(15);

    pub(crate) fn new(sealer: &Sealer) -> Self {
        let key = sealer.derive("access-tokens");
        Self { encoding: EncodingKey::from_secret(key.as_ref()), decoding: DecodingKey::from_secret(key.as_ref()) }
    }

    pub(crate) fn issue(&self, user_id: UserId, session_id: SessionId, at: Timestamp) -> Result<Secret> {
        let claims =
            Claims { iss: ISSUER.to_owned(), exp: (at + Self::LIFETIME).timestamp(), iat: at.timestamp(), user_id, session_id };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map(Secret::new)
            .map_err(ServiceError::internal)
    }

    pub(crate) fn verify(&self, token: &str) -> Result<Claims> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.leeway = 5;
        let decoded = jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation);
        let claims = decoded.map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::ExpiredSignature => ServiceError::Unauthenticated(
                "the access token expired: exchange the refresh token at /auth/refresh, or sign in again",
            ),
            _ => ServiceError::Unauthenticated("the bearer token is not valid: sign in, or use an API key"),
        })?;
        Ok(claims.claims)
    }
}

#[cfg(test)]
mod tests {
    use domain::time::now;

    use super::*;
    use crate::MasterKey;

    fn tokens() -> Tokens {
        Tokens::new(&Sealer::new(MasterKey::generate()))
    }

    #[test]
    fn a_token_is_taken_back_until_it_expires() {
        let tokens = tokens();
        let (user, session) = (UserId::new(), SessionId::new());
        let token = tokens.issue(user, session, now()).unwrap();
        assert_eq!(tokens.verify(token.expose()).unwrap().user_id, user);
        let old = tokens.issue(user, session, now() - Duration::minutes(16)).unwrap();
        assert!(tokens.verify(old.expose()).unwrap_err().to_string().contains("expired"));
    }

    #[test]
    fn forged_tokens_are_refused() {
        let token = tokens().issue(UserId::new(), SessionId::new(), now()).unwrap();
        assert!(tokens().verify(token.expose()).is_err(), "signed with another key");
        // {"alg":"none"}
        let body = token.expose().split('.').nth(1).unwrap();
        assert!(tokens().verify(&format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}.")).is_err());
        for text in ["", ".", "..", "a.b.c"] {
            assert!(tokens().verify(text).is_err());
        }
    }
}
