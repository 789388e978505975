//! A browser without a screen: it keeps cookies, follows redirects, and sends forms.

use std::collections::HashMap;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Method, Url};

use super::harness::House;
use crate::identity::access::PASSWORD;

/// A browser.
pub struct Browser {
    http: reqwest::Client,
    /// By host and port: real browsers do not tell ports apart, and no test has two servers with cookies of one name.
    cookies: HashMap<String, HashMap<String, String>>,
}

/// A page that a browser shows.
#[derive(Debug)]
pub struct Page {
    pub url: Url,
    pub status: u16,
    pub text: String,
}

/// More redirects than this lead nowhere.
const REDIRECTS: usize = 15;

impl Browser {
    pub fn new() -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { http, cookies: HashMap::new() }
    }

    /// A browser that went to a page of ours, and first had to sign in as somebody whom `House` gave this password.
    pub async fn signed_in(house: &House, email: &str, path: &str) -> (Self, Page) {
        let mut browser = Self::new();
        let form = browser.get(&house.url(path)).await;
        assert_eq!(form.url.path(), "/auth/sign-in", "{form:?}");
        let page = browser.submit(&form, &[("email", email), ("password", PASSWORD)]).await;
        assert!(browser.cookie(&house.url("/"), "mikrocloud").is_some(), "{page:?}");
        (browser, page)
    }

    /// A cookie of a server.
    pub fn cookie(&self, url: &str, name: &str) -> Option<&str> {
        self.cookies.get(&authority(&url.parse().unwrap()))?.get(name).map(String::as_str)
    }

    /// Forgets the cookies of a server.
    pub fn forget_cookies_of(&mut self, url: &str) {
        self.cookies.remove(&authority(&url.parse().unwrap()));
    }

    pub async fn get(&mut self, url: &str) -> Page {
        self.go(Method::GET, url.parse().unwrap(), None).await
    }

    /// Sends the first form of a page with these fields filled in.
    pub async fn submit(&mut self, page: &Page, fields: &[(&str, &str)]) -> Page {
        let form = &page.text[page.text.find("<form").unwrap_or_else(|| panic!("no form: {page:?}"))..];
        let form = &form[..form.find("</form>").unwrap()];
        self.submit_form(page, form, fields).await
    }

    /// The same with the form that goes to this path.
    pub async fn submit_to(&mut self, page: &Page, path: &str, fields: &[(&str, &str)]) -> Page {
        let is_it = |form: &&str| form[..form.find('>').unwrap()].contains(&format!("\"{path}\""));
        let form = page.text.split("<form").skip(1).find(is_it).unwrap_or_else(|| panic!("no form to {path}: {page:?}"));
        let form = format!("<form{}", &form[..form.find("</form>").unwrap()]);
        self.submit_form(page, &form, fields).await
    }

    async fn submit_form(&mut self, page: &Page, form: &str, fields: &[(&str, &str)]) -> Page {
        let action = attribute(form, "action").unwrap_or_default();
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        for input in form.split("<input").skip(1) {
            let input = &input[..input.find('>').unwrap()];
            if let (Some("hidden"), Some(name)) = (attribute(input, "type").as_deref(), attribute(input, "name")) {
                body.append_pair(&name, &attribute(input, "value").unwrap_or_default());
            }
        }
        body.extend_pairs(fields);
        self.go(Method::POST, page.url.join(&action).unwrap(), Some(body.finish())).await
    }

    async fn go(&mut self, mut method: Method, mut url: Url, mut body: Option<String>) -> Page {
        for _ in 0..REDIRECTS {
            let mut request = self.http.request(method.clone(), url.clone());
            if let Some(cookies) = self.cookies.get(&authority(&url)) {
                let cookies: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
                request = request.header(COOKIE, cookies.join("; "));
            }
            if let Some(form) = body.take() {
                request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
            }
            if method == Method::POST {
                // As a browser says it of our own pages' forms.
                request = request.header("origin", url.origin().ascii_serialization());
            }
            let response = request.send().await.unwrap();
            self.keep_cookies(&url, &response);
            let Some(to) = response.headers().get(LOCATION) else {
                let status = response.status().as_u16();
                return Page { url, status, text: response.text().await.unwrap() };
            };
            url = url.join(to.to_str().unwrap()).unwrap();
            method = Method::GET;
        }
        panic!("redirected without an end: {url}");
    }

    fn keep_cookies(&mut self, url: &Url, response: &reqwest::Response) {
        let kept = self.cookies.entry(authority(url)).or_default();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            let is_over = cookie.to_lowercase().contains("max-age=0") || cookie.contains("1970");
            if is_over || value.is_empty() {
                kept.remove(name);
            } else {
                kept.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

fn authority(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap(), url.port_or_known_default().unwrap())
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = &tag[start..];
    let value = &value[..value.find('"')?];
    Some(value.replace("&amp;", "&").replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">"))
}
