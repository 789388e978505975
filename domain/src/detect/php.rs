//! Servers written in PHP, by the server that comes with it.

use super::{DetectError, Project, Reading, Weight, foreign, node, plan};
use crate::build::AddedFile;

/// Path of the script that stands before every request.
const ROUTER: &str = ".mikrocloud/router.php";

/// Keeps what no web server shows from being served as a file; PHP's own server would.
const ROUTER_TEXT: &str = r"<?php
// Hidden files, and files that only tools read, are not served. All else is as PHP's own server has it.
$path = rawurldecode((string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
$tools = 'composer\.(json|lock)|package(-lock)?\.json|yarn\.lock|mikrocloud\.toml|Procfile|Dockerfile|artisan|phpunit\.xml';
if (preg_match('~(^|/)\.(?!well-known(/|$))|^/(vendor|node_modules)/|^/(' . $tools . ')$|\.(sql|sqlite|log|bak)$~i', $path)) {
    http_response_code(404);
    echo 'Not Found';
    return true;
}
return false;
";

/// A project with pages or a front controller.
pub(super) fn detect(project: &Project<'_>) -> Result<Option<Reading>, DetectError> {
    if !project.may_serve() {
        return Ok(None);
    }
    let has = |file: &str| project.tree.exists(file);
    let page = foreign::root_page(project, "PHP");
    let Some(mark) =
        ["composer.json", "index.php", "public/index.php"].into_iter().find(|file| has(file)).map(str::to_owned).or(page)
    else {
        return Ok(None);
    };
    let mut steps = Vec::new();
    if has("composer.json") {
        let words =
            ["composer", "install", "--no-dev", "--no-interaction", "--no-progress", "--prefer-dist", "--optimize-autoloader"];
        steps.push(plan::step(words));
    }
    steps.extend(node::assets(project)?);
    let root = ["public", "web", "webroot", "www"].into_iter().find(|directory| has(&format!("{directory}/index.php")));
    let is_laravel = has("artisan");
    let (framework, command) = match (&project.start, root) {
        (Some(start), _) => ("PHP", start.command.clone()),
        (None, _) if is_laravel => {
            ("Laravel", plan::command(&["php", "artisan", "serve", "--host=127.0.0.1", "--port=$PORT", "--no-reload"]))
        }
        (None, Some(root)) => ("PHP", plan::command(&["php", "-S", "127.0.0.1:$PORT", "-t", root, ROUTER])),
        (None, None) if !has("index.php") && foreign::root_page(project, "PHP").is_none() => {
            return Err(DetectError::new(
                "START_UNKNOWN",
                "there is composer.json, but no index.php in the root, in public/ or in web/: name the start in a Procfile (web: php -S 127.0.0.1:$PORT \
                 -t DIRECTORY) or in mikrocloud.toml with [container] command",
            ));
        }
        (None, None) => ("PHP", plan::command(&["php", "-S", "127.0.0.1:$PORT", "-t", ".", ROUTER])),
    };
    let mut server = plan::server(framework, format!("there is {mark}"), steps, command);
    server.files.push(AddedFile { path: ROUTER.to_owned(), text: ROUTER_TEXT.to_owned() });
    if is_laravel {
        server.notes.push("Laravel needs the variable APP_KEY: `mikrocloud env set APP_KEY=...` with what `php artisan key:generate --show` prints".to_owned());
    }
    // Several processes, so that a page may ask for another one.
    let server = plan::with_env(server, &[("PHP_CLI_SERVER_WORKERS", "4"), ("APP_ENV", "production")]);
    Ok(Some(Reading::new(Weight::Server, plan::with_path(server, &["vendor/bin"]))))
}
