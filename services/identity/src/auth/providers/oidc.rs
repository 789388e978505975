//! OpenID Connect: discovery, authorisation code with PKCE, nonce, and everything that the ID token has to prove.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessToken, AdditionalClaims, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields,
    EndUserEmail, EndUserName, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenClaims, IdTokenFields, IssuerUrl,
    LocalizedClaim, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, StandardErrorResponse,
    StandardTokenResponse, TokenResponse, UserInfoClaims,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::config::OidcSettings;
use super::http::Http;
use super::{Arrival, Departure, Failure, ProviderClaims};

/// Time for which a provider's metadata is cached.
const FRESH: Duration = Duration::from_mins(10);

/// All claims that the standard does not name, such as groups.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct OtherClaims(Map<String, Value>);

impl AdditionalClaims for OtherClaims {}

type IdClaims = IdTokenClaims<OtherClaims, CoreGenderClaim>;
type UserClaims = UserInfoClaims<OtherClaims, CoreGenderClaim>;
type Fields = IdTokenFields<
    OtherClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Tokens = StandardTokenResponse<Fields, CoreTokenType>;
type OidcClient = Client<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

pub(super) struct Oidc {
    settings: OidcSettings,
    http: Http,
    metadata: Mutex<Option<(Instant, CoreProviderMetadata)>>,
}

impl Oidc {
    pub fn new(settings: OidcSettings) -> Self {
        Self { settings, http: Http::new(), metadata: Mutex::default() }
    }

    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    pub async fn authorize(&self, redirect: &Url, state: &str, departure: &Departure) -> Result<Url, Failure> {
        let client = self.client(redirect, FRESH).await?;
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(departure.verifier.clone()));
        let (state, nonce) = (CsrfToken::new(state.to_owned()), Nonce::new(departure.nonce.clone()));
        let request = client.authorize_url(CoreAuthenticationFlow::AuthorizationCode, || state, || nonce);
        let scopes = self.settings.scopes.iter().cloned().map(Scope::new);
        Ok(request.add_scopes(scopes).set_pkce_challenge(challenge).url().0)
    }

    pub async fn claims(&self, arrival: &Arrival<'_>) -> Result<ProviderClaims, Failure> {
        let client = self.client(arrival.redirect, FRESH).await?;
        let request = client
            .exchange_code(AuthorizationCode::new(arrival.code.to_owned()))
            .map_err(|error| Failure::of("the provider names no token endpoint", &error))?
            .set_pkce_verifier(PkceCodeVerifier::new(arrival.departure.verifier.clone()));
        let tokens =
            request.request_async(&self.http).await.map_err(|error| Failure::of("the code could not be exchanged", &error))?;
        let id = match verified(&client, &tokens, arrival) {
            Ok(claims) => claims,
            // The provider may have new keys.
            Err(_) => verified(&self.client(arrival.redirect, Duration::ZERO).await?, &tokens, arrival)?,
        };
        let claim = &self.settings.groups_claim;
        let subject = id.subject().to_string();
        if id.email().is_some() {
            let groups = groups(&id.additional_claims().0, claim);
            return Ok(told(subject, id.email(), id.email_verified(), id.name(), groups));
        }
        // Whoever hands out an access token need not repeat what the user info endpoint says (OpenID Connect Core, 5.4).
        let info = self.user_info(&client, tokens.access_token().clone(), &id).await?;
        let both = [groups(&id.additional_claims().0, claim), groups(&info.additional_claims().0, claim)].concat();
        Ok(told(subject, info.email(), info.email_verified(), info.name(), both))
    }

    async fn user_info(&self, client: &OidcClient, token: AccessToken, id: &IdClaims) -> Result<UserClaims, Failure> {
        let request = client.user_info(token, Some(id.subject().clone()));
        let request = request.map_err(|error| Failure::of("the provider names no user info endpoint", &error))?;
        request.request_async(&self.http).await.map_err(|error| Failure::of("the user info could not be read", &error))
    }

    async fn client(&self, redirect: &Url, fresh: Duration) -> Result<OidcClient, Failure> {
        let metadata = self.metadata(fresh).await?;
        let (id, secret) = (self.settings.client_id.clone(), self.settings.client_secret.expose().to_owned());
        let client = OidcClient::from_provider_metadata(metadata, ClientId::new(id), Some(ClientSecret::new(secret)));
        Ok(client.set_redirect_uri(RedirectUrl::from_url(redirect.clone())))
    }

    async fn metadata(&self, fresh: Duration) -> Result<CoreProviderMetadata, Failure> {
        let known = self.metadata.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, metadata)) = known.filter(|(since, _)| since.elapsed() < fresh) {
            return Ok(metadata);
        }
        let issuer = IssuerUrl::new(self.settings.issuer.clone()).map_err(|error| Failure::of("the issuer", &error))?;
        let found = CoreProviderMetadata::discover_async(issuer, &self.http).await;
        let metadata = found.map_err(|error| Failure::of("the provider could not be asked about itself", &error))?;
        *self.metadata.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), metadata.clone()));
        Ok(metadata)
    }
}

/// Returns the claims of an ID token, if the provider signed it for us and for this sign-in.
fn verified(client: &OidcClient, tokens: &Tokens, arrival: &Arrival<'_>) -> Result<IdClaims, Failure> {
    let token = tokens.id_token().ok_or_else(|| Failure::new("the provider sent no ID token"))?;
    let nonce = Nonce::new(arrival.departure.nonce.clone());
    let claims = token.claims(&client.id_token_verifier(), &nonce);
    claims.cloned().map_err(|error| Failure::of("the ID token is not valid", &error))
}

fn told(
    subject: String,
    email: Option<&EndUserEmail>,
    is_verified: Option<bool>,
    name: Option<&LocalizedClaim<EndUserName>>,
    groups: Vec<String>,
) -> ProviderClaims {
    let verified_email = email.filter(|_| is_verified == Some(true)).map(|email| email.to_lowercase());
    let name = name.and_then(|name| name.get(None)).map(|name| name.as_str().to_owned());
    ProviderClaims { subject, verified_email, name, groups }
}

/// The groups in a claim: a list of names, or one name.
fn groups(claims: &Map<String, Value>, name: &str) -> Vec<String> {
    match claims.get(name) {
        Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(group)) => vec![group.clone()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn groups_are_a_list_or_one_name() {
        let claims = json!({"list": ["a", 7, "b"], "one": "a", "number": 7});
        let claims = claims.as_object().unwrap();
        assert_eq!(groups(claims, "list"), ["a", "b"]);
        assert_eq!(groups(claims, "one"), ["a"]);
        assert!(groups(claims, "number").is_empty() && groups(claims, "missing").is_empty());
    }
}
