//! Sites and servers written in Ruby.

use super::{DetectError, Project, Reading, Weight, node, plan};
use crate::build::{BuildPlan, BuildStep};

/// Directory of installed packages.
const GEMS: &str = ".mikrocloud/ruby";

/// A project with a Gemfile.
pub(super) fn detect(project: &Project<'_>) -> Result<Option<Reading>, DetectError> {
    let file = ["Gemfile", "gems.rb"].into_iter().find(|file| project.tree.exists(file));
    let Some(file) = file.filter(|_| project.may_serve() || project.may_be_site()) else { return Ok(None) };
    let text = project.tree.read(file).unwrap_or_default();
    let lists = |gem: &str| {
        text.lines()
            .map(str::trim)
            .any(|line| ['"', '\''].iter().any(|quote| line.starts_with(&format!("gem {quote}{gem}{quote}"))))
    };
    let mut steps = vec![bundle(project, &["install", "--jobs", "4"])];
    if project.start.is_none() && (lists("jekyll") || lists("github-pages")) {
        if !project.may_be_site() {
            return Ok(None);
        }
        steps.push(bundle(project, &["exec", "jekyll", "build"]));
        return Ok(Some(Reading::new(Weight::Site, plan::site("Jekyll", format!("{file} lists jekyll"), steps, "_site"))));
    }
    if !project.may_serve() {
        return Ok(None);
    }
    steps.extend(node::assets(project)?);
    let bundled = |words: &[&str]| plan::command(&[&["bundle", "exec"], words].concat());
    let has = |file: &str| project.tree.exists(file);
    let script = || ["app.rb", "main.rb", "server.rb"].into_iter().find(|script| has(script) && lists("sinatra"));
    let (framework, reason, command) = match &project.start {
        Some(start) => ("Ruby", format!("there is {file}, and {} says how it starts", start.file), start.command.clone()),
        None if lists("rails") => {
            if has("app/assets") {
                let mut assets = bundle(project, &["exec", "rails", "assets:precompile"]);
                assets.env.extend([pair("RAILS_ENV", "production"), pair("SECRET_KEY_BASE_DUMMY", "1")]);
                steps.push(assets);
            }
            let words = ["rails", "server", "--binding", "127.0.0.1", "--port", "$PORT", "--environment", "production"];
            ("Rails", format!("{file} lists rails"), bundled(&words))
        }
        None if has("config.ru") && lists("puma") => {
            ("Ruby", format!("there is {file} with puma, and config.ru"), bundled(&["puma", "--bind", "tcp://127.0.0.1:$PORT"]))
        }
        None if has("config.ru") => {
            ("Ruby", format!("there is {file}, and config.ru"), bundled(&["rackup", "--host", "127.0.0.1", "--port", "$PORT"]))
        }
        None => match script() {
            Some(script) => {
                let words = ["ruby", script, "-o", "127.0.0.1", "-p", "$PORT"];
                ("Sinatra", format!("{file} lists sinatra, and there is {script}"), bundled(&words))
            }
            None => {
                return Err(DetectError::new(
                    "START_UNKNOWN",
                    format!(
                        "there is {file}, but no Rails, no Jekyll, no config.ru and no app.rb of Sinatra: name the start in a Procfile (web: bundle exec \
                         ...) or in mikrocloud.toml with [container] command, or the directory of finished files with [build] output"
                    ),
                ));
            }
        },
    };
    Ok(Some(Reading::new(Weight::Server, production(plan::server(framework, reason, steps, command)))))
}

fn production(mut server: BuildPlan) -> BuildPlan {
    if server.framework == "Rails" {
        server
            .notes
            .push("Rails needs the variable SECRET_KEY_BASE or RAILS_MASTER_KEY: set it with `mikrocloud env set`".to_owned());
    }
    let env = [
        ("BUNDLE_PATH", GEMS),
        ("BUNDLE_WITHOUT", "development:test"),
        ("RACK_ENV", "production"),
        ("APP_ENV", "production"),
        ("RAILS_ENV", "production"),
        ("RAILS_LOG_TO_STDOUT", "1"),
        ("RAILS_SERVE_STATIC_FILES", "1"),
    ];
    plan::with_env(server, &env)
}

fn bundle(project: &Project<'_>, words: &[&str]) -> BuildStep {
    let mut step = plan::step([&["bundle"], words].concat());
    step.env.extend([pair("BUNDLE_PATH", GEMS), pair("BUNDLE_WITHOUT", "development:test")]);
    if project.tree.exists("Gemfile.lock") {
        step.env.push(pair("BUNDLE_FROZEN", "1"));
    }
    step
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
