//! The address at which people reach this installation, and the cookies that belong to it.

use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use domain::secret::Secret;
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, Method};
use url::Url;

/// As long as a refresh token is good.
const COOKIE_DAYS: i64 = 30;

/// Public URL of this installation.
#[derive(Debug, Clone)]
pub(crate) struct PublicUrl(Url);

impl PublicUrl {
    pub fn new(url: Url) -> Self {
        Self(url)
    }

    /// The address of a path of ours, which begins with a slash.
    pub fn of(&self, path: &str) -> String {
        format!("{}{path}", self.0.as_str().trim_end_matches('/'))
    }

    /// Returns true if the public URL uses TLS.
    pub fn is_secure(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// With its prefix, a browser takes the cookie over TLS only, from this host only (RFC 6265bis, 4.1.3.2).
    fn cookie_name(&self) -> &'static str {
        if self.is_secure() { "__Host-mikrocloud" } else { "mikrocloud" }
    }

    /// The cookie of a session. Scripts do not see it, and it is sent with no request that another site makes, apart from links.
    pub fn session_cookie(&self, refresh_token: &Secret) -> Cookie<'static> {
        self.cookie(self.cookie_name(), refresh_token.expose(), time::Duration::days(COOKIE_DAYS))
    }

    /// Returns the cookie that removes a session's cookie.
    pub fn no_session_cookie(&self) -> Cookie<'static> {
        self.cookie(self.cookie_name(), "", time::Duration::ZERO)
    }

    /// A cookie with the protection that all of ours have.
    pub fn cookie(&self, name: &'static str, value: &str, lifetime: time::Duration) -> Cookie<'static> {
        let cookie = Cookie::build((name, value.to_owned())).path("/").http_only(true).same_site(SameSite::Lax);
        cookie.secure(self.is_secure()).max_age(lifetime).build()
    }

    /// The refresh token in the cookie of a session.
    pub fn refresh_token(&self, headers: &HeaderMap) -> Option<Secret> {
        CookieJar::from_headers(headers).get(self.cookie_name()).map(|cookie| Secret::new(cookie.value()))
    }

    /// Returns true if a browser reports that another site makes this request. Browsers send `Sec-Fetch-Site` or, older ones,
    /// `Origin` with every request that can change something. Other programs have no cookies that could be abused.
    pub fn is_of_another_site(&self, method: &Method, headers: &HeaderMap) -> bool {
        if method.is_safe() {
            return false;
        }
        if let Some(site) = headers.get("sec-fetch-site") {
            return site != "same-origin" && site != "none";
        }
        let Some(origin) = headers.get(ORIGIN) else { return false };
        let Some(origin) = origin.to_str().ok().and_then(|origin| Url::parse(origin).ok()) else { return true };
        let authority = origin.as_str().trim_end_matches('/').split_once("://").map(|(_, authority)| authority.to_owned());
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
        origin.origin() != self.0.origin() && (host.is_none() || authority != host)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn public(url: &str) -> PublicUrl {
        PublicUrl::new(url.parse().unwrap())
    }

    #[test]
    fn what_another_site_asks_for_is_told_from_our_own() {
        let ours = public("https://cloud.example.org");
        for (headers, expected) in [
            (&[][..], false),
            (&[("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://cloud.example.org")], true),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("origin", "https://cloud.example.org")], false),
            (&[("origin", "https://evil.example.org"), ("host", "cloud.example.org")], true),
            (&[("origin", "http://10.0.0.7:8080"), ("host", "10.0.0.7:8080")], false),
            (&[("origin", "null")], true),
        ] {
            let headers: HeaderMap =
                headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect();
            assert_eq!(ours.is_of_another_site(&Method::POST, &headers), expected, "{headers:?}");
            assert!(!ours.is_of_another_site(&Method::GET, &headers), "looking changes nothing");
        }
    }

    #[test]
    fn the_cookie_is_out_of_reach_of_scripts_and_of_plain_http() {
        let cookie = public("https://cloud.example.org").session_cookie(&Secret::new("mcr_x")).to_string();
        assert_eq!(cookie, "__Host-mikrocloud=mcr_x; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000");
        let local = public("http://127.0.0.1:8080");
        assert_eq!(
            local.session_cookie(&Secret::new("mcr_x")).to_string(),
            "mikrocloud=mcr_x; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000"
        );
        let mut headers = HeaderMap::new();
        headers.insert(http::header::COOKIE, HeaderValue::from_static("other=1; mikrocloud=mcr_y"));
        assert_eq!(local.refresh_token(&headers).map(|token| token.expose().to_owned()), Some("mcr_y".to_owned()));
    }
}
