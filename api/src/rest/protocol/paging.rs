//! Pages of lists. A cursor is the id of an item, the same as in GraphQL.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::LINK;
use http::{HeaderValue, Uri};
use serde::Serialize;
use url::form_urlencoded;
use utoipa::ToSchema;

/// Position of a page: its last cursor, and an indication of further pages.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct PageInfo {
    /// Indicates that more items follow.
    pub has_next_page: bool,
    /// Cursor to pass as `after` to get the next page; null when the page is empty.
    pub end_cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct PageOf<T> {
    /// The items.
    pub nodes: Vec<T>,
    /// Position of the page, and an indication of further pages.
    pub page_info: PageInfo,
    /// Address at which this page was requested.
    #[serde(skip)]
    #[schema(ignore)]
    pub uri: Uri,
}

impl<T> PageOf<T> {
    /// A page of rows that `cursor` names.
    pub fn new<R>(page: services::Page<R>, uri: Uri, cursor: impl Fn(&R) -> String, node: impl Fn(R) -> T) -> Self {
        let end_cursor = page.items.last().map(cursor);
        let page_info = PageInfo { has_next_page: page.has_more, end_cursor };
        Self { nodes: page.items.into_iter().map(node).collect(), page_info, uri }
    }

    /// All there is.
    pub fn whole(nodes: Vec<T>, uri: Uri) -> Self {
        Self { nodes, page_info: PageInfo { has_next_page: false, end_cursor: None }, uri }
    }

    /// The address of the next page.
    fn next(&self) -> Option<String> {
        let cursor = self.page_info.end_cursor.as_ref().filter(|_| self.page_info.has_next_page)?;
        Some(address_after(&self.uri, cursor))
    }
}

/// The address that asks for what comes after a cursor and otherwise for the same.
pub(crate) fn address_after(uri: &Uri, cursor: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let asked = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    query.extend_pairs(asked.filter(|(name, _)| name != "after"));
    query.append_pair("after", cursor);
    format!("{}?{}", uri.path(), query.finish())
}

impl<T: Serialize> IntoResponse for PageOf<T> {
    fn into_response(self) -> Response {
        let next = self.next().and_then(|next| HeaderValue::try_from(format!("<{next}>; rel=\"next\"")).ok());
        let mut response = Json(self).into_response();
        if let Some(next) = next {
            response.headers_mut().insert(LINK, next);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(uri: &'static str, has_next_page: bool) -> PageOf<()> {
        let page_info = PageInfo { has_next_page, end_cursor: Some("prj_2".to_owned()) };
        PageOf { nodes: vec![()], page_info, uri: Uri::from_static(uri) }
    }

    #[test]
    fn the_next_page_is_asked_for_as_this_one_was() {
        assert_eq!(page("/p?first=1&after=prj_1&name=a%26b", true).next().unwrap(), "/p?first=1&name=a%26b&after=prj_2");
        assert_eq!(page("/p?%61fter=prj_1&&after=x", true).next().unwrap(), "/p?after=prj_2", "however it was written");
        assert_eq!(page("/p", true).next().unwrap(), "/p?after=prj_2");
        assert_eq!(page("/p", false).next(), None);
    }
}
