//! Access tokens: JWTs of 15 minutes.

use std::sync::Arc;

use chrono::Duration;
use domain::id::{SessionId, UserId};
use domain::secret::Secret;
use domain::time::Timestamp;
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_core::sealing::Sealer;
use services_core::{Result, ServiceError};
use store::Store;

use super::signing_keys::{Key, SigningKeys};

const ISSUER: &str = "mikrocloud";

/// Lifetime of an access token.
pub(super) const LIFETIME: Duration = Duration::minutes(15);

const INVALID: ServiceError = ServiceError::Unauthenticated("the bearer token is not valid: sign in, or use an API key");

/// Makes and checks access tokens.
pub(crate) struct Tokens(SigningKeys);

/// Makes access tokens with one key.
pub(super) struct Signer(Arc<Key>);

/// Claims of an access token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TokenClaims {
    iss: String,
    exp: i64,
    iat: i64,
    #[serde(rename = "sub")]
    pub user_id: UserId,
    #[serde(rename = "sid")]
    pub session_id: SessionId,
}

impl TokenClaims {
    /// Returns the expiry of the token.
    pub fn expires_at(&self) -> Option<Timestamp> {
        Timestamp::from_timestamp(self.exp, 0)
    }
}

impl Signer {
    pub fn issue(&self, user_id: UserId, session_id: SessionId, at: Timestamp) -> Result<Secret> {
        let (exp, iat) = ((at + LIFETIME).timestamp(), at.timestamp());
        let claims = TokenClaims { iss: ISSUER.to_owned(), exp, iat, user_id, session_id };
        let header = Header { kid: Some(self.0.id.clone()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, &claims, &self.0.encoding).map(Secret::new).map_err(ServiceError::internal)
    }
}

impl Tokens {
    pub fn new(store: Store, sealer: Arc<Sealer>) -> Self {
        Self(SigningKeys::new(store, sealer))
    }

    /// Returns the present signer of tokens. Must not be called within a transaction.
    pub(super) async fn signer(&self) -> Result<Signer> {
        Ok(Signer(self.0.signer().await?))
    }

    /// The public keys as a JSON Web Key Set (RFC 7517).
    pub async fn key_set(&self) -> Result<Value> {
        self.0.key_set().await
    }

    /// Makes the next key when it is time.
    pub async fn rotate(&self) -> Result<()> {
        self.0.rotate().await
    }

    /// Returns the claims of a token, if one of the keys signed it and it has not expired.
    pub async fn verify(&self, token: &str) -> Result<TokenClaims> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| INVALID)?;
        let key = self.0.find(header.kid.as_deref().unwrap_or_default()).await?.ok_or(INVALID)?;
        // The algorithm is ours, whatever the token says.
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[ISSUER]);
        validation.leeway = 5;
        let decoded = jsonwebtoken::decode::<TokenClaims>(token, &key.decoding, &validation);
        let claims = decoded.map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::ExpiredSignature => ServiceError::Unauthenticated(
                "the access token expired: exchange the refresh token at /auth/refresh, or sign in again",
            ),
            _ => INVALID,
        })?;
        Ok(claims.claims)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use domain::time::now;
    use jsonwebtoken::EncodingKey;
    use services_core::MasterKey;

    use super::*;

    async fn tokens() -> (tempfile::TempDir, Tokens) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::sqlite(&directory.path().join("test.db")).await.unwrap();
        store.migrate().await.unwrap();
        (directory, Tokens::new(store, Arc::new(Sealer::new(MasterKey::generate()))))
    }

    async fn issued(tokens: &Tokens, at: Timestamp) -> Secret {
        tokens.signer().await.unwrap().issue(UserId::new(), SessionId::new(), at).unwrap()
    }

    #[tokio::test]
    async fn a_token_is_taken_back_until_it_expires() {
        let (_directory, tokens) = tokens().await;
        let (user, session) = (UserId::new(), SessionId::new());
        let token = tokens.signer().await.unwrap().issue(user, session, now()).unwrap();
        let claims = tokens.verify(token.expose()).await.unwrap();
        assert_eq!((claims.user_id, claims.session_id), (user, session));
        let old = issued(&tokens, now() - Duration::minutes(16)).await;
        assert!(tokens.verify(old.expose()).await.unwrap_err().to_string().contains("expired"));
    }

    #[tokio::test]
    async fn forged_tokens_are_refused() {
        let (_directory, ours) = tokens().await;
        let token = issued(&ours, now()).await;
        let (_other, others) = tokens().await;
        issued(&others, now()).await;
        assert!(others.verify(token.expose()).await.is_err(), "signed with another key");
        let body = token.expose().split('.').nth(1).unwrap();
        assert!(ours.verify(&format!("{}.{body}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#))).await.is_err());
        // Signed with the public key as if it were a shared secret.
        let kid = jsonwebtoken::decode_header(token.expose()).unwrap().kid;
        let header = Header { kid, ..Header::new(Algorithm::HS256) };
        let claims = ours.verify(token.expose()).await.unwrap();
        let public = ours.key_set().await.unwrap()["keys"][0]["x"].as_str().unwrap().to_owned();
        let forged = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(public.as_bytes())).unwrap();
        assert!(ours.verify(&forged).await.is_err());
        for text in ["", ".", "..", "a.b.c"] {
            assert!(ours.verify(text).await.is_err());
        }
    }
}
