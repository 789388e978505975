//! The OpenAPI document and a page to try it on. All files of the page are served from here, and it loads none from elsewhere.

use std::sync::{Arc, LazyLock};

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use maud::{DOCTYPE, html};
use services::ServiceError;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;

use crate::problem::Problem;
use crate::security_headers::{Nonce, with_policy};
use crate::state::ApiState;

/// Credentials are not kept, and no address chooses another document.
const START: &str = "SwaggerUIBundle({url: '/api/v1/openapi.json', dom_id: '#page', deepLinking: true, validatorUrl: null, \
    persistAuthorization: false, queryConfigEnabled: false, displayRequestDuration: true});\n";

static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| Arc::new(Config::from("/api/v1/openapi.json")));

/// The routes that tell about the others, which anybody may read.
pub(in crate::rest) fn routes(document: &OpenApi) -> Router<ApiState> {
    let document = Arc::new(serde_json::to_value(document).unwrap_or_default());
    let described = async move || Json(Arc::clone(&document)).into_response();
    Router::new()
        .route("/api/v1/openapi.json", get(described))
        .route("/api/v1/docs", get(page))
        .route("/api/v1/docs/{file}", get(file))
}

/// The page. It may use its own scripts and styles, and ask this API. The icons of Swagger UI are data.
async fn page() -> Response {
    let nonce = Nonce::new();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width";
            title { "REST API - MikroCloud" }
            link rel="stylesheet" href="/api/v1/docs/swagger-ui.css" nonce=(nonce.text());
            div id="page" {}
            script src="/api/v1/docs/swagger-ui-bundle.js" nonce=(nonce.text()) {}
            script src="/api/v1/docs/start.js" nonce=(nonce.text()) {}
        }
    };
    let own = nonce.source();
    with_policy(&format!("script-src {own}; style-src {own}; img-src 'self' data:; connect-src 'self'; form-action 'none'"), page)
}

/// A file of the page.
async fn file(Path(name): Path<String>) -> Response {
    let found = match name.as_str() {
        "start.js" => Some((Bytes::from_static(START.as_bytes()), "text/javascript")),
        "swagger-ui.css" => embedded(&name).map(|bytes| (bytes, "text/css")),
        "swagger-ui-bundle.js" => embedded(&name).map(|bytes| (bytes, "text/javascript")),
        _ => None,
    };
    let Some((bytes, kind)) = found else { return Problem(ServiceError::NotFound("page")).into_response() };
    let headers = [(CONTENT_TYPE, kind), (CACHE_CONTROL, "public, max-age=3600")];
    (headers, bytes).into_response()
}

fn embedded(name: &str) -> Option<Bytes> {
    let file = utoipa_swagger_ui::serve(name, Arc::clone(&CONFIG)).ok()??;
    Some(match file.bytes {
        std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        std::borrow::Cow::Owned(bytes) => bytes.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_page_has_all_its_files_and_loads_none_from_elsewhere() {
        let page = String::from_utf8(axum::body::to_bytes(page().await.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap();
        let mut files = 0;
        for part in page.split(['"']).filter(|part| part.starts_with("/api/v1/docs/")) {
            let name = part.trim_start_matches("/api/v1/docs/").to_owned();
            assert_eq!(file(Path(name)).await.status(), 200, "{part}");
            files += 1;
        }
        assert_eq!(files, 3, "{page}");
        assert!(!page.contains("://") && !START.contains("://"));
        assert_eq!(file(Path("index.html".to_owned())).await.status(), 404);
    }
}
