//! A table of projects: what they hold, and the plan that is made of it.

use std::collections::BTreeMap;
use std::fmt::Write;

mod reported;

use super::*;
use crate::workload::{Server, WorkloadSpec};

/// A project in memory, on a machine that has every usual program but those that are named.
#[derive(Default)]
struct Memory {
    files: BTreeMap<String, String>,
    missing: Vec<&'static str>,
    engine: Option<ContainerEngine>,
    /// Versions of the machine's programs.
    versions: Vec<(&'static str, &'static str)>,
}

impl SourceTree for Memory {
    fn read(&self, path: &str) -> Option<String> {
        self.files.get(path).cloned()
    }

    fn exists(&self, path: &str) -> bool {
        self.files.keys().any(|file| file == path || file.starts_with(&format!("{path}/")))
    }

    fn list(&self, directory: &str) -> Vec<Entry> {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let inside = self.files.keys().filter_map(|file| file.strip_prefix(&prefix));
        let mut entries: Vec<Entry> = inside
            .map(|rest| match rest.split_once('/') {
                Some((name, _)) => Entry { name: name.to_owned(), is_directory: true },
                None => Entry { name: rest.to_owned(), is_directory: false },
            })
            .collect();
        entries.dedup();
        entries
    }

    fn has_program(&self, name: &str) -> bool {
        !self.missing.contains(&name)
    }

    fn version(&self, program: &str) -> Option<String> {
        self.versions.iter().find(|(name, _)| *name == program).map(|(_, version)| (*version).to_owned())
    }

    fn container_engine(&self) -> ContainerEngine {
        self.engine.clone().unwrap_or(ContainerEngine::Missing)
    }
}

fn memory(files: &[(&str, &str)]) -> Memory {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Memory { files, ..Memory::default() }
}

/// The plan for these files, of which `mikrocloud.toml` is the project file, as text; or the error.
fn plan(files: &[(&str, &str)]) -> String {
    show(&memory(files))
}

fn show(tree: &Memory) -> String {
    let manifest = read_manifest(tree, None).unwrap();
    let plan = match detect(tree, &manifest) {
        Ok(plan) => plan,
        Err(error) => return format!("{}: {}", error.code, error.message),
    };
    let mut text = format!("{} ({})\n", plan.framework, plan.reason);
    for step in &plan.steps {
        writeln!(text, "$ {}{}", variables(&step.env), step.command.join(" ")).unwrap();
    }
    if let Some(image) = &plan.image {
        writeln!(text, "image of {} with {}", image.file, image.arguments.join(" ")).unwrap();
    }
    match &plan.workload {
        WorkloadSpec::Server(Server { image: Some(image), env, replicas, .. }) => {
            write!(
                text,
                "container{}: {}{replicas}",
                image.port.map(|port| format!(" on {port}")).unwrap_or_default(),
                variables(env)
            )
            .unwrap();
        }
        WorkloadSpec::Static(site) => write!(text, "static in `{}`", [plan.output.as_str(), &site.root].concat()).unwrap(),
        WorkloadSpec::Server(server) => {
            write!(text, "server in `{}`: {}{}", plan.output, variables(&server.env), server.command.join(" ")).unwrap();
        }
        WorkloadSpec::Functions(set) => {
            for function in &set.functions {
                writeln!(text, "{} -> {} ({:?})", function.route, function.file, function.runtime).unwrap();
            }
            let site = set.site.as_ref().map_or("none".to_owned(), |site| format!("in `{}`", site.root));
            write!(text, "functions in `{}`: {}site {site}", plan.output, variables(&set.env)).unwrap();
        }
    }
    text
}

fn variables(env: &[(String, String)]) -> String {
    env.iter().fold(String::new(), |text, (name, value)| text + name + "=" + value + " ")
}

fn package(dependencies: &str, scripts: &str) -> String {
    let list = |text: &str| {
        text.split(',').filter(|part| !part.is_empty()).map(|part| format!("{part:?}: \"1\"")).collect::<Vec<_>>().join(",")
    };
    let scripts: Vec<String> = scripts
        .split(',')
        .filter_map(|part| part.split_once('='))
        .map(|(name, script)| format!("{name:?}: {script:?}"))
        .collect();
    format!(r#"{{"dependencies": {{{}}}, "scripts": {{{}}}}}"#, list(dependencies), scripts.join(","))
}

#[test]
fn plain_files() {
    insta::assert_snapshot!(plan(&[("index.html", ""), ("Dockerfile", "")]), @r"
    Static HTML (there is index.html; the Dockerfile is left aside because no container engine answers)
    static in ``
    ");
    insta::assert_snapshot!(plan(&[("public/index.html", "")]), @r"
    Static HTML (there is public/index.html)
    static in `public`
    ");
    insta::assert_snapshot!(plan(&[("about.html", "")]), @r"
    Static HTML (there is about.html)
    static in ``
    ");
}

#[test]
fn sites_of_node() {
    let lock = ("package-lock.json", "{}");
    insta::assert_snapshot!(plan(&[("package.json", &package("vite", "build=vite build")), lock, ("index.html", "")]), @r"
    Vite (package.json lists `vite`)
    $ npm ci --include=dev --no-audit --no-fund --loglevel=error
    $ npm run build
    static in `dist`
    ");
    insta::assert_snapshot!(plan(&[("package.json", &package("vite,react", "")), ("vite.config.ts", "build: { outDir: './public_html' }")]), @r"
    Vite (package.json lists `vite`)
    $ npm install --include=dev --no-audit --no-fund --loglevel=error
    $ node_modules/.bin/vite build
    static in `public_html`
    ");
    insta::assert_snapshot!(plan(&[("package.json", &package("astro", "build=astro build")), ("pnpm-lock.yaml", "")]), @r"
    Astro (package.json lists `astro`)
    $ pnpm install --frozen-lockfile --prod=false --reporter=append-only
    $ pnpm run build
    static in `dist`
    ");
    insta::assert_snapshot!(plan(&[("package.json", &package("next", "build=next build")), lock, ("next.config.mjs", "export default {\n  output: 'export',\n}")]), @r"
    Next.js (package.json lists `next` and its configuration sets output: 'export')
    $ npm ci --include=dev --no-audit --no-fund --loglevel=error
    $ npm run build
    static in `out`
    ");
    insta::assert_snapshot!(plan(&[("package.json", &package("@sveltejs/kit,@sveltejs/adapter-static,vite", "build=vite build")), lock]), @r"
    SvelteKit (package.json lists `@sveltejs/adapter-static`)
    $ npm ci --include=dev --no-audit --no-fund --loglevel=error
    $ npm run build
    static in `build`
    ");
    insta::assert_snapshot!(plan(&[("package.json", &package("nuxt", "generate=nuxt generate")), lock]), @"
    Nuxt (package.json lists `nuxt`)
    $ npm ci --include=dev --no-audit --no-fund --loglevel=error
    $ node_modules/.bin/nuxt build
    server in ``: NODE_ENV=production node .output/server/index.mjs
    ");
    insta::assert_snapshot!(plan(&[("package.json", &package("@11ty/eleventy", "")), lock]), @r"
    Eleventy (package.json lists `@11ty/eleventy`)
    $ npm ci --include=dev --no-audit --no-fund --loglevel=error
    $ node_modules/.bin/eleventy
    static in `_site`
    ");
    insta::assert_snapshot!(plan(&[("package.json", &package("@docusaurus/core", "build=docusaurus build,start=docusaurus start")), ("yarn.lock", "")]), @r"
    Docusaurus (package.json lists `@docusaurus/core`)
    $ yarn install --frozen-lockfile --production=false --non-interactive --no-progress
    $ yarn run build
    static in `build`
    ");
    insta::assert_snapshot!(plan(&[("package.json", &package("react-scripts", "build=react-scripts build,start=react-scripts start")), lock]), @r"
    Create React App (package.json lists `react-scripts`)
    $ npm ci --include=dev --no-audit --no-fund --loglevel=error
    $ npm run build
    static in `build`
    ");
    insta::assert_snapshot!(plan(&[("package.json", &package("gatsby", "build=gatsby build")), lock]), @r"
    Gatsby (package.json lists `gatsby`)
    $ npm ci --include=dev --no-audit --no-fund --loglevel=error
    $ npm run build
    static in `public`
    ");
    insta::assert_snapshot!(plan(&[("package.json", &package("", "build=node build.mjs --to _site"))]), @r"
    Node.js site (package.json has the script `build`, taken to write _site/)
    $ npm run build
    static in `_site`
    ");
    insta::assert_snapshot!(plan(&[("package.json", &package("prettier", "format=prettier")), ("index.html", ""), ("index.js", "")]), @r"
    Static HTML (there is index.html)
    static in ``
    ");
}

#[test]
fn servers_of_node() {
    let lock = ("package-lock.json", "{}");
    insta::assert_snapshot!(plan(&[("package.json", &package("", "start=node server.js")), ("server.js", "")]), @r"
    Node.js (package.json has the script `start`)
    server in ``: NODE_ENV=production node server.js
    ");
    insta::assert_snapshot!(plan(&[("package.json", &package("express", "start=NODE_OPTIONS=x node .,build=tsc")), lock]), @r"
    Node.js (package.json has the script `start`)
    $ npm ci --include=dev --no-audit --no-fund --loglevel=error
    $ npm run build
    server in ``: NODE_ENV=production npm run start
    ");
    insta::assert_snapshot!(plan(&[("package.json", &package("fastify", "")), ("index.js", "")]), @r"
    Node.js (there is package.json and index.js)
    $ npm install --include=dev --no-audit --no-fund --loglevel=error
    server in ``: NODE_ENV=production node index.js
    ");
    insta::assert_snapshot!(plan(&[("package.json", &package("next", "build=next build")), lock]), @r"
    Next.js (package.json lists `next` without output: 'export')
    $ npm ci --include=dev --no-audit --no-fund --loglevel=error
    $ npm run build
    server in ``: NODE_ENV=production node_modules/.bin/next start -p $PORT -H 127.0.0.1
    ");
    insta::assert_snapshot!(plan(&[("package.json", &package("express,vite", "start=node server.js,build=vite build")), lock]), @r"
    Node.js (package.json has the script `start`)
    $ npm ci --include=dev --no-audit --no-fund --loglevel=error
    $ npm run build
    server in ``: NODE_ENV=production node server.js
    ");
    insta::assert_snapshot!(plan(&[("package.json", &package("@sveltejs/kit,@sveltejs/adapter-node", "build=vite build")), lock]), @r"
    SvelteKit (package.json lists `@sveltejs/adapter-node`)
    $ npm ci --include=dev --no-audit --no-fund --loglevel=error
    $ npm run build
    server in ``: NODE_ENV=production node build
    ");
    let mut tree = memory(&[("package.json", &package("koa", "start=tsx main.ts")), ("yarn.lock", ""), (".yarnrc.yml", "")]);
    tree.missing = vec!["yarn"];
    insta::assert_snapshot!(show(&tree), @"
    Node.js (package.json has the script `start`)
    $ npm install --prefix .mikrocloud/tools --no-save --global=false --no-audit --no-fund --loglevel=error @yarnpkg/cli-dist@4
    $ YARN_NODE_LINKER=node-modules yarn install --immutable
    server in ``: NODE_ENV=production npm run start
    ");
}

#[test]
fn servers_of_python() {
    insta::assert_snapshot!(plan(&[("main.py", ""), ("requirements.txt", "# nothing\n")]), @r"
    Python (there is requirements.txt, and main.py is started)
    server in ``: PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 python3 main.py
    ");
    insta::assert_snapshot!(plan(&[("app.py", "app = Flask(__name__)"), ("requirements.txt", "Flask>=3\n")]), @"
    Flask (there is requirements.txt, and app.py has the application `app`)
    $ python3 -m pip install --disable-pip-version-check --no-input --progress-bar=off --root-user-action=ignore --no-warn-conflicts --upgrade --target .mikrocloud/python -r requirements.txt gunicorn
    server in ``: PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=.mikrocloud/python python3 -m gunicorn --bind 127.0.0.1:$PORT --threads 8 app:app
    ");
    insta::assert_snapshot!(plan(&[("wsgi.py", "application = flask.Flask(__name__)"), ("requirements.txt", "flask\ngunicorn\n")]), @"
    Flask (there is requirements.txt, and wsgi.py has the application `application`)
    $ python3 -m pip install --disable-pip-version-check --no-input --progress-bar=off --root-user-action=ignore --no-warn-conflicts --upgrade --target .mikrocloud/python -r requirements.txt
    server in ``: PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=.mikrocloud/python python3 -m gunicorn --bind 127.0.0.1:$PORT --threads 8 wsgi:application
    ");
    insta::assert_snapshot!(plan(&[("src/main.py", "api: FastAPI = FastAPI(title='x')"), ("pyproject.toml", "[project]\nname = 'x'\ndependencies = ['fastapi>=0.1']")]), @"
    FastAPI (there is pyproject.toml, and src/main.py has the application `api`)
    $ python3 -m pip install --disable-pip-version-check --no-input --progress-bar=off --root-user-action=ignore --no-warn-conflicts --upgrade --target .mikrocloud/python -r .mikrocloud/requirements.txt uvicorn
    server in ``: PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=.mikrocloud/python:src python3 -m uvicorn main:api --host 127.0.0.1 --port $PORT
    ");
    insta::assert_snapshot!(plan(&[("main.py", "app = FastAPI()"), ("uv.lock", ""), ("pyproject.toml", "[project]\ndependencies = ['fastapi[standard]']")]), @r"
    FastAPI (there is uv.lock, and main.py has the application `app`)
    $ uv export --frozen --no-dev --no-emit-project --format requirements-txt --output-file .mikrocloud/requirements.txt
    $ uv pip install --target .mikrocloud/python --requirements .mikrocloud/requirements.txt
    server in ``: PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=.mikrocloud/python python3 -m uvicorn main:app --host 127.0.0.1 --port $PORT
    ");
    insta::assert_snapshot!(plan(&[("manage.py", "django"), ("shop/wsgi.py", ""), ("requirements.txt", "Django\ngunicorn")]), @"
    Django (there is requirements.txt, and manage.py is Django's)
    $ python3 -m pip install --disable-pip-version-check --no-input --progress-bar=off --root-user-action=ignore --no-warn-conflicts --upgrade --target .mikrocloud/python -r requirements.txt
    server in ``: PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=.mikrocloud/python python3 -m gunicorn --bind 127.0.0.1:$PORT --threads 8 mikrocloud_django
    ");
    insta::assert_snapshot!(plan(&[("manage.py", "django"), ("requirements.txt", "Django")]), @"
    Django (there is requirements.txt, and manage.py is Django's)
    $ python3 -m pip install --disable-pip-version-check --no-input --progress-bar=off --root-user-action=ignore --no-warn-conflicts --upgrade --target .mikrocloud/python -r requirements.txt
    server in ``: PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=.mikrocloud/python python3 manage.py runserver --noreload 127.0.0.1:$PORT
    ");
    insta::assert_snapshot!(plan(&[("x.py", ""), ("requirements.txt", "gunicorn"), ("Procfile", "release: x\nweb: gunicorn x:app --bind 127.0.0.1:$PORT\n")]), @"
    Python (there is requirements.txt, and Procfile says how it starts)
    $ python3 -m pip install --disable-pip-version-check --no-input --progress-bar=off --root-user-action=ignore --no-warn-conflicts --upgrade --target .mikrocloud/python -r requirements.txt
    $ PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=.mikrocloud/python x
    server in ``: PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=.mikrocloud/python python3 -m gunicorn x:app --bind 127.0.0.1:$PORT
    ");
}

#[test]
fn servers_of_go_and_rust() {
    insta::assert_snapshot!(plan(&[("go.mod", ""), ("main.go", "package main\n")]), @r"
    Go (there is go.mod with a main package)
    $ go build -o .mikrocloud/server .
    server in ``: .mikrocloud/server
    ");
    insta::assert_snapshot!(plan(&[("go.mod", ""), ("shop.go", "package shop\n"), ("cmd/shop/main.go", "package main\n")]), @r"
    Go (there is go.mod with cmd/shop)
    $ go build -o .mikrocloud/server ./cmd/shop
    server in ``: .mikrocloud/server
    ");
    insta::assert_snapshot!(plan(&[("go.mod", ""), ("cmd/a/main.go", ""), ("cmd/b/main.go", "")]), @r#"START_UNKNOWN: there is go.mod with several programs in cmd/ (a, b): choose one in mikrocloud.toml, for example [build] command = "go build -o .mikrocloud/server ./cmd/a""#);
    insta::assert_snapshot!(plan(&[("Cargo.toml", "[package]\nname = 'shop'\n[dependencies]\naxum = '1'"), ("src/main.rs", ""), ("Cargo.lock", "")]), @"
    Rust (there is Cargo.toml with the binary `shop`)
    $ cargo install --path . --root .mikrocloud --no-track --force --bin shop --locked
    server in ``: .mikrocloud/bin/shop
    ");
    insta::assert_snapshot!(plan(&[("Cargo.toml", "[workspace]\n")]), @r#"START_UNKNOWN: there is Cargo.toml without a package, a workspace: say in mikrocloud.toml which package is built and started, for example [build] command = "cargo install --path server --root .mikrocloud" and [container] command = ".mikrocloud/bin/server""#);
}

#[test]
fn functions_and_the_site_beside_them() {
    let (hello, greet) =
        (("functions/hello.js", "export default () => new Response('hello')"), ("functions/greet.py", "def handler(request):\n"));
    insta::assert_snapshot!(plan(&[hello, greet, ("functions/_helper.js", "")]), @r"
    Functions (there is functions/ with 2 functions)
    /greet -> functions/greet.py (Python)
    /hello -> functions/hello.js (Node)
    functions in ``: site none
    ");
    insta::assert_snapshot!(plan(&[("functions/api/index.mjs", "export default (request) => x"), ("functions/index.mjs", "export default (request) => x"), ("public/index.html", "")]), @"
    Functions (there is functions/ with 2 functions)
    / -> functions/index.mjs (Node)
    /api -> functions/api/index.mjs (Node)
    functions in ``: site in `public`
    ");
    insta::assert_snapshot!(plan(&[hello, greet, ("requirements.txt", "requests"), ("package.json", &package("vite", "build=vite build")), ("package-lock.json", "{}")]), @"
    Functions (there is functions/ with 2 functions)
    $ npm ci --include=dev --no-audit --no-fund --loglevel=error
    $ npm run build
    $ python3 -m pip install --disable-pip-version-check --no-input --progress-bar=off --root-user-action=ignore --no-warn-conflicts --upgrade --target .mikrocloud/python -r requirements.txt
    /greet -> functions/greet.py (Python)
    /hello -> functions/hello.js (Node)
    functions in ``: PYTHONPATH=.mikrocloud/python site in `dist`
    ");
    insta::assert_snapshot!(plan(&[hello, ("functions/hello.py", "def handler(request):\n")]), @"FUNCTION_TWICE: `functions/hello.js` and `functions/hello.py` both answer /hello: rename one of them");
    insta::assert_snapshot!(plan(&[("functions/math.js", "export const add = 1"), ("functions/pay.js", "export async function POST() {}")]), @r"
    Functions (there is functions/ with one function)
    /pay -> functions/pay.js (Node)
    functions in ``: site none
    ");
    insta::assert_snapshot!(plan(&[("functions/math.js", "exports.add = 1"), ("index.html", "")]), @r"
    Static HTML (there is index.html)
    static in ``
    ");
    insta::assert_snapshot!(plan(&[("api/x.js", ""), ("mikrocloud.toml", "[functions]\ndirectory = 'api'\n")]), @r"
    Functions (there is api/ with one function)
    /x -> api/x.js (Node)
    functions in ``: site none
    ");
}

#[test]
fn the_project_file_overrides_part_by_part() {
    let vite = package("vite", "build=vite build");
    insta::assert_snapshot!(plan(&[("package.json", &vite), ("mikrocloud.toml", "[build]\noutput = './site/'")]), @r"
    Vite (package.json lists `vite`; mikrocloud.toml sets build.output)
    $ npm install --include=dev --no-audit --no-fund --loglevel=error
    $ npm run build
    static in `site`
    ");
    insta::assert_snapshot!(plan(&[("package.json", &vite), ("mikrocloud.toml", "[build]\ncommand = ['npm ci', 'make \"all pages\"']")]), @r"
    Vite (package.json lists `vite`; mikrocloud.toml sets build.command)
    $ npm ci
    $ make all pages
    static in `dist`
    ");
    insta::assert_snapshot!(plan(&[("package.json", &vite), ("mikrocloud.toml", "[container]\ncommand = 'node preview.js --port $PORT'\nmemory_mib = 64")]), @"
    Node.js (there is package.json, and mikrocloud.toml says how it starts; mikrocloud.toml sets container.command)
    $ npm install --include=dev --no-audit --no-fund --loglevel=error
    $ npm run build
    server in ``: NODE_ENV=production node preview.js --port $PORT
    ");
    insta::assert_snapshot!(plan(&[("mikrocloud.toml", "[build]\ncommand = 'make'\noutput = 'www'")]), @r"
    Files (mikrocloud.toml names the directory; mikrocloud.toml sets build.command, build.output)
    $ make
    static in `www`
    ");
    insta::assert_snapshot!(plan(&[("Dockerfile", ""), ("mikrocloud.toml", "[build]\ncommand = 'make'\n[container]\ncommand = './server'")]), @r"
    Server (mikrocloud.toml names the program; mikrocloud.toml sets build.command, container.command)
    $ make
    server in ``: ./server
    ");
    insta::assert_snapshot!(plan(&[("package.json", &package("next", "build=next build")), ("mikrocloud.toml", "[project]\nkind = 'static'\n[build]\noutput = 'out'")]), @r"
    Node.js site (package.json has the script `build`, taken to write dist/; mikrocloud.toml sets build.output)
    $ npm install --include=dev --no-audit --no-fund --loglevel=error
    $ npm run build
    static in `out`
    ");
    insta::assert_snapshot!(plan(&[("main.py", ""), ("index.html", ""), ("mikrocloud.toml", "[project]\nkind = 'static'")]), @r"
    Static HTML (there is index.html)
    static in ``
    ");
}

#[test]
fn a_server_is_configured_by_the_project_file() {
    let text = "[env]\nCOLOUR = 'red'\n[container]\nport = 3000\ncpu = 0.5\nmemory_mib = 64\nhealth_path = '/health'";
    let tree = memory(&[("package.json", &package("express", "start=node server.js"))]);
    let plan = detect(&tree, &Manifest::parse(text).unwrap()).unwrap();
    let colour = ("COLOUR".to_owned(), "red".to_owned());
    assert!(plan.steps.iter().all(|step| step.env.contains(&colour)) && !plan.steps.is_empty());
    let WorkloadSpec::Server(server) = plan.workload else { panic!("{plan:?}") };
    assert!(server.env.contains(&colour));
    assert_eq!((server.port, server.cpu, server.memory_mib, server.health_path.as_str()), (Some(3000), 0.5, 64, "/health"));
    assert_eq!((server.replicas, server.command), (1, vec!["node".to_owned(), "server.js".to_owned()]));
}

#[test]
fn a_dockerfile_wins_where_an_engine_answers() {
    let docker = || ContainerEngine::Answers { name: "Docker 28.2.2".to_owned() };
    let plan = |files: &[(&str, &str)]| show(&Memory { engine: Some(docker()), ..memory(files) });
    let file = ("Dockerfile", "FROM scratch\nARG VERSION=1\nARG TOKEN");
    insta::assert_snapshot!(plan(&[file]), @r"
    Dockerfile (there is Dockerfile, and Docker 28.2.2 answers)
    image of Dockerfile with TOKEN VERSION
    container: 1
    ");
    insta::assert_snapshot!(plan(&[file, ("package.json", &package("vite", "")), ("index.html", ""), ("functions/a.js", "")]), @r"
    Dockerfile (there is Dockerfile, and Docker 28.2.2 answers)
    image of Dockerfile with TOKEN VERSION
    container: 1
    ");
    insta::assert_snapshot!(plan(&[("Containerfile", "FROM x"), ("mikrocloud.toml", "[env]\nA = 'b'\n[container]\nport = 80\nreplicas = 2")]), @r"
    Dockerfile (there is Containerfile, and Docker 28.2.2 answers)
    image of Containerfile with 
    container on 80: A=b 2
    ");
    insta::assert_snapshot!(plan(&[file, ("index.html", ""), ("mikrocloud.toml", "[project]\nkind = 'static'")]), @r"
    Static HTML (there is index.html)
    static in ``
    ");
    insta::assert_snapshot!(plan(&[file, ("index.html", ""), ("mikrocloud.toml", "[build]\noutput = '.'")]), @r"
    Static HTML (there is index.html; mikrocloud.toml sets build.output)
    static in ``
    ");
    insta::assert_snapshot!(plan(&[file, ("mikrocloud.toml", "[build]\ncommand = 'make'\n[container]\ncommand = './server'")]), @r"
    Server (mikrocloud.toml names the program; mikrocloud.toml sets build.command, container.command)
    $ make
    server in ``: ./server
    ");
    insta::assert_snapshot!(plan(&[file, ("mikrocloud.toml", "[build]\ncommand = 'make'")]), @"MANIFEST_INVALID: mikrocloud.toml: build.command: the Dockerfile says how the image is built, and this key is for projects without one: remove it, or name the program to start with [container] command");
}

#[test]
fn without_an_engine_a_dockerfile_comes_last_and_the_reason_is_told() {
    let files = [("Dockerfile", "FROM scratch"), ("mikrocloud.toml", "[project]\nkind = 'container'")];
    let silent =
        ContainerEngine::Silent { client: "docker".to_owned(), reason: "Cannot connect to the Docker daemon".to_owned() };
    insta::assert_snapshot!(show(&Memory { engine: Some(silent.clone()), ..memory(&files) }), @"ENGINE_MISSING: a container engine is needed to build the Dockerfile, and none answers: `docker` is installed, but its engine does not answer (Cannot connect to the Docker daemon); start it (for Docker: systemctl start docker) and let MikroCloud's user use it (for Docker: the group docker), or say in mikrocloud.toml how to build and start the project without it ([build] command, [container] command)");
    insta::assert_snapshot!(show(&Memory { engine: Some(silent), ..memory(&[files[0], ("server.js", ""), ("package.json", "{}")]) }), @r"
    Node.js (there is package.json and server.js; the Dockerfile is left aside because no container engine answers)
    server in ``: NODE_ENV=production node server.js
    ");
    insta::assert_snapshot!(plan(&[files[0], ("Cargo.toml", "[workspace]\nmembers = ['a']")]), @r#"START_UNKNOWN: there is Cargo.toml without a package, a workspace: say in mikrocloud.toml which package is built and started, for example [build] command = "cargo install --path server --root .mikrocloud" and [container] command = ".mikrocloud/bin/server" (the Dockerfile is left aside because no container engine answers)"#);
}

#[test]
fn a_fixed_port_of_a_program_is_checked() {
    let node = package("express", "start=node server.js");
    let plan = |container: &str| plan(&[("package.json", &node), ("mikrocloud.toml", &format!("[container]\n{container}"))]);
    insta::assert_snapshot!(plan("port = 80"), @"MANIFEST_INVALID: mikrocloud.toml: container.port: 80 is out of range: give 1024 to 65535, or let the program listen on $PORT");
    insta::assert_snapshot!(plan("port = 3000\nreplicas = 2"), @"MANIFEST_INVALID: mikrocloud.toml: container.replicas: several replicas cannot listen on one port: remove `port` and let the program listen on $PORT");
}

#[test]
fn what_cannot_be_built_says_what_to_do() {
    insta::assert_snapshot!(plan(&[("README.md", "")]), @r#"NOTHING_DETECTED: nothing that can be built was found: there is only README.md. Say what it is in mikrocloud.toml: [build] output = "site" for a directory of files, or [container] command = "./server --port $PORT" for a program"#);
    insta::assert_snapshot!(plan(&[("Dockerfile", "")]), @"ENGINE_MISSING: a container engine is needed to build the Dockerfile, and none answers: install and start Docker or Podman, or say in mikrocloud.toml how to build and start the project without it ([build] command, [container] command)");
    insta::assert_snapshot!(plan(&[("package.json", "{")]), @"SOURCE_INVALID: package.json cannot be read: EOF while parsing an object at line 1 column 1");
    insta::assert_snapshot!(plan(&[("package.json", &package("@sveltejs/kit", ""))]), @"ADAPTER_MISSING: package.json lists `@sveltejs/kit` without an adapter that says what its build leaves: add @sveltejs/adapter-static for a site of files or @sveltejs/adapter-node for a server, and name it in svelte.config.js or vite.config");
    insta::assert_snapshot!(plan(&[("index.html", ""), ("mikrocloud.toml", "[project]\nkind = 'container'")]), @r#"NOTHING_DETECTED: mikrocloud.toml says that this is a server, but no way to start it was found: name it with [container] command = "./server --port $PORT", or in a Procfile"#);
    insta::assert_snapshot!(plan(&[("index.html", ""), ("mikrocloud.toml", "[project]\nkind = 'function'")]), @r#"NOTHING_DETECTED: mikrocloud.toml says that this has functions, but there is no .js, .mjs or .py file in the functions directory: add one, or name the directory with [functions] directory = "...""#);
    let mut go = memory(&[("go.mod", ""), ("main.go", "package main\n")]);
    go.missing = vec!["go"];
    insta::assert_snapshot!(show(&go), @"TOOLCHAIN_MISSING: Go needs the program `go`, which is not on this machine: install Go (https://go.dev/doc/install)");
}

#[test]
fn the_source_of_other_languages_is_no_site() {
    let page = ("index.html", "<h1>hello</h1>");
    for (mark, others, code) in [
        ("index.php", &["wp-config.php", "readme.html"][..], ""),
        ("composer.json", &["index.html"], "START_UNKNOWN"),
        ("Gemfile", &["_config.yml", "404.html"], "START_UNKNOWN"),
        ("Gemfile", &["_config.yml", "index.html"], "START_UNKNOWN"),
        ("Gemfile", &["config.ru", "public/index.html"], ""),
        ("_config.yml", &["index.html"], "UNSUPPORTED"),
        ("pom.xml", &["index.html"], ""),
        ("build.gradle.kts", &["public/index.html"], ""),
        ("deno.json", &["index.html", "main.ts"], ""),
        ("mix.exs", &["index.html"], "UNSUPPORTED"),
        ("Shop.csproj", &["index.html", "Program.cs"], "UNSUPPORTED"),
        ("contact/send.PHP", &["index.html"], "UNSUPPORTED"),
        ("public/index.php", &["public/index.html"], ""),
        ("Gemfile", &["package.json", "public/index.html"], "START_UNKNOWN"),
        ("composer.json", &["functions/a.js", "index.html"], "UNSUPPORTED"),
        ("composer.json", &["src/shop.txt"], "START_UNKNOWN"),
    ] {
        let script = package("", "build=sass");
        let text = |name: &str| match name {
            "package.json" => script.clone(),
            "functions/a.js" => "export default () => new Response()".to_owned(),
            _ => String::new(),
        };
        let files: Vec<_> = others.iter().chain([&mark]).map(|name| (*name, text(name))).collect();
        let mut files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let found = plan(&files);
        match code {
            "" => assert!(found.contains("\nserver in"), "{files:?}: {found}"),
            code => assert!(found.starts_with(&format!("{code}: ")) && found.contains(mark), "{files:?}: {found}"),
        }
        files.push(("mikrocloud.toml", "[project]\nkind = 'static'"));
        let found = plan(&files);
        assert!(found.starts_with("UNSUPPORTED: ") && found.contains(mark), "{files:?}: {found}");
        files.pop();
        files.push(("mikrocloud.toml", "[build]\noutput = 'site'"));
        assert!(!plan(&files).starts_with("UNSUPPORTED: "), "whoever names the directory has said what is served: {files:?}");
    }
    insta::assert_snapshot!(plan(&[("contact/send.php", ""), page]), @r#"UNSUPPORTED: `contact/send.php` says that this is a PHP project, which is not built here, and its source is not served as a site: add a Dockerfile, say in mikrocloud.toml how it is built and started ([build] command, [container] command), or name the directory of finished files with [build] output = "site" ("." for all of them)"#);
    insta::assert_snapshot!(plan(&[("netlify.toml", "[build]\npublish = 'dist'"), page]), @"UNSUPPORTED: netlify.toml says that the site is in `dist`, so nothing else is served: say how it is built in mikrocloud.toml, with [build] command and [build] output");
    for served in [
        &[("netlify.toml", "[build]\npublish = './'"), page][..],
        &[("netlify.toml", "[[headers]]\nfor = '/*'"), page],
        &[("vercel.json", r#"{"outputDirectory": "public"}"#), ("public/index.html", "")],
        &[("tools.php.txt", ""), ("src/Gemfile", ""), page],
    ] {
        assert!(plan(served).starts_with("Static HTML"), "{served:?}");
    }
    let stated = plan(&[("composer.json", ""), ("mikrocloud.toml", "[container]\ncommand = 'php -S 0.0.0.0:$PORT'")]);
    assert!(stated.ends_with(" php -S 0.0.0.0:$PORT"), "{stated}");
}

proptest::proptest! {
    #[test]
    fn no_project_makes_it_panic(
        files in proptest::collection::btree_map(
            proptest::sample::select(vec![
                "package.json", "pyproject.toml", "requirements.txt", "Cargo.toml", "Procfile", "main.py", "functions/a.js", "go.mod",
                "vite.config.js", "manage.py",
            ]),
            "(\\PC|\n|[\"'=:{}\\[\\],]){0,60}",
            0..4,
        )
    ) {
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let _ = detect(&memory(&files), &Manifest::default());
    }
}
