//! The rules in a `netlify.toml`, as far as they mean the same here.

use serde_json::Value;

use crate::header_rules::HeaderRule;
use crate::redirects::Rule;
use crate::rules::Rules;

/// The name of the file.
pub const FILE: &str = "netlify.toml";

/// The rules of the file's text.
pub fn parse(text: &str) -> Rules {
    let mut rules = Rules::default();
    let file: Value = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            let line = error.span().and_then(|span| text.get(..span.start)).map_or(1, |before| before.matches('\n').count() + 1);
            rules.complaints.push(format!("{FILE} is not read: line {line}: {}", error.message()));
            return rules;
        }
    };
    let all = |key: &str| file.get(key).and_then(Value::as_array).into_iter().flatten().zip(1..);
    for (entry, number) in all("redirects") {
        rules.add_redirect(&format!("{FILE} redirects {number}"), redirect(entry));
    }
    for (entry, number) in all("headers") {
        rules.add_headers(&format!("{FILE} headers {number}"), headers(entry));
    }
    rules.add_unused(FILE, &unused(&file));
    rules
}

fn redirect(entry: &Value) -> Result<Rule, String> {
    let known = ["from", "to", "status", "force"];
    if let Some(key) = entry.as_object().and_then(|entry| entry.keys().find(|key| !known.contains(&key.as_str()))) {
        return Err(format!("`{key}` is not known here"));
    }
    let text = |key: &str| entry.get(key).and_then(Value::as_str).ok_or_else(|| format!("`{key}` is missing"));
    let status = match entry.get("status") {
        None => "301".to_owned(),
        Some(status) => status.as_u64().ok_or("`status` is no number")?.to_string(),
    };
    let forced = entry.get("force").is_some_and(|force| force == true);
    Rule::new(text("from")?, text("to")?, &status, forced)
}

fn headers(entry: &Value) -> Result<HeaderRule, String> {
    let pattern = entry.get("for").and_then(Value::as_str).ok_or("`for` is missing")?;
    let values = entry.get("values").and_then(Value::as_object).ok_or("`values` is missing")?;
    let mut rule = HeaderRule::new(pattern)?;
    for (name, value) in values {
        let value = value.as_str().ok_or_else(|| format!("the value of `{name}` is no text"))?;
        // Several lines are one value, as Netlify has it.
        rule.add(name, &value.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" "))?;
    }
    Ok(rule)
}

/// The keys that are not followed, those of tables with their own. What detection reads is named there.
fn unused(file: &Value) -> Vec<String> {
    let keys = file.as_object().into_iter().flatten().filter(|(key, _)| !matches!(key.as_str(), "redirects" | "headers"));
    keys.flat_map(|(key, value)| match value.as_object() {
        Some(table) if key == "build" => {
            table.keys().filter(|name| *name != "publish").map(|name| format!("{key}.{name}")).collect()
        }
        _ => vec![key.clone()],
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::path::MatchPath;

    #[test]
    fn what_means_the_same_is_followed_and_the_rest_named() {
        let rules = parse(
            r#"
            [build]
            publish = "dist"
            command = "npm run build"
            environment = { NODE_VERSION = "20" }
            [[plugins]]
            package = "x"
            [[redirects]]
            from = "/old/*"
            to = "/new/:splat"
            [[redirects]]
            from = "/app/*"
            to = "/index.html"
            status = 200
            force = true
            [[redirects]]
            from = "/de"
            to = "/"
            conditions = { Country = ["de"] }
            [[redirects]]
            from = "/api/*"
            to = "https://api.example.org/:splat"
            status = 200
            [[redirects]]
            to = "/x"
            [[headers]]
            for = "/*"
            [headers.values]
            X-Frame-Options = "DENY"
            Cache-Control = '''
            public,
            max-age=60'''
            [[headers]]
            for = "/x"
            [headers.values]
            Content-Length = "1"
            "#,
        );
        let found = |path: &str| {
            let (rule, captures) = rules.redirects.find(&MatchPath::new(path).unwrap())?;
            Some((rule.status.as_u16(), rule.forced, rule.location(&captures, None)))
        };
        assert_eq!(found("/old/a%2Fb"), Some((301, false, "/new/a%2Fb".to_owned())));
        assert_eq!(found("/app/x"), Some((200, true, "/index.html".to_owned())));
        assert_eq!(found("/api/x"), None);
        let mut headers = HeaderMap::new();
        rules.headers.apply("/x", None, &mut headers);
        assert_eq!((&headers["x-frame-options"], headers.len()), (&"DENY".parse().unwrap(), 2));
        assert_eq!(headers["cache-control"], "public, max-age=60");
        insta::assert_snapshot!(rules.complaints.join("\n"), @"
        netlify.toml redirects 3 is ignored: `conditions` is not known here
        netlify.toml redirects 4 is ignored: showing another host's pages in place is not offered: use 301, 302, 307 or 308
        netlify.toml redirects 5 is ignored: `from` is missing
        netlify.toml headers 2 is ignored: `content-length` is set by the server
        netlify.toml: not followed here: build.command, build.environment, plugins
        ");
    }
}
