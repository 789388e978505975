//! Servers written in Python: how they are started.

use super::python::Install;
use super::{Project, plan};
use crate::manifest::split_command;

/// Start command of a server.
pub(super) struct Start {
    pub framework: &'static str,
    pub reason: String,
    pub command: Vec<String>,
    /// Packages it cannot do without.
    pub needs: Vec<&'static str>,
    /// Its modules are below `src`.
    pub below_src: bool,
}

/// Modules in which applications are searched for, in this order.
const MODULES: &[&str] = &["main", "app", "server", "wsgi", "asgi", "api", "app/main", "app/__init__", "src/main", "src/app"];

/// The way to start the project, if there is one.
pub(super) fn find(project: &Project<'_>, install: &Install) -> Option<Start> {
    let has = |package: &str| install.packages.contains(package);
    if let Some(command) = &project.start {
        return Some(Start::new("Python", "mikrocloud.toml says how it starts".to_owned(), command.clone()));
    }
    if let Some(command) = procfile(project) {
        return Some(Start::new("Python", "Procfile says how it starts".to_owned(), command));
    }
    if project.tree.exists("manage.py") && (has("django") || project.tree.read("manage.py")?.contains("django")) {
        return Some(django(project, has("gunicorn")));
    }
    if has("fastapi") || has("fastapi-standard") || has("starlette") {
        let application = application(project, &["FastAPI(", "Starlette("])?;
        let address = ["--host", "127.0.0.1", "--port", "$PORT"];
        let place = application.address();
        let command = [&["python3", "-m", "uvicorn", &place], &address[..]].concat();
        let name = if has("starlette") { "Starlette" } else { "FastAPI" };
        let mut start = Start::new(name, application.reason(), plan::command(&command));
        start.below_src = application.below_src();
        start.needs = if has("uvicorn") || has("fastapi-standard") { Vec::new() } else { vec!["uvicorn"] };
        return Some(start);
    }
    if has("flask") || has("quart") {
        let application = application(project, &["Flask(", "Quart(", "create_app("])?;
        let mut start = Start::new("Flask", application.reason(), flask(&application, has("gunicorn")));
        start.below_src = application.below_src();
        return Some(start);
    }
    let script = ["main.py", "app.py", "server.py", "src/main.py"].into_iter().find(|file| project.tree.exists(file))?;
    Some(Start::new("Python", format!("{script} is started"), plan::command(&["python3", script])))
}

impl Start {
    fn new(framework: &'static str, reason: String, command: Vec<String>) -> Self {
        Self { framework, reason, command, needs: Vec::new(), below_src: false }
    }
}

/// A module and the variable in it that holds the application.
struct Application {
    file: String,
    variable: String,
}

impl Application {
    fn below_src(&self) -> bool {
        self.file.starts_with("src/")
    }

    fn module(&self) -> String {
        let file = self.file.trim_start_matches("src/").trim_end_matches(".py").trim_end_matches("/__init__");
        file.replace('/', ".")
    }

    fn address(&self) -> String {
        format!("{}:{}", self.module(), self.variable)
    }

    fn reason(&self) -> String {
        format!("{} has the application `{}`", self.file, self.variable)
    }
}

fn application(project: &Project<'_>, constructors: &[&str]) -> Option<Application> {
    MODULES.iter().find_map(|module| {
        let file = format!("{module}.py");
        let text = project.tree.read(&file)?;
        let variable = text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            let name = name.split(':').next()?.trim_end();
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
            let value = value.trim_start();
            let called = constructors.iter().any(|constructor| {
                value.starts_with(constructor) || value.split_once('.').is_some_and(|(_, rest)| rest.starts_with(constructor))
            });
            (is_name && called).then(|| name.to_owned())
        })?;
        Some(Application { file, variable })
    })
}

fn flask(application: &Application, gunicorn: bool) -> Vec<String> {
    if gunicorn {
        return plan::command(&["python3", "-m", "gunicorn", "--bind", "127.0.0.1:$PORT", &application.address()]);
    }
    let address = application.address();
    plan::command(&["python3", "-m", "flask", "--app", &address, "run", "--host", "127.0.0.1", "--port", "$PORT"])
}

fn django(project: &Project<'_>, gunicorn: bool) -> Start {
    let site = project
        .tree
        .list("")
        .into_iter()
        .find(|entry| entry.is_directory && project.tree.exists(&format!("{}/wsgi.py", entry.name)));
    let command = match site {
        Some(site) if gunicorn => {
            plan::command(&["python3", "-m", "gunicorn", "--bind", "127.0.0.1:$PORT", &format!("{}.wsgi", site.name)])
        }
        _ => plan::command(&["python3", "manage.py", "runserver", "--noreload", "127.0.0.1:$PORT"]),
    };
    Start::new("Django", "manage.py is Django's".to_owned(), command)
}

/// The plain command of the Procfile's `web` line. What is installed into a directory has no program on the path: Python runs
/// it as a module.
fn procfile(project: &Project<'_>) -> Option<Vec<String>> {
    let text = project.tree.read("Procfile")?;
    let line = text.lines().find_map(|line| line.trim().strip_prefix("web:"))?;
    let mut words = split_command(line.trim()).ok()?;
    let module = match words[0].as_str() {
        "python" | "python3" => {
            "python3".clone_into(&mut words[0]);
            return Some(words);
        }
        name @ ("gunicorn" | "uvicorn" | "hypercorn" | "flask" | "daphne" | "streamlit") => name.to_owned(),
        "waitress-serve" => "waitress".to_owned(),
        _ => return None,
    };
    let interpreter = ["python3".to_owned(), "-m".to_owned(), module];
    Some(interpreter.into_iter().chain(words.into_iter().skip(1)).collect())
}
