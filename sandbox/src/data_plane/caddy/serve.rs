//! A request on its way through a site's steps.

use std::collections::HashMap;

use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::site::{Action, CaddySite, Step, Visitor};
use crate::http::Answer;
use crate::world::Blobs;

/// A request on its way through a site's steps.
pub(super) struct Request<'a> {
    site: &'a CaddySite,
    visitor: &'a Visitor,
    /// The path, which steps rewrite.
    pub path: String,
    /// Values that matchers found, by their placeholders.
    found: HashMap<String, String>,
    /// Changes of the answer's headers, in their order.
    headers: Vec<(String, String)>,
}

/// End of a request.
enum End {
    Redirect(String, u16),
    /// The file with this digest, by its path.
    File {
        path: String,
        digest: String,
        status: u16,
    },
    Error(u16),
}

impl<'a> Request<'a> {
    pub fn new(site: &'a CaddySite, visitor: &'a Visitor) -> Self {
        Self { site, visitor, path: visitor.path.clone(), found: HashMap::new(), headers: Vec::new() }
    }

    /// Goes through the steps, and through those for errors if they end with one.
    pub fn answer(mut self, blobs: &Blobs) -> Answer {
        let site = self.site;
        let end = self.follow(&site.steps).unwrap_or(End::Error(404));
        let answer = match end {
            End::Error(status) => match self.follow(&site.on_error) {
                Some(End::File { path, digest, .. }) => self.file(blobs, &path, &digest, status),
                _ => Answer::empty(code(status)),
            },
            End::Redirect(target, status) => Answer::empty(code(status)).with("location", &target),
            End::File { path, digest, status } => self.file(blobs, &path, &digest, status),
        };
        self.with_headers(answer)
    }

    fn follow(&mut self, steps: &[Step]) -> Option<End> {
        for step in steps {
            let fits = step.matcher.as_ref().is_none_or(|matcher| matcher.fits(self));
            if !fits {
                continue;
            }
            match &step.action {
                Action::Error(status) => return Some(End::Error(*status)),
                Action::Redirect(target, status) => return Some(End::Redirect(self.replaced(target), *status)),
                Action::Header(changes) => {
                    let changes: Vec<_> = changes.iter().map(|(name, value)| (name.clone(), self.replaced(value))).collect();
                    self.headers.extend(changes);
                }
                Action::Rewrite(target) => self.path = self.replaced(target),
                Action::TryFiles(candidates) => {
                    let found = candidates.iter().map(|candidate| self.replaced(candidate)).find(|path| self.exists(path));
                    self.path = found.unwrap_or_else(|| self.path.clone());
                }
                Action::FileServer(status) => return Some(self.file_server(*status)),
                // What is handled goes no further, whether anything answered or not.
                Action::Handle(steps) => return Some(self.follow(steps).unwrap_or(End::Error(404))),
            }
        }
        None
    }

    fn file_server(&self, status: Option<u16>) -> End {
        if !matches!(self.visitor.method, Method::GET | Method::HEAD) {
            return End::Error(405);
        }
        let name = cleaned(&self.path);
        if self.is_directory(&name) {
            let index = join(&name, "index.html");
            if !self.path.ends_with('/') && self.site.files.contains_key(&index) {
                return End::Redirect(format!("/{name}/"), 308);
            }
            return self.give(&index, status);
        }
        if self.path.ends_with('/') { End::Error(404) } else { self.give(&name, status) }
    }

    fn give(&self, name: &str, status: Option<u16>) -> End {
        let digest = self.site.files.get(name).cloned();
        digest.map_or(End::Error(404), |digest| End::File { path: name.to_owned(), digest, status: status.unwrap_or(200) })
    }

    fn is_directory(&self, name: &str) -> bool {
        let prefix = if name.is_empty() { String::new() } else { format!("{name}/") };
        self.site.files.range(prefix.clone()..).next().is_some_and(|(file, _)| file.starts_with(&prefix))
    }

    /// Returns true if a path is a file, or a directory if it ends with a slash.
    pub fn exists(&self, path: &str) -> bool {
        let name = cleaned(path);
        if path.ends_with('/') { self.is_directory(&name) } else { self.site.files.contains_key(&name) }
    }

    pub fn header(&self, name: &str) -> Option<String> {
        self.visitor.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    }

    /// Keeps values for placeholders.
    pub fn remember(&mut self, values: Vec<(String, String)>) {
        self.found.extend(values);
    }

    /// A text with its placeholders replaced; `\{` stands for a brace.
    pub fn replaced(&self, text: &str) -> String {
        let (mut result, mut rest) = (String::new(), text);
        while let Some(at) = rest.find('{') {
            let (before, after) = rest.split_at(at);
            if let Some(before) = before.strip_suffix('\\') {
                result.push_str(before);
                result.push('{');
                rest = &after[1..];
                continue;
            }
            result.push_str(before);
            let end = after.find('}').unwrap_or(after.len() - 1);
            result.push_str(&self.value(&after[1..end.max(1)]));
            rest = &after[end + 1..];
        }
        result + rest
    }

    fn value(&self, name: &str) -> String {
        match name {
            "path" | "http.request.uri.path" => self.path.clone(),
            "query" | "http.request.uri.query" => self.visitor.query.clone(),
            "http.request.uri.prefixed_query" if self.visitor.query.is_empty() => String::new(),
            "http.request.uri.prefixed_query" => format!("?{}", self.visitor.query),
            other => self.found.get(other.trim_start_matches("http.regexp.")).cloned().unwrap_or_default(),
        }
    }

    fn file(&self, blobs: &Blobs, path: &str, digest: &str, status: u16) -> Answer {
        let Ok(bytes) = blobs.get(digest) else { return Answer::empty(StatusCode::INTERNAL_SERVER_ERROR) };
        let etag = format!("\"{}\"", &digest[..16]);
        let is_known = status == 200 && self.header("if-none-match").is_some_and(|given| given.contains(&etag));
        let mut answer = Answer::empty(if is_known { StatusCode::NOT_MODIFIED } else { code(status) }).with("etag", &etag);
        if is_known {
            return answer;
        }
        answer = answer.with("content-type", &kind_of(path)).with("content-length", &bytes.len().to_string());
        if self.visitor.method != Method::HEAD {
            answer.body = bytes.into();
        }
        answer
    }

    /// The answer with its changed headers. What is removed is removed last, as Caddy does it.
    fn with_headers(&self, mut answer: Answer) -> Answer {
        let (removed, changed): (Vec<_>, Vec<_>) = self.headers.iter().partition(|(name, _)| name.starts_with('-'));
        for (name, value) in changed {
            let is_added = name.starts_with('+');
            let name = HeaderName::try_from(name.trim_start_matches('+'));
            let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) else { continue };
            if is_added {
                answer.headers.append(name, value);
            } else {
                answer.headers.insert(name, value);
            }
        }
        for (name, _) in removed {
            answer.headers.remove(name.trim_start_matches('-'));
        }
        answer
    }
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The type of a file by its name; texts are UTF-8.
fn kind_of(path: &str) -> String {
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let is_text = kind.type_() == mime_guess::mime::TEXT || kind.subtype() == mime_guess::mime::JAVASCRIPT;
    if is_text { format!("{kind}; charset=utf-8") } else { kind.to_string() }
}

/// A path without slashes at its ends, doubled ones and what leads upwards.
fn cleaned(path: &str) -> String {
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "." | ".."));
    parts.collect::<Vec<_>>().join("/")
}

fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIGURATION: &str = r#"
{
	admin off
}

:8080 {
	root * "/srv/site"
	encode zstd gzip
	route {
		@hidden {
			path /Caddyfile /.* */.*
			not path /.well-known/*
		}
		error @hidden 404
		header cache-control "public, max-age=0, must-revalidate"
		@immutable0 path "/assets/*"
		header @immutable0 cache-control "immutable"
		@headers0 path_regexp "^/(?P<splat>.*)$"
		header @headers0 {
			x-frame-options "DENY"
			+link "</a.css>; rel=preload"
		}
		@headers1 path_regexp "^/a/?$"
		header @headers1 {
			-x-frame-options
		}
		@redirect0 {
			path_regexp r0 "^/old/(?P<id>[^/]+)/?$"
			not file {path} {path}/index.html {path}.html
		}
		redir @redirect0 "/new/{re.r0.id}{http.request.uri.prefixed_query}" 301
		@redirect2 {
			path_regexp r2 "^/app(?:/(?P<splat>.*))?$"
			not file {path} {path}/index.html {path}.html
		}
		handle @redirect2 {
			rewrite * "/app.html"
			try_files {path} {path}/index.html {path}.html
			file_server
		}
		@redirect3 {
			path_regexp r3 "^/gone/?$"
		}
		error @redirect3 410
		@directory {
			file {path}/index.html
			not path */
		}
		redir @directory {path}/{http.request.uri.prefixed_query} 308
		@found file {path} {path}/index.html {path}.html
		rewrite @found {file_match.relative}
		file_server
	}
	handle_errors {
		rewrite * /404.html
		file_server
	}
}
"#;

    fn visit(path: &str, query: &str) -> (u16, Answer) {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::new(directory.path().to_owned()).unwrap();
        let names =
            ["index.html", "404.html", "app.html", "a.html", "assets/x.js", "docs/index.html", ".well-known/x", "Caddyfile"];
        let files: Vec<_> = names.map(|name| (name.to_owned(), blobs.put(name.as_bytes()).unwrap())).into();
        let site = CaddySite::read(CONFIGURATION, &files).unwrap();
        let visitor =
            Visitor { method: Method::GET, path: path.to_owned(), query: query.to_owned(), headers: http::HeaderMap::new() };
        let answer = site.answer(&blobs, &visitor);
        (answer.status.as_u16(), answer)
    }

    #[test]
    fn files_pages_and_rules_are_followed() {
        let table = [
            ("/", 200, "index.html"),
            ("/a", 200, "a.html"),
            ("/a.html", 200, "a.html"),
            ("/docs/", 200, "docs/index.html"),
            ("/assets/x.js", 200, "assets/x.js"),
            ("/app/deep/route", 200, "app.html"),
            ("/.well-known/x", 200, ".well-known/x"),
            ("/none", 404, "404.html"),
            ("/Caddyfile", 404, "404.html"),
            ("/.env", 404, "404.html"),
            ("/gone", 410, "404.html"),
        ];
        for (path, status, body) in table {
            let (got, answer) = visit(path, "");
            assert_eq!((got, String::from_utf8_lossy(&answer.body).as_ref()), (status, body), "{path}");
        }
    }

    #[test]
    fn redirects_and_headers_are_those_of_the_configuration() {
        let location = |path: &str| visit(path, "q=1").1.headers["location"].to_str().unwrap().to_owned();
        assert_eq!((visit("/old/7", "").0, location("/old/7")), (301, "/new/7?q=1".to_owned()));
        assert_eq!((visit("/docs", "").0, location("/docs")), (308, "/docs/?q=1".to_owned()));
        let (_, home) = visit("/", "");
        assert_eq!(
            (&home.headers["x-frame-options"], &home.headers["content-type"]),
            (&"DENY".parse().unwrap(), &"text/html; charset=utf-8".parse().unwrap())
        );
        assert_eq!(visit("/assets/x.js", "").1.headers["cache-control"], "immutable");
        assert!(!visit("/a", "").1.headers.contains_key("x-frame-options"));
    }

    #[test]
    fn what_is_not_known_is_refused_and_braces_can_be_meant() {
        assert!(CaddySite::read(":80 {\n\troute {\n\t\treverse_proxy x\n\t}\n}\n", &[]).unwrap_err().contains("reverse_proxy"));
        assert!(CaddySite::read("a", &[]).is_err());
        let text = ":80 {\n\troute {\n\t\tredir * \"/\\{a}/{path}\" 302\n\t}\n}\n";
        let site = CaddySite::read(text, &[]).unwrap();
        let visitor =
            Visitor { method: Method::GET, path: "/p".to_owned(), query: String::new(), headers: http::HeaderMap::new() };
        let directory = tempfile::tempdir().unwrap();
        let answer = site.answer(&Blobs::new(directory.path().to_owned()).unwrap(), &visitor);
        assert_eq!(answer.headers["location"], "/{a}//p");
    }
}
