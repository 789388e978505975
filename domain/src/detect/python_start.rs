//! Servers written in Python: how they are started.

use super::python::{Install, PACKAGES};
use super::{Project, Weight, plan};
use crate::build::AddedFile;

/// Start command of a server.
pub(super) struct Start {
    pub framework: &'static str,
    pub reason: String,
    pub command: Vec<String>,
    pub weight: Weight,
    /// Packages it cannot do without.
    pub needs: Vec<&'static str>,
    /// Its modules are below `src`.
    pub below_src: bool,
    /// Steps of the build after the installation: arguments of the interpreter.
    pub steps: Vec<&'static [&'static str]>,
    /// Files that are added.
    pub files: Vec<AddedFile>,
    /// Remarks for the log.
    pub notes: Vec<String>,
}

/// Modules in which applications are searched for, in this order: at the root, then in each package.
const MODULES: &[&str] = &["main", "app", "server", "wsgi", "asgi", "application", "api", "run"];
const MODULES_OF_PACKAGES: &[&str] = &["main", "app", "server", "wsgi", "asgi", "application", "api", "__init__", "run"];

/// Directories that hold no application.
const NO_PACKAGES: &[&str] = &[
    "tests",
    "test",
    "docs",
    "doc",
    "examples",
    "migrations",
    "alembic",
    "scripts",
    "node_modules",
    "venv",
    "env",
    "static",
    "templates",
    "build",
    "dist",
];

/// Protocol between a server program and an application.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gateway {
    Asgi,
    Wsgi,
}

/// Frameworks: package, name, constructors of applications, protocol.
const FRAMEWORKS: &[(&str, &str, &[&str], Gateway)] = &[
    ("fastapi", "FastAPI", &["FastAPI("], Gateway::Asgi),
    ("fastapi-standard", "FastAPI", &["FastAPI("], Gateway::Asgi),
    ("litestar", "Litestar", &["Litestar("], Gateway::Asgi),
    ("quart", "Quart", &["Quart("], Gateway::Asgi),
    ("blacksheep", "BlackSheep", &["Application("], Gateway::Asgi),
    ("connexion", "Connexion", &["AsyncApp(", "FlaskApp("], Gateway::Asgi),
    ("starlette", "Starlette", &["Starlette("], Gateway::Asgi),
    ("dash", "Dash", &[".server"], Gateway::Wsgi),
    ("flask", "Flask", &["Flask(", "create_app(", "make_app("], Gateway::Wsgi),
    ("falcon", "Falcon", &["falcon.App(", "App(", "API("], Gateway::Wsgi),
    ("bottle", "Bottle", &["Bottle(", "default_app("], Gateway::Wsgi),
    ("pyramid", "Pyramid", &["make_wsgi_app("], Gateway::Wsgi),
];

/// Functions that make an application.
const FACTORIES: &[&str] = &["create_app", "make_app", "get_app", "create_application", "build_app", "app_factory"];

/// The way to start the project, if there is one.
pub(super) fn find(project: &Project<'_>, install: &Install) -> Option<Start> {
    let has = |package: &str| install.packages.contains(package);
    if let Some(start) = &project.start {
        return Some(Start::new("Python", format!("{} says how it starts", start.file), as_module(start.command.clone())));
    }
    if let Some(directory) = manage(project)
        && (has("django") || project.tree.read(&plan::join(directory, "manage.py")).is_some_and(|text| text.contains("django")))
    {
        return Some(django(project, install));
    }
    for (_, name, constructors, gateway) in FRAMEWORKS.iter().filter(|(package, ..)| has(package)) {
        if let Some(application) = application(project, constructors) {
            return Some(served(name, &application, *gateway, install));
        }
    }
    if let Some(start) = with_own_server(project, install) {
        return Some(start);
    }
    let places = ["main.py", "app.py", "server.py", "run.py", "src/main.py", "src/app.py", "app/main.py", "__main__.py"];
    let script = places.into_iter().find(|file| project.tree.exists(file))?;
    let mut start = Start::new("Python", format!("{script} is started"), plan::command(&["python3", script]));
    let text = project.tree.read(script).unwrap_or_default();
    let listens = [
        "aiohttp",
        "tornado",
        "http.server",
        "socketserver",
        "wsgiref",
        "uvicorn",
        "waitress",
        "websockets",
        "grpc",
        "$PORT",
        "PORT",
    ];
    start.weight = if listens.iter().any(|name| text.contains(name)) { Weight::Server } else { Weight::Script };
    Some(start)
}

impl Start {
    fn new(framework: &'static str, reason: String, command: Vec<String>) -> Self {
        Self {
            framework,
            reason,
            command,
            weight: Weight::Server,
            needs: Vec::new(),
            below_src: false,
            steps: Vec::new(),
            files: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// A module and the variable or the function in it that holds or makes the application.
struct Application {
    file: String,
    name: String,
    is_factory: bool,
}

impl Application {
    fn below_src(&self) -> bool {
        self.file.starts_with("src/")
    }

    fn module(&self) -> String {
        let file = self.file.strip_prefix("src/").unwrap_or(&self.file);
        let module = file.trim_end_matches(".py").trim_end_matches("/__init__");
        module.replace('/', ".")
    }

    fn reason(&self) -> String {
        let what = if self.is_factory { "makes the application with" } else { "has the application" };
        format!("{} {what} `{}`", self.file, self.name)
    }
}

/// An application behind the server program that the project lists, or behind the usual one.
fn served(framework: &'static str, application: &Application, gateway: Gateway, install: &Install) -> Start {
    let has = |package: &str| install.packages.contains(package);
    let (module, name) = (application.module(), &application.name);
    let address = format!("{module}:{name}");
    let called = if application.is_factory { format!("{module}:{name}()") } else { address.clone() };
    let python = |words: &[&str]| plan::command(&[&["python3", "-m"], words].concat());
    let (command, needs) = match gateway {
        Gateway::Asgi if has("hypercorn") && !has("uvicorn") => {
            (python(&["hypercorn", "--bind", "127.0.0.1:$PORT", &called]), Vec::new())
        }
        Gateway::Asgi if has("daphne") && !has("uvicorn") && !application.is_factory => {
            (python(&["daphne", "-b", "127.0.0.1", "-p", "$PORT", &address]), Vec::new())
        }
        Gateway::Asgi => {
            let mut words = vec!["uvicorn", address.as_str(), "--host", "127.0.0.1", "--port", "$PORT"];
            if application.is_factory {
                words.push("--factory");
            }
            (python(&words), if has("uvicorn") || has("fastapi-standard") { Vec::new() } else { vec!["uvicorn"] })
        }
        Gateway::Wsgi if has("waitress") && !has("gunicorn") => {
            let words = [
                "waitress",
                "--listen",
                "127.0.0.1:$PORT",
                if application.is_factory { "--call" } else { "--threads=8" },
                &address,
            ];
            (python(&words), Vec::new())
        }
        Gateway::Wsgi => (gunicorn(&called), vec!["gunicorn"]),
    };
    Start { needs, below_src: application.below_src(), ..Start::new(framework, application.reason(), command) }
}

/// gunicorn with threads: one slow visitor does not hold up the others. `WEB_CONCURRENCY` sets the number of its processes.
fn gunicorn(application: &str) -> Vec<String> {
    plan::command(&["python3", "-m", "gunicorn", "--bind", "127.0.0.1:$PORT", "--threads", "8", application])
}

/// Frameworks that bring a server.
fn with_own_server(project: &Project<'_>, install: &Install) -> Option<Start> {
    let has = |package: &str| install.packages.contains(package);
    let file_with = |texts: &[&str]| {
        let files = project.tree.list("").into_iter().filter(|entry| !entry.is_directory).map(|entry| entry.name);
        let mut files: Vec<String> =
            files.filter(|name| std::path::Path::new(name).extension().is_some_and(|ending| ending == "py")).collect();
        files.sort_by_key(|name| {
            MODULES.iter().position(|module| name.trim_end_matches(".py") == *module).unwrap_or(MODULES.len())
        });
        files
            .into_iter()
            .find(|file| project.tree.read(file).is_some_and(|text| texts.iter().any(|wanted| text.contains(wanted))))
    };
    let reason = |file: &str| format!("{file} is started");
    if has("streamlit")
        && let Some(file) = file_with(&["streamlit"])
    {
        let options = [
            "--server.port",
            "$PORT",
            "--server.address",
            "127.0.0.1",
            "--server.headless",
            "true",
            "--browser.gatherUsageStats",
            "false",
            // What is not in the usual directory of packages counts as its own developers' copy.
            "--global.developmentMode",
            "false",
        ];
        let command = plan::command(&[&["python3", "-m", "streamlit", "run", &file], &options[..]].concat());
        let mut start = Start::new("Streamlit", reason(&file), command);
        start.weight = Weight::Server;
        return Some(start);
    }
    if has("gradio")
        && let Some(file) = file_with(&["gradio"])
    {
        let address = ["env", "GRADIO_SERVER_NAME=127.0.0.1", "GRADIO_SERVER_PORT=$PORT", "python3", &file];
        return Some(Start::new("Gradio", reason(&file), plan::command(&address)));
    }
    if has("sanic")
        && let Some(application) = application(project, &["Sanic("])
    {
        let address = format!("{}:{}", application.module(), application.name);
        let command = plan::command(&["python3", "-m", "sanic", &address, "--host", "127.0.0.1", "--port", "$PORT"]);
        return Some(Start { below_src: application.below_src(), ..Start::new("Sanic", application.reason(), command) });
    }
    None
}

/// The application in one of the usual modules: as a variable, else as a function that makes it.
fn application(project: &Project<'_>, constructors: &[&str]) -> Option<Application> {
    let files = modules(project);
    let variable = files.iter().find_map(|file| {
        let text = project.tree.read(file)?;
        let name = text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            let name = name.split(':').next()?.trim_end();
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
            let value = value.trim();
            let called = constructors.iter().any(|constructor| {
                // A member has no arguments.
                let is_member = constructor.starts_with('.');
                (is_member && value.ends_with(constructor))
                    || (!is_member
                        && (value.starts_with(constructor)
                            || value.split_once('.').is_some_and(|(_, rest)| rest.starts_with(constructor))))
            });
            (is_name && called).then(|| name.to_owned())
        })?;
        Some(Application { file: file.clone(), name, is_factory: false })
    });
    variable.or_else(|| {
        files.iter().find_map(|file| {
            let text = project.tree.read(file)?;
            let makes = |name: &&&str| {
                text.lines().any(|line| {
                    line.strip_prefix("def ")
                        .is_some_and(|rest| rest.strip_prefix(**name).is_some_and(|rest| rest.starts_with('(')))
                })
            };
            let name = FACTORIES.iter().find(makes)?;
            Some(Application { file: file.clone(), name: (*name).to_owned(), is_factory: true })
        })
    })
}

/// The files in which an application may be, in their order.
fn modules(project: &Project<'_>) -> Vec<String> {
    let exists = |file: &String| project.tree.exists(file);
    let mut files: Vec<String> = MODULES.iter().map(|module| format!("{module}.py")).filter(exists).collect();
    files.extend(MODULES.iter().map(|module| format!("src/{module}.py")).filter(exists));
    for place in ["", "src"] {
        let packages = project.tree.list(place).into_iter().filter(|entry| {
            entry.is_directory
                && !entry.name.starts_with(['.', '_'])
                && !NO_PACKAGES.contains(&entry.name.as_str())
                && entry.name != "src"
        });
        for package in packages {
            let directory = plan::join(place, &package.name);
            files.extend(MODULES_OF_PACKAGES.iter().map(|module| format!("{directory}/{module}.py")).filter(exists));
        }
    }
    files
}

/// The directory of manage.py: the root or src.
fn manage(project: &Project<'_>) -> Option<&'static str> {
    ["", "src"].into_iter().find(|directory| project.tree.exists(&plan::join(directory, "manage.py")))
}

/// Serves the files of Django's apps, which nobody has collected, beside its application.
const DJANGO: &str = "\
\"\"\"Django's application, and the files of its apps: the project has nothing else that serves them.\"\"\"
from {site}.wsgi import application as _django
from django.conf import settings

application = _django
if \"django.contrib.staticfiles\" in settings.INSTALLED_APPS:
    from django.contrib.staticfiles.handlers import StaticFilesHandler

    application = StaticFilesHandler(_django)
";

fn django(project: &Project<'_>, install: &Install) -> Start {
    let has = |package: &str| install.packages.contains(package);
    let place = manage(project).unwrap_or_default();
    let directories = project.tree.list(place).into_iter().filter(|entry| entry.is_directory).map(|entry| entry.name);
    let site = directories.into_iter().find(|name| {
        let file = |module: &str| plan::join(place, &format!("{name}/{module}.py"));
        project.tree.exists(&file("wsgi")) || project.tree.exists(&file("asgi"))
    });
    let reason = "manage.py is Django's".to_owned();
    let Some(site) = site else {
        let manage = plan::join(place, "manage.py");
        return Start::new("Django", reason, plan::command(&["python3", &manage, "runserver", "--noreload", "127.0.0.1:$PORT"]));
    };
    let below_src = !place.is_empty();
    let exists = |module: &str| project.tree.exists(&plan::join(place, &format!("{site}/{module}.py")));
    if !has("gunicorn") && exists("asgi") && (has("daphne") || has("uvicorn")) {
        let application = Application {
            file: plan::join(place, &format!("{site}/asgi.py")),
            name: "application".to_owned(),
            is_factory: false,
        };
        return Start {
            below_src,
            ..served("Django", &Application { file: application.file, ..application }, Gateway::Asgi, install)
        };
    }
    let mut start = Start { below_src, needs: vec!["gunicorn"], ..Start::new("Django", reason, Vec::new()) };
    if has("whitenoise") {
        start.steps.push(if below_src {
            &["src/manage.py", "collectstatic", "--noinput"]
        } else {
            &["manage.py", "collectstatic", "--noinput"]
        });
        start.command = gunicorn(&format!("{site}.wsgi"));
    } else {
        let path = format!("{PACKAGES}/mikrocloud_django.py");
        start.files.push(AddedFile { path, text: DJANGO.replace("{site}", &site) });
        start.notes.push(
            "the files of Django's apps are served by Django itself: list whitenoise to have them collected and served faster"
                .to_owned(),
        );
        start.command = gunicorn("mikrocloud_django");
    }
    if project.release.is_none() {
        start
            .notes
            .push("migrations are not applied by themselves: add `release: python manage.py migrate` to a Procfile".to_owned());
    }
    start
}

/// A program that a package brings, as a module of the interpreter: what is installed into a directory names the interpreter of the machine
/// that installed it.
fn as_module(mut words: Vec<String>) -> Vec<String> {
    let module = match words.first().map(String::as_str) {
        Some("python") => {
            "python3".clone_into(&mut words[0]);
            return words;
        }
        Some(name @ ("gunicorn" | "uvicorn" | "hypercorn" | "flask" | "daphne" | "streamlit" | "sanic" | "celery")) => {
            name.to_owned()
        }
        Some("waitress-serve") => "waitress".to_owned(),
        _ => return words,
    };
    let interpreter = ["python3".to_owned(), "-m".to_owned(), module];
    interpreter.into_iter().chain(words.into_iter().skip(1)).collect()
}
