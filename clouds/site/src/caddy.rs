//! The rules of a site as a Caddyfile (caddyserver.com/docs/caddyfile, Caddy 2.8): for clouds where a server of files answers.

use std::collections::HashSet;
use std::fmt::Write as _;

use http::header::{CACHE_CONTROL, CONTENT_ENCODING};

use crate::content::is_immutable;
use crate::header_rules::{HeaderRule, LISTS};
use crate::redirects::Rule;
use crate::rules::Rules;

/// A configuration, and what of the site's rules it leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caddyfile {
    /// Text of the file.
    pub text: String,
    /// Sentences for the site's owner.
    pub complaints: Vec<String>,
}

/// Place that a site is served from.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Directory of the files, in the container.
    pub root: &'a str,
    /// Port to listen on.
    pub port: u16,
}

/// Name of the configuration beside a site's files; it is not served.
pub const FILE: &str = "Caddyfile";

/// Time for which a browser may keep a file whose name changes with its content, seconds: a year.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// Every other file is asked for again, which costs little as long as it is the same.
const ASK_AGAIN: &str = "public, max-age=0, must-revalidate";

/// Files that are tried for a path, in this order.
const CANDIDATES: &str = "{path} {path}/index.html {path}.html";

/// The configuration for a site whose files have these paths, relative to the root.
pub fn caddyfile(rules: &Rules, files: &[String], place: Place<'_>) -> Caddyfile {
    let names: HashSet<&str> = files.iter().map(String::as_str).collect();
    let mut complaints = Vec::new();
    if rules.trailing_slash.is_some() {
        complaints.push("vercel.json: `trailingSlash` is not followed on this cloud".to_owned());
    }
    let mut text = String::new();
    // Writing to a text does not fail.
    let _ = write!(
        text,
        "{{\n\tadmin off\n\tauto_https off\n\tpersist_config off\n}}\n\n:{} {{\n\troot * {}\n\tencode zstd gzip\n\troute {{\n",
        place.port,
        quoted(place.root)
    );
    hide(&mut text);
    cache(&mut text, files);
    for (number, rule) in rules.headers.iter().enumerate() {
        headers(&mut text, number, rule, &mut complaints);
    }
    for (number, rule) in rules.redirects.iter().enumerate() {
        redirect(&mut text, number, rule, &names);
    }
    directories(&mut text);
    fallback(&mut text, &names);
    text.push_str("\t\tfile_server\n\t}\n");
    errors(&mut text, &names);
    text.push_str("}\n");
    Caddyfile { text, complaints }
}

/// Files that steer a site, or are hidden, are not there for visitors.
fn hide(text: &mut String) {
    let own: Vec<_> = Rules::control_files().map(|name| format!("/{name}")).collect();
    let _ = write!(
        text,
        "\t\t@hidden {{\n\t\t\tpath /{FILE} {} /.* */.*\n\t\t\tnot path /.well-known/*\n\t\t}}\n\t\terror @hidden 404\n",
        own.join(" ")
    );
}

fn cache(text: &mut String, files: &[String]) {
    let _ = writeln!(text, "\t\theader {CACHE_CONTROL} {}", quoted(ASK_AGAIN));
    let mut directories: Vec<&str> = Vec::new();
    let mut single = Vec::new();
    for file in files.iter().filter(|file| is_immutable(file)) {
        let directory = file.rsplit_once('/').map_or("", |(directory, _)| directory);
        // A directory in which everything has such a name needs one line.
        let is_whole = files.iter().filter(|other| within(other, directory)).all(|other| is_immutable(other));
        if directory.is_empty() || !is_whole {
            single.push(file.as_str());
        } else if !directories.contains(&directory) {
            directories.push(directory);
        }
    }
    let paths = directories.iter().map(|directory| format!("/{directory}/*")).chain(single.iter().map(|file| format!("/{file}")));
    let paths: Vec<_> = paths.map(|path| quoted(&path)).collect();
    // Lines of a length that people can read.
    for (number, paths) in paths.chunks(50).enumerate() {
        let _ = write!(
            text,
            "\t\t@immutable{number} path {}\n\t\theader @immutable{number} {CACHE_CONTROL} {}\n",
            paths.join(" "),
            quoted(FOREVER)
        );
    }
}

fn within(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

fn headers(text: &mut String, number: usize, rule: &HeaderRule, complaints: &mut Vec<String>) {
    if rule.is_for_encoded() {
        complaints.push(format!("_headers: the {CONTENT_ENCODING} of files that are stored compressed is not followed here"));
        return;
    }
    let matcher = format!("@headers{number}");
    let mut lines = String::new();
    for name in rule.removed() {
        let _ = writeln!(lines, "\t\t\t-{name}");
    }
    for (name, value) in rule.headers() {
        let Ok(value) = value.to_str() else {
            complaints
                .push(format!("_headers: the value of {name} is not followed on this cloud: it has characters beyond ASCII"));
            continue;
        };
        let sign = if LISTS.contains(name) { "+" } else { "" };
        let _ = writeln!(lines, "\t\t\t{sign}{name} {}", quoted(value));
    }
    if lines.is_empty() {
        return;
    }
    let _ = write!(
        text,
        "\t\t{matcher} path_regexp {}\n\t\theader {matcher} {{\n{lines}\t\t}}\n",
        quoted_expression(&rule.pattern().regular_expression())
    );
}

fn redirect(text: &mut String, number: usize, rule: &Rule, names: &HashSet<&str>) {
    let (matcher, group) = (format!("@redirect{number}"), format!("r{number}"));
    let expression = quoted_expression(&rule.pattern().regular_expression());
    let _ = write!(text, "\t\t{matcher} {{\n\t\t\tpath_regexp {group} {expression}\n");
    if !rule.forced {
        let _ = writeln!(text, "\t\t\tnot file {CANDIDATES}");
    }
    text.push_str("\t\t}\n");
    let value = |name: &str| format!("{{re.{group}.{name}}}");
    let whole = rule.target_with(literal, value);
    if rule.status.is_redirection() {
        let _ = writeln!(text, "\t\tredir {matcher} \"{}\" {}", with_query(&whole), rule.status.as_u16());
        return;
    }
    let shown = whole.split(['?', '#']).next().unwrap_or_default();
    if !rule.status.is_success() && shown.trim_start_matches('/').is_empty() {
        let _ = writeln!(text, "\t\terror {matcher} {}", rule.status.as_u16());
        return;
    }
    let is_error = !rule.status.is_success();
    // A page for errors that is not there is answered by the site's own.
    let is_there = whole.contains("{re.") || exists(shown, names);
    if is_error && !is_there {
        let _ = writeln!(text, "\t\terror {matcher} {}", rule.status.as_u16());
        return;
    }
    let status = if is_error { format!(" {{\n\t\t\t\tstatus {}\n\t\t\t}}", rule.status.as_u16()) } else { String::new() };
    let _ = write!(
        text,
        "\t\thandle {matcher} {{\n\t\t\trewrite * \"{shown}\"\n\t\t\ttry_files {CANDIDATES}\n\t\t\tfile_server{status}\n\t\t}}\n"
    );
}

/// Returns true if a path without placeholders shows a file.
fn exists(path: &str, names: &HashSet<&str>) -> bool {
    let name = path.trim_matches('/');
    let index = if name.is_empty() { "index.html".to_owned() } else { format!("{name}/index.html") };
    [name.to_owned(), index, format!("{name}.html")].iter().any(|name| names.contains(name.as_str()))
}

/// A target with the query of the request, unless it has one of its own.
fn with_query(target: &str) -> String {
    let (path, fragment) = target.find('#').map_or((target, ""), |at| target.split_at(at));
    let query = if path.contains('?') { "" } else { "{http.request.uri.prefixed_query}" };
    format!("{path}{query}{fragment}")
}

/// A directory that is named without its slash gets it, so that what its page names is found.
fn directories(text: &mut String) {
    text.push_str(
        "\t\t@directory {\n\t\t\tfile {path}/index.html\n\t\t\tnot path */\n\t\t}\n\
         \t\tredir @directory {path}/{http.request.uri.prefixed_query} 308\n\
         \t\t@found file {path} {path}/index.html {path}.html\n\t\trewrite @found {file_match.relative}\n",
    );
}

/// Paths that have no file: a page of an application answers its routes.
fn fallback(text: &mut String, names: &HashSet<&str>) {
    let page = if names.contains("200.html") {
        "/200.html"
    } else if !names.contains("404.html") && names.contains("index.html") {
        "/index.html"
    } else {
        return;
    };
    let _ = write!(
        text,
        "\t\t@wants_page {{\n\t\t\tnot file {CANDIDATES}\n\t\t\theader Accept *text/html*\n\t\t}}\n\t\trewrite @wants_page {page}\n\
         \t\t@wants_any {{\n\t\t\tnot file {CANDIDATES}\n\t\t\theader Accept */*\n\t\t\tnot path *.*\n\t\t}}\n\t\trewrite @wants_any {page}\n"
    );
}

/// The site's own page for what does not exist.
fn errors(text: &mut String, names: &HashSet<&str>) {
    if names.contains("404.html") {
        text.push_str("\thandle_errors {\n\t\trewrite * /404.html\n\t\tfile_server\n\t}\n");
    }
}

/// A text as a token, in which nothing is replaced.
fn quoted(text: &str) -> String {
    format!("\"{}\"", literal(text))
}

/// A regular expression as a token. It has neither quotes nor, outside of escapes, braces.
fn quoted_expression(expression: &str) -> String {
    format!("\"{expression}\"")
}

/// A text within quotes, in which nothing is replaced.
fn literal(text: &str) -> String {
    let mut result = String::new();
    for c in text.chars().filter(|c| !c.is_control()) {
        match c {
            '"' => result.push_str("\\\""),
            '{' => result.push_str("\\{"),
            _ => result.push(c),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header_rules::HeaderRules;
    use crate::redirects::Redirects;

    fn written(redirects: &str, headers: &str, files: &[&str]) -> Caddyfile {
        let rules =
            Rules { redirects: Redirects::parse(redirects).0, headers: HeaderRules::parse(headers).0, ..Rules::default() };
        let files: Vec<_> = files.iter().map(|file| (*file).to_owned()).collect();
        caddyfile(&rules, &files, Place { root: "/srv/site", port: 8080 })
    }

    #[test]
    fn a_site_is_served_by_its_rules() {
        let redirects = "/old/:id /new/:id\n/blog/* https://blog.example.org/:splat 302!\n/app/* /app.html 200\n/gone /x 410";
        let headers = "/*\n  X-Frame-Options: DENY\n  Link: </a.css>; rel=preload\n/a\n  ! X-Frame-Options";
        let files = ["index.html", "404.html", "app.html", "assets/index-Bx7hD2kq.js", "docs/index.html"];
        insta::assert_snapshot!(written(redirects, headers, &files).text, @r##"
{
	admin off
	auto_https off
	persist_config off
}

:8080 {
	root * "/srv/site"
	encode zstd gzip
	route {
		@hidden {
			path /Caddyfile /_redirects /_headers /netlify.toml /vercel.json /mikrocloud.toml /now.json /wrangler.toml /wrangler.json /wrangler.jsonc /_routes.json /_worker.js /firebase.json /staticwebapp.config.json /amplify.yml /render.yaml /fly.toml /railway.json /railway.toml /app.yaml /.* */.*
			not path /.well-known/*
		}
		error @hidden 404
		header cache-control "public, max-age=0, must-revalidate"
		@immutable0 path "/assets/*"
		header @immutable0 cache-control "public, max-age=31536000, immutable"
		@headers0 path_regexp "^/(?P<splat>(?:[^/\\].*)?)$"
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
		@redirect1 {
			path_regexp r1 "^/blog(?:/(?P<splat>(?:[^/\\].*)?))?$"
		}
		redir @redirect1 "https://blog.example.org/{re.r1.splat}{http.request.uri.prefixed_query}" 302
		@redirect2 {
			path_regexp r2 "^/app(?:/(?P<splat>(?:[^/\\].*)?))?$"
			not file {path} {path}/index.html {path}.html
		}
		handle @redirect2 {
			rewrite * "/app.html"
			try_files {path} {path}/index.html {path}.html
			file_server
		}
		@redirect3 {
			path_regexp r3 "^/gone/?$"
			not file {path} {path}/index.html {path}.html
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
"##);
    }

    #[test]
    fn an_application_answers_its_routes_unless_it_has_a_page_for_what_is_missing() {
        let single = written("", "", &["index.html"]).text;
        assert!(single.contains("rewrite @wants_page /index.html") && !single.contains("handle_errors"));
        let page = written("", "", &["index.html", "404.html"]).text;
        assert!(!page.contains("@wants_page") && page.contains("rewrite * /404.html"));
        assert!(written("", "", &["index.html", "200.html"]).text.contains("rewrite @wants_page /200.html"));
    }

    #[test]
    fn texts_of_a_site_cannot_say_more_than_themselves() {
        let headers = "/*\n  X-A: a\" {env.HOME} `b`\n/q\"\n  X-B: c";
        let text = written("/x /y/{env.HOME}\"", headers, &["index.html"]).text;
        assert!(text.contains("x-a \"a\\\" \\{env.HOME} `b`\""), "{text}");
        assert!(text.contains("\"/y/\\{env.HOME}\\\"{http.request.uri.prefixed_query}\""), "{text}");
        assert!(text.contains(r#"path_regexp "^/q\x22/?$""#), "{text}");
    }
}
