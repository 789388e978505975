//! Domains of the team's own.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::access::Actor;
use domain::custom_domain;
use domain::id::{DomainId, ProjectId};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use services::acme::DomainCertificate;
use services::{DomainDetails, Services};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rest::protocol::capitals::Capitals;
use crate::rest::protocol::conditional::check_match;
use crate::rest::protocol::error::Answer;
use crate::rest::protocol::extract::{Body, Caller, Path, Query};
use crate::rest::protocol::paging::PageOf;
use crate::rest::protocol::respond::created;
use crate::state::ApiState;

/// The routes of domains.
pub(in crate::rest) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(show, update, remove)).routes(routes!(verify))
}

type DomainState = Capitals<custom_domain::DomainState>;

/// State of a domain's certificate.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum DomainCertificateState {
    /// This installation gets none: what stands before it has the certificates, or it shows sites without TLS.
    Elsewhere,
    /// There is none yet: it is ordered once the domain is verified, and until it is there handshakes are refused.
    Waiting,
    /// There is one.
    Issued,
}

/// Status of a domain's certificate.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DomainCertificate)]
struct CertificateView {
    /// State of the certificate.
    state: DomainCertificateState,
    /// End of validity.
    not_after: Option<DateTime<Utc>>,
    /// Problem of the last attempt to issue or renew it, with a remedy.
    problem: Option<String>,
    /// Time of the next attempt, after one that failed.
    next_try_at: Option<DateTime<Utc>>,
}

impl From<DomainCertificate> for CertificateView {
    fn from(certificate: DomainCertificate) -> Self {
        let (state, not_after, failed) = match certificate {
            DomainCertificate::Elsewhere => (DomainCertificateState::Elsewhere, None, None),
            DomainCertificate::Waiting { failed } => (DomainCertificateState::Waiting, None, failed),
            DomainCertificate::Issued { not_after, failed } => (DomainCertificateState::Issued, Some(not_after), failed),
        };
        let (problem, next_try_at) = failed.map(|failed| (failed.problem, failed.next_try_at)).unzip();
        Self { state, not_after, problem, next_try_at }
    }
}

/// A record that the owner of a domain makes in its zone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DnsRecord)]
struct RecordView {
    /// Its type, such as `TXT`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The name that it is for.
    name: String,
    /// Value of the record.
    value: String,
}

/// A domain of the team's own, which shows an environment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Domain)]
struct DomainView {
    /// Identity.
    #[schema(value_type = String, pattern = "^dom_[0-9a-f]{32}$")]
    id: DomainId,
    /// The project it belongs to.
    #[schema(value_type = String)]
    project_id: ProjectId,
    /// Its name, in ASCII (`xn--...`).
    name: String,
    /// Its name as people write it.
    unicode_name: String,
    /// The environment that it shows.
    environment: String,
    /// Its address.
    url: String,
    /// State of the domain.
    state: DomainState,
    /// The records that its owner makes: one that shows that it is theirs, and one that leads visitors here where that can be said by
    /// name.
    records: Vec<RecordView>,
    /// Problem that the last DNS check found, with a remedy.
    problem: Option<String>,
    /// Time of the last DNS check.
    checked_at: Option<DateTime<Utc>>,
    /// Time of the next DNS check; null if none is scheduled.
    next_check_at: Option<DateTime<Utc>>,
    /// Time since which the domain is verified as the team's, and served.
    verified_at: Option<DateTime<Utc>>,
    /// Status of its certificate.
    certificate: CertificateView,
    /// Time at which it was added.
    created_at: DateTime<Utc>,
}

impl From<DomainDetails> for DomainView {
    fn from(details: DomainDetails) -> Self {
        let DomainDetails { domain, environment, url, records, certificate } = details;
        let record = |record: custom_domain::DnsRecord| RecordView { kind: record.kind, name: record.name, value: record.value };
        Self {
            id: domain.id,
            project_id: domain.project_id,
            unicode_name: domain.name.in_unicode().unwrap_or_else(|| domain.name.to_string()),
            state: domain.state().into(),
            name: domain.name.to_string(),
            environment: environment.to_string(),
            url,
            records: records.into_iter().map(record).collect(),
            problem: domain.problem,
            checked_at: domain.checked_at,
            next_check_at: domain.next_check_at,
            verified_at: domain.verified_at,
            certificate: certificate.into(),
            created_at: domain.created_at,
        }
    }
}

/// Filter and page of the domains to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ListQuery {
    /// The project.
    #[param(value_type = String, pattern = "^prj_[0-9a-f]{32}$")]
    project_id: ProjectId,
}

/// A domain to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewDomain)]
struct AddBody {
    /// The project.
    #[schema(value_type = String, pattern = "^prj_[0-9a-f]{32}$")]
    project_id: ProjectId,
    /// The environment that it shows; production when left out.
    environment: Option<String>,
    /// Its name, such as `www.example.org`.
    #[schema(min_length = 1)]
    name: String,
}

/// A change of a domain.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DomainChange)]
struct UpdateBody {
    /// The environment that it shows from now on.
    environment: Option<String>,
}

/// The domains of a project, by name.
#[utoipa::path(get, path = "/api/v1/domains", tag = "domains", operation_id = "listDomains", params(ListQuery),
    responses((status = 200, body = PageOf<DomainView>)))]
async fn list(
    Caller(actor): Caller,
    State(services): State<Services>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<ListQuery>,
) -> Answer<PageOf<DomainView>> {
    let domains = services.domains().list(&actor, query.project_id).await?;
    Ok(PageOf::whole(domains.into_iter().map(DomainView::from).collect(), uri))
}

/// Adds a domain of the team's own to an environment. It is served once the DNS shows that it is the team's: `records` says how.
#[utoipa::path(post, path = "/api/v1/domains", tag = "domains", operation_id = "addDomain", request_body = AddBody,
    responses((status = 201, body = DomainView)))]
async fn add(Caller(actor): Caller, State(services): State<Services>, Body(body): Body<AddBody>) -> Answer<Response> {
    let domain = services.domains().add(&actor, body.project_id, body.environment.as_deref(), &body.name).await?;
    Ok(created("domains", domain.domain.id, &DomainView::from(domain)))
}

/// Builds the response of [`add`] about a domain that exists.
pub(in crate::rest) async fn made(services: &Services, actor: &Actor, id: DomainId) -> services::Result<Response> {
    Ok(created("domains", id, &DomainView::from(services.domains().get(actor, id).await?)))
}

/// A domain.
#[utoipa::path(get, path = "/api/v1/domains/{id}", tag = "domains", operation_id = "getDomain",
    params(("id" = String, Path, description = "The domain.", pattern = "^dom_[0-9a-f]{32}$")),
    responses((status = 200, body = DomainView)))]
async fn show(Caller(actor): Caller, State(services): State<Services>, Path(id): Path<DomainId>) -> Answer<Json<DomainView>> {
    Ok(Json(services.domains().get(&actor, id).await?.into()))
}

/// Lets a domain show another environment of its project.
#[utoipa::path(patch, path = "/api/v1/domains/{id}", tag = "domains", operation_id = "updateDomain",
    request_body(content((UpdateBody = "application/json"), (UpdateBody = "application/merge-patch+json"))),
    params(("id" = String, Path, description = "The domain.", pattern = "^dom_[0-9a-f]{32}$")),
    responses((status = 200, body = DomainView)))]
async fn update(
    Caller(actor): Caller,
    State(services): State<Services>,
    Path(id): Path<DomainId>,
    headers: HeaderMap,
    Body(body): Body<UpdateBody>,
) -> Answer<Json<DomainView>> {
    let present = seen(&services, &actor, id, &headers).await?;
    let domain = match body.environment {
        Some(environment) => services.domains().update(&actor, id, &environment).await?,
        None => present,
    };
    Ok(Json(domain.into()))
}

/// Looks now whether the DNS shows that a domain is the team's. What is found is there once `checkedAt` is later.
#[utoipa::path(post, path = "/api/v1/domains/{id}/verify", tag = "domains", operation_id = "verifyDomain",
    params(("id" = String, Path, description = "The domain.", pattern = "^dom_[0-9a-f]{32}$")),
    responses((status = 202, body = DomainView)))]
async fn verify(
    Caller(actor): Caller,
    State(services): State<Services>,
    Path(id): Path<DomainId>,
) -> Answer<(StatusCode, Json<DomainView>)> {
    Ok((StatusCode::ACCEPTED, Json(services.domains().verify(&actor, id).await?.into())))
}

/// Removes a domain: it is served no longer.
#[utoipa::path(delete, path = "/api/v1/domains/{id}", tag = "domains", operation_id = "removeDomain",
    params(("id" = String, Path, description = "The domain.", pattern = "^dom_[0-9a-f]{32}$")),
    responses((status = 204)))]
async fn remove(
    Caller(actor): Caller,
    State(services): State<Services>,
    Path(id): Path<DomainId>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    seen(&services, &actor, id, &headers).await?;
    services.domains().remove(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The domain as it is, which has to be as the client saw it where they say how.
async fn seen(services: &Services, actor: &Actor, id: DomainId, headers: &HeaderMap) -> Answer<DomainDetails> {
    let present = services.domains().get(actor, id).await?;
    check_match(headers, &DomainView::from(present.clone()))?;
    Ok(present)
}
