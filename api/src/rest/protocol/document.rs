//! The OpenAPI document: what the routes say of themselves, and what all of them have in common.

use http::Method;
use utoipa::openapi::link::Link;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, Deprecated, HeaderBuilder, OpenApi, Ref, RefOr};
use utoipa::{OpenApi as _, openapi};

use super::deprecation::DEPRECATED;
use crate::problem::{PROBLEM_JSON, ProblemDetails};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "MikroCloud",
        description = "The same use cases as the GraphQL API, over HTTP. Send `Authorization: Bearer` with an access token or an API key; \
            `X-MikroCloud-Team` chooses one of several teams. Errors are problem details (RFC 9457) with a stable `code`. Lists have pages: \
            `first` says how many, `after` takes the `endCursor` of the page before, and the `Link` header has the next page. Everything \
            that is read has an `ETag`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(ProblemDetails)),
    tags(
        (name = "projects", description = "What a team deploys, and where to."),
        (name = "deployments", description = "Attempts to make a source live, what happened to them and what they logged."),
        (name = "variables", description = "Environment variables: values go in and are never shown again."),
        (name = "functions", description = "The functions that environments serve."),
        (name = "domains", description = "Domains of the team's own, and the environments that they show."),
        (name = "jobs", description = "Work that is written down before it is done."),
        (name = "audit", description = "Who changed what."),
    ),
)]
struct Base;

const BEARER: &str = "bearer";

/// The answers that operations have in common: status, name, and what it says.
const SHARED: [(&str, &str, &str); 12] = [
    ("400", "BadRequest", "The request could not be read."),
    ("401", "Unauthenticated", "There is no credential, or it is not good."),
    ("403", "Forbidden", "The credential does not allow it."),
    ("404", "NotFound", "There is no such thing, or one may not see it."),
    ("409", "Conflict", "The first request with this key is under way, or its answer was lost."),
    ("412", "PreconditionFailed", "It was changed since you looked at it."),
    ("413", "PayloadTooLarge", "The body is too large."),
    ("415", "UnsupportedMediaType", "The body is not said to be JSON."),
    ("422", "BadInput", "The input cannot be taken: `field` and `reason` say what is wrong with it."),
    ("429", "RateLimited", "Too many requests."),
    ("503", "Unavailable", "It cannot be done at this moment."),
    ("504", "Timeout", "It took too long."),
];

/// Those that every operation has.
const ERRORS: [&str; 8] = ["400", "401", "403", "404", "422", "429", "503", "504"];

/// Links from an operation that creates something to the operations that can follow: the parameter that takes its id, and the
/// operations that take it.
const LINKS: [(&str, &str, &[&str]); 4] = [
    (
        "createProject",
        "id",
        &["getProject", "updateProject", "deleteProject", "listEnvironments", "listVariables", "setVariables"],
    ),
    ("createProject", "projectId", &["listDeployments", "listFunctions"]),
    (
        "triggerDeployment",
        "id",
        &["getDeployment", "listDeploymentEvents", "listDeploymentLogs", "cancelDeployment", "promoteDeployment"],
    ),
    ("triggerDeployment", "id", &["approveDeployment", "rejectDeployment"]),
];

/// The document without its paths.
pub(in crate::rest) fn base() -> OpenApi {
    let mut document = Base::openapi();
    "1".clone_into(&mut document.info.version);
    let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(BEARER, scheme);
    for (status, name, description) in SHARED {
        components.responses.insert(name.to_owned(), problem(status, description).into());
    }
    document.security = Some(vec![SecurityRequirement::new(BEARER, [] as [&str; 0])]);
    document
}

/// Adds to each operation what all of its kind have.
pub(in crate::rest) fn complete(mut document: OpenApi) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            describe(&method, path, operation);
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    let all = [(Method::GET, get), (Method::PUT, put), (Method::POST, post), (Method::DELETE, delete), (Method::PATCH, patch)];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn describe(method: &Method, path: &str, operation: &mut Operation) {
    let takes_json = operation.request_body.as_ref().is_some_and(|body| match body {
        RefOr::T(body) => body.content.keys().any(|kind| kind.ends_with("json")),
        RefOr::Ref(_) => false,
    });
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            "It is done.".clone_into(&mut response.description);
        }
    }
    for status in ERRORS {
        share(operation, status);
    }
    tell(operation, "201", "Location", "Where it is.");
    link(operation);
    if *method != Method::GET {
        share(operation, "413");
    }
    if takes_json {
        share(operation, "415");
    }
    if *method == Method::GET {
        read(operation);
    }
    if *method == Method::POST && !path.ends_with("/uploads") {
        let about = "Names this request: sent again with the same key within 24 hours, it is done once and answered as before.";
        let key = ObjectBuilder::new().schema_type(text()).pattern(Some("^[!#-\\[\\]-~]{1,255}$")).build();
        operation.parameters.get_or_insert_default().push(header("Idempotency-Key", about, key).into());
        share(operation, "409");
    }
    if matches!(*method, Method::PATCH | Method::DELETE) && path == "/api/v1/projects/{id}" {
        let about = "The `ETag` of the project as you saw it: nothing is done when it was changed since.";
        operation.parameters.get_or_insert_default().push(header("If-Match", about, string()).into());
        share(operation, "412");
    }
    if DEPRECATED.iter().any(|entry| entry.path == path && entry.method == *method) {
        operation.deprecated = Some(Deprecated::True);
    }
}

/// Documents the entity tag of operations that read, and the resume position of those that can be followed.
fn read(operation: &mut Operation) {
    let about = "The `ETag` of what you have: it is not sent again when it is still the same.";
    let parameters = operation.parameters.get_or_insert_default();
    parameters.push(header("If-None-Match", about, string()).into());
    add(operation, "304", ResponseBuilder::new().description("It is what you have.").build());
    for status in ["200", "304"] {
        tell(operation, status, "ETag", "What `If-None-Match` takes; it changes with what is shown. Streams have none.");
    }
    let streams = operation.responses.responses.get("200").is_some_and(|response| match response {
        RefOr::T(response) => response.content.contains_key("text/event-stream"),
        RefOr::Ref(_) => false,
    });
    if streams {
        let number = ObjectBuilder::new().schema_type(SchemaType::new(Type::Integer)).minimum(Some(0)).build();
        let about = "With `Accept: text/event-stream`: the id of the last event you saw.";
        operation.parameters.get_or_insert_default().push(header("Last-Event-ID", about, number).into());
        add(operation, "204", ResponseBuilder::new().description("You saw all there will be: do not come again.").build());
    }
}

/// Says what can be done with what an operation makes.
fn link(operation: &mut Operation) {
    let of_this = LINKS.iter().filter(|(maker, ..)| operation.operation_id.as_deref() == Some(*maker));
    let links: Vec<_> = of_this.flat_map(|(_, parameter, takers)| takers.iter().map(move |taker| (*parameter, *taker))).collect();
    let Some(RefOr::T(response)) = operation.responses.responses.get_mut("201") else { return };
    for (parameter, taker) in links {
        let link = Link::builder().operation_id(taker).parameter(parameter, "$response.body#/id").build();
        response.links.insert(taker.to_owned(), link.into());
    }
}

/// Tells of a header of an answer.
fn tell(operation: &mut Operation, status: &str, name: &str, about: &str) {
    if let Some(RefOr::T(response)) = operation.responses.responses.get_mut(status) {
        let header = HeaderBuilder::new().schema(Some(string())).description(Some(about)).build();
        response.headers.insert(name.to_owned(), header.into());
    }
}

/// Adds an answer that operations have in common.
fn share(operation: &mut Operation, status: &str) {
    for (_, name, _) in SHARED.iter().filter(|(of, ..)| *of == status) {
        operation.responses.responses.insert(status.to_owned(), RefOr::Ref(Ref::from_response_name(*name)));
    }
}

fn add(operation: &mut Operation, status: &str, response: Response) {
    operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
}

fn problem(status: &str, description: &str) -> Response {
    let content = Content::new(Some(RefOr::Ref(Ref::from_schema_name("ProblemDetails"))));
    let mut response = ResponseBuilder::new().description(description).content(PROBLEM_JSON, content).build();
    if ["429", "503"].contains(&status) {
        let header = HeaderBuilder::new().schema(Some(string())).description(Some("In how many seconds to come again."));
        response.headers.insert("Retry-After".to_owned(), header.build().into());
    }
    response
}

fn text() -> SchemaType {
    SchemaType::new(Type::String)
}

fn string() -> Object {
    ObjectBuilder::new().schema_type(text()).build()
}

fn header(name: &str, about: &str, schema: Object) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(openapi::Required::False)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}
