//! Projects that people reported to go wrong with hosts of this kind, reduced to what decides.

use super::*;

/// A package.json with these entries beside its scripts.
fn with(entries: &str, scripts: &str) -> String {
    package("", scripts).replacen('{', &format!("{{{entries}, "), 1)
}

/// The first step, or the message.
fn first_step(files: &[(&str, &str)]) -> String {
    let found = plan(files);
    found.lines().find(|line| line.starts_with("$ ")).unwrap_or(&found).to_owned()
}

/// The last line: what is run or served.
fn result(files: &[(&str, &str)]) -> String {
    plan(files).lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_server_is_found_beside_the_build_of_its_pages() {
    let css = package("", "build=node css.js");
    insta::assert_snapshot!(plan(&[("requirements.txt", "flask"), ("app.py", "app = Flask(__name__)"), ("package.json", &css), ("public/robots.txt", "")]), @"
    Flask (there is requirements.txt, and app.py has the application `app`)
    $ npm run build
    $ python3 -m pip install --disable-pip-version-check --no-input --progress-bar=off --root-user-action=ignore --no-warn-conflicts --upgrade --target .mikrocloud/python -r requirements.txt gunicorn
    server in ``: PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=.mikrocloud/python python3 -m gunicorn --bind 127.0.0.1:$PORT --threads 8 app:app
    ");
    insta::assert_snapshot!(plan(&[("go.mod", ""), ("main.go", "package main"), ("package.json", &css)]), @"
    Go (there is go.mod with a main package)
    $ npm run build
    $ go build -o .mikrocloud/server .
    server in ``: .mikrocloud/server
    ");
    assert!(plan(&[("index.html", ""), ("server.py", "print(1)")]).starts_with("Static HTML"));
}

#[test]
fn a_start_script_is_a_server_unless_it_is_a_tool() {
    let page = ("index.html", "");
    assert_eq!(
        result(&[
            ("package.json", &package("vite", "build=vite build,start=NODE_ENV=production node server.js")),
            ("server.js", ""),
            page
        ]),
        "server in ``: NODE_ENV=production npm run start"
    );
    assert_eq!(
        result(&[(
            "package.json",
            &package("@react-router/dev", "build=react-router build,start=react-router-serve ./build/server/index.js")
        )]),
        "server in ``: NODE_ENV=production npm run start"
    );
    insta::assert_snapshot!(plan(&[("package.json", &package("vite", "start=tsx src/server.ts,test=vitest")), ("src/server.ts", "")]), @"
    Node.js (package.json has the script `start`)
    $ npm install --include=dev --no-audit --no-fund --loglevel=error
    server in ``: NODE_ENV=production npm run start
    ");
    assert_eq!(
        result(&[("package.json", &package("next", "start=node server.js,build=next build"))]),
        "server in ``: NODE_ENV=production node server.js"
    );
    assert!(result(&[("package.json", &package("next", "start=next start,build=next build"))]).contains("next start -p $PORT"));
    let angular = package("@angular/core", "start=ng serve,build=ng build");
    assert_eq!(result(&[("package.json", &angular), ("angular.json", "{}")]), "static in `dist`");
    for tool in [
        "vite",
        "vite preview",
        "react-scripts start",
        "gatsby develop",
        "docusaurus start",
        "webpack serve",
        "serve -s dist",
        "npx http-server",
        "astro dev",
        "vue-cli-service serve --open",
        "cross-env A=1 webpack-dev-server",
        "npm run build && serve dist",
        "npm run dev",
    ] {
        let scripts = format!("build=x --to dist,dev=vite,start={tool}");
        assert_eq!(result(&[("package.json", &package("react", &scripts))]), "static in `dist`", "{tool}");
    }
    let nest = package("@nestjs/core", "build=nest build,start=nest start,start:prod=node dist/main");
    assert_eq!(result(&[("package.json", &nest)]), "server in ``: NODE_ENV=production node dist/main");
}

#[test]
fn results_are_named_by_framework_and_script_and_may_be_others() {
    let nuxt = package("nuxt", "build=nuxt build,generate=nuxt generate");
    assert_eq!(result(&[("package.json", &nuxt)]), "server in ``: NODE_ENV=production node .output/server/index.mjs");
    insta::assert_snapshot!(plan(&[("package.json", &nuxt), ("mikrocloud.toml", "[project]\nkind = 'static'")]), @"
    Nuxt (package.json lists `nuxt`, whose pages are generated)
    $ npm install --include=dev --no-audit --no-fund --loglevel=error
    $ npm run generate
    static in `.output/public`
    ");
    let hexo = package("hexo", "build=hexo generate,server=hexo server");
    assert_eq!(result(&[("package.json", &hexo), ("_config.yml", ""), ("source/a.md", "")]), "static in `public`");
    let config = "export default { root: 'src', build: { outDir: '../public_html' } }";
    assert_eq!(
        result(&[("package.json", &package("vite", "build=vite build")), ("vite.config.js", config)]),
        "static in `public_html`"
    );
    assert!(
        plan(&[("package.json", &package("vitepress", "docs:build=vitepress build docs"))]).contains("$ npm run docs:build\n")
    );
    let of = |files: &[(&str, &str)]| detect(&memory(files), &Manifest::default()).unwrap();
    let export = of(&[
        ("package.json", &package("next", "build=next build")),
        ("next.config.js", "module.exports = { output: process.env.X ? 'export' : undefined }"),
    ]);
    assert_eq!(export.alternatives[0].evidence, "out/index.html");
    let built = of(&[("package.json", &package("", "build=make")), ("index.html", "")]);
    assert!(built.is_guess && built.alternatives.iter().any(|other| other.evidence == ".output/server/index.mjs"));
}

#[test]
fn the_package_manager_is_the_one_that_the_project_names() {
    let named = |manager: &str| with(&format!(r#""packageManager": "{manager}""#), "build=pnpm -r build");
    let workspace = ("pnpm-workspace.yaml", "");
    let member = package("next", "");
    let member = ("apps/web/package.json", member.as_str());
    insta::assert_snapshot!(first_step(&[("package.json", &named("pnpm@9.15.9")), workspace, ("pnpm-lock.yaml", ""), member]), @"$ pnpm install --frozen-lockfile --prod=false --reporter=append-only");
    insta::assert_snapshot!(first_step(&[("package.json", &named("pnpm@9.15.9+sha512.x")), workspace]), @"$ pnpm install --no-frozen-lockfile --prod=false --reporter=append-only");
    let dependencies = r#""dependencies": {"a": "1"}, "packageManager": "npm@10""#;
    let text = format!("{{{dependencies}}}");
    insta::assert_snapshot!(plan(&[("package.json", &text), ("package-lock.json", ""), ("yarn.lock", ""), ("index.js", "")]), @"
    Node.js (there is package.json and index.js)
    $ npm ci --include=dev --no-audit --no-fund --loglevel=error
    server in ``: NODE_ENV=production node index.js
    ");
    insta::assert_snapshot!(first_step(&[("package.json", &package("a", "build=x")), ("yarn.lock", "__metadata:\n  version: 8\n")]), @"$ YARN_NODE_LINKER=node-modules yarn install --immutable");
    for lock in ["bun.lock", "bun.lockb"] {
        assert_eq!(first_step(&[("package.json", &package("a", "build=x")), (lock, "")]), "$ bun install --frozen-lockfile");
    }
    let mut tree = memory(&[("package.json", &package("a", "build=bun run x.ts"))]);
    tree.missing = vec!["bun"];
    insta::assert_snapshot!(show(&tree), @"
    Node.js site (package.json has the script `build`, taken to write dist/)
    $ npm install --prefix .mikrocloud/tools --no-save --global=false --no-audit --no-fund --loglevel=error bun@latest
    $ npm install --include=dev --no-audit --no-fund --loglevel=error
    $ npm run build
    static in `dist`
    ");
    let mut without_npm = memory(&[("package.json", &package("a", "build=x"))]);
    without_npm.missing = vec!["npm", "node"];
    assert!(show(&without_npm).starts_with("TOOLCHAIN_MISSING: Node.js site needs the program `npm`"));
}

#[test]
fn a_version_of_node_that_the_machine_does_not_have_is_installed_and_said() {
    let on_20 = |files: &[(&str, &str)]| {
        let tree = Memory { versions: vec![("node", "20.20.2")], ..memory(files) };
        detect(&tree, &Manifest::default()).unwrap()
    };
    let engines = with(r#""engines": {"node": ">=24"}"#, "start=node s.js");
    let plan = on_20(&[("package.json", &engines)]);
    assert_eq!(plan.steps[0].command.last().unwrap(), "node@24");
    assert_eq!(
        plan.notes[0],
        "package.json (engines) asks for Node >=24, and this machine has 20.20.2: Node 24 is installed for this project"
    );
    assert!(plan.path.contains(&".mikrocloud/tools/node_modules/.bin".to_owned()));
    for (file, text, tool) in [
        (".nvmrc", "v22\n", Some("node@22")),
        (".nvmrc", "lts/jod", Some("node@22")),
        (".node-version", "22.1.0", Some("node@22.1.0")),
        (".tool-versions", "python 3.12\nnodejs 24.1.0\n", Some("node@24.1.0")),
        (".nvmrc", "20", None),
        (".nvmrc", "lts/iron", None),
        (".nvmrc", "node", None),
        (".nvmrc", "\n", None),
    ] {
        let plan = on_20(&[("package.json", &package("", "start=node s.js")), (file, text)]);
        let installed = plan.steps.first().and_then(|step| step.command.last()).map(String::as_str);
        assert_eq!(installed, tool, "{file}: {text}");
    }
    let strange = on_20(&[("package.json", &with(r#""engines": {"node": "whatever you like"}"#, "start=node s.js"))]);
    assert!(
        strange.steps.is_empty() && strange.notes[0].ends_with("which is no version: Node 20.20.2 is used"),
        "{:?}",
        strange.notes
    );
}

#[test]
fn python_packages_are_read_from_every_list() {
    let api = ("main.py", "app = FastAPI()");
    insta::assert_snapshot!(plan(&[("requirements.txt", "-r requirements/prod.txt"), ("requirements/prod.txt", "fastapi"), api]), @"
    FastAPI (there is requirements.txt, and main.py has the application `app`)
    $ python3 -m pip install --disable-pip-version-check --no-input --progress-bar=off --root-user-action=ignore --no-warn-conflicts --upgrade --target .mikrocloud/python -r requirements.txt uvicorn
    server in ``: PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=.mikrocloud/python python3 -m uvicorn main:app --host 127.0.0.1 --port $PORT
    ");
    let flask = ("app.py", "app = Flask(__name__)");
    insta::assert_snapshot!(plan(&[("Pipfile", "[packages]\nflask = \"*\"\nredis = {version = \"~=5.0\", extras = [\"hiredis\"]}\n"), ("Pipfile.lock", r#"{"default": {"flask": {"version": "==3.0.1"}}}"#), flask]), @"
    Flask (there is Pipfile, and app.py has the application `app`)
    $ python3 -m pip install --disable-pip-version-check --no-input --progress-bar=off --root-user-action=ignore --no-warn-conflicts --upgrade --target .mikrocloud/python -r .mikrocloud/requirements.txt -c .mikrocloud/constraints.txt gunicorn
    server in ``: PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=.mikrocloud/python python3 -m gunicorn --bind 127.0.0.1:$PORT --threads 8 app:app
    ");
    let poetry = "[tool.poetry]\npackage-mode = false\n[tool.poetry.dependencies]\npython = \"^3.11\"\nfastapi = \"^0.115\"\nhttpx = {version = \"^1.2\", optional = true}\n";
    insta::assert_snapshot!(plan(&[("pyproject.toml", poetry), api]), @"
    FastAPI (there is pyproject.toml, and main.py has the application `app`)
    $ python3 -m pip install --disable-pip-version-check --no-input --progress-bar=off --root-user-action=ignore --no-warn-conflicts --upgrade --target .mikrocloud/python -r .mikrocloud/requirements.txt uvicorn
    server in ``: PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=.mikrocloud/python python3 -m uvicorn main:app --host 127.0.0.1 --port $PORT
    ");
    let of = |files: &[(&str, &str)]| detect(&memory(files), &Manifest::default()).unwrap();
    let lock = "[[package]]\nname = \"fastapi\"\nversion = \"0.115.2\"\n[[package]]\nname = \"two\"\nversion = \"1\"\n[[package]]\nname = \"two\"\nversion = \"2\"\n\
                [[package]]\nname = \"own\"\nversion = \"1\"\nsource = { type = \"git\", url = \"x\" }\n";
    let text = |plan: &BuildPlan, path: &str| {
        plan.files.iter().find(|file| file.path == path).map(|file| file.text.clone()).unwrap_or_default()
    };
    let locked = of(&[("pyproject.toml", poetry), ("poetry.lock", lock), api]);
    assert_eq!(text(&locked, ".mikrocloud/requirements.txt"), "fastapi>=0.115,<0.116\n");
    assert_eq!(text(&locked, ".mikrocloud/constraints.txt"), "fastapi==0.115.2\n");
    let editable = of(&[
        ("requirements.txt", "-e .\n-r more.txt  # too\n--index-url https://example.org\n"),
        ("more.txt", "flask==3 \\\n  --hash=x\n-c limits.txt"),
        flask,
    ]);
    assert_eq!(
        text(&editable, ".mikrocloud/requirements.txt"),
        ".\nflask==3    --hash=x\n-c limits.txt\n--index-url https://example.org\n"
    );
    assert!(
        text(&editable, ".mikrocloud/python/sitecustomize.py").contains("getsitepackages"),
        "the machine's packages are kept out"
    );
    let dynamic = of(&[
        ("pyproject.toml", "[project]\nname = 'x'\ndynamic = ['dependencies']"),
        ("setup.py", "install_requires=['flask']"),
        flask,
    ]);
    assert!(dynamic.steps[0].command.contains(&".".to_owned()));
    for (version, wanted) in [
        ("^1.2.3", ">=1.2.3,<2"),
        ("^0.115", ">=0.115,<0.116"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1", ">=1,<2"),
        ("1.2", "==1.2"),
        (">=1,<3", ">=1,<3"),
        ("~=1.4", "~=1.4"),
        ("1 || 2", ""),
    ] {
        let pyproject = format!("[tool.poetry.dependencies]\nfastapi = \"{version}\"\n");
        assert_eq!(
            text(&of(&[("pyproject.toml", &pyproject), api]), ".mikrocloud/requirements.txt"),
            format!("fastapi{wanted}\n"),
            "{version}"
        );
    }
}

#[test]
fn a_python_application_is_found_in_a_package_or_its_absence_is_said() {
    let pyproject = ("pyproject.toml", "[project]\nname = 'flaskr'\ndependencies = ['flask']");
    assert!(
        result(&[pyproject, ("flaskr/__init__.py", "def create_app(test_config=None):\n")])
            .ends_with("gunicorn --bind 127.0.0.1:$PORT --threads 8 flaskr:create_app()")
    );
    assert!(result(&[pyproject, ("js_example/__init__.py", "app = Flask(__name__)")]).ends_with(" js_example:app"));
    let api = ("pyproject.toml", "[project]\nname = 'shop'\ndependencies = ['fastapi', 'uvicorn']");
    let factory = result(&[api, ("src/shop/main.py", "def create_app() -> FastAPI:\n")]);
    assert!(
        factory.contains("PYTHONPATH=.mikrocloud/python:src")
            && factory.ends_with("uvicorn shop.main:create_app --host 127.0.0.1 --port $PORT --factory"),
        "{factory}"
    );
    let unknown = plan(&[pyproject, ("tool.py", "")]);
    assert!(unknown.starts_with("START_UNKNOWN: there is pyproject.toml, but no application"), "{unknown}");
    let asgi = result(&[("requirements.txt", "litestar\nhypercorn"), ("app.py", "app = Litestar([])")]);
    assert!(asgi.ends_with("python3 -m hypercorn --bind 127.0.0.1:$PORT app:app"), "{asgi}");
    let page = result(&[("requirements.txt", "streamlit"), ("dashboard.py", "import streamlit as st")]);
    assert!(page.contains("streamlit run dashboard.py --server.port $PORT"), "{page}");
}

#[test]
fn a_procfile_is_run_as_it_is_for_every_language() {
    let python = [("requirements.txt", "uvicorn\nfastapi"), ("main.py", "app = FastAPI()")];
    let of = |line: &str| {
        let files = [python[0], python[1], ("Procfile", line)];
        let tree = memory(&files);
        match detect(&tree, &Manifest::default()).unwrap().workload {
            WorkloadSpec::Server(server) => server.command,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(of("web: uvicorn main:app --port $PORT"), ["python3", "-m", "uvicorn", "main:app", "--port", "$PORT"]);
    assert_eq!(of("web: uvicorn main:app --port ${PORT:-8000}"), ["sh", "-c", "uvicorn main:app --port ${PORT:-8000}"]);
    assert_eq!(of("web: python init.py && gunicorn s:app"), ["sh", "-c", "python init.py && gunicorn s:app"]);
    assert_eq!(of("web:sh start.sh"), ["sh", "start.sh"]);
    assert_eq!(of("worker: x\nweb : A=1 gunicorn s:app"), ["sh", "-c", "A=1 gunicorn s:app"]);
    let node = result(&[("package.json", &package("express", "start=node other.js")), ("Procfile", "web: node lib/boot.js")]);
    assert_eq!(node, "server in ``: NODE_ENV=production node lib/boot.js");
    let go = plan(&[
        ("go.mod", ""),
        ("cmd/a/main.go", "package main"),
        ("cmd/b/main.go", "package main"),
        ("Procfile", "web: bin/a --listen :$PORT"),
    ]);
    assert!(go.contains("$ go build -o bin/ ./...\n") && go.ends_with("server in ``: bin/a --listen :$PORT"), "{go}");
    assert_eq!(result(&[("Procfile", "web: ./run"), ("run", "")]), "server in ``: ./run");
}

#[test]
fn a_module_is_a_function_when_it_answers_requests() {
    let page = ("index.html", "");
    let found = plan(&[page, ("functions/api/hello.js", "export async function onRequestGet() {}")]);
    assert!(
        found.starts_with("FUNCTION_UNKNOWN: `functions/api/hello.js` exports functions by the names of another host"),
        "{found}"
    );
    let helper = plan(&[
        page,
        ("main.js", "import f from './functions/format.js'"),
        ("functions/format.js", "export default function format(x) {}"),
    ]);
    assert!(helper.starts_with("Static HTML"), "{helper}");
}

#[test]
fn a_subdirectory_is_built_with_its_workspace() {
    let web =
        with(r#""name": "@shop/web""#, "build=vite build").replace(r#""dependencies": {}"#, r#""dependencies": {"vite": "7"}"#);
    let files = |manifest: &'static str| {
        vec![
            ("package.json".to_owned(), r#"{"packageManager": "pnpm@9.1.0"}"#.to_owned()),
            ("pnpm-workspace.yaml".to_owned(), String::new()),
            ("pnpm-lock.yaml".to_owned(), String::new()),
            ("apps/web/package.json".to_owned(), web.clone()),
            ("apps/web/index.html".to_owned(), String::new()),
            ("apps/api/package.json".to_owned(), package("express", "start=node server.js")),
            ("mikrocloud.toml".to_owned(), manifest.to_owned()),
        ]
    };
    let of = |manifest: &'static str, asked: Option<&str>| {
        let tree = Memory { files: files(manifest).into_iter().collect(), ..Memory::default() };
        let manifest = read_manifest(&tree, asked).unwrap();
        detect(&tree, &manifest).unwrap()
    };
    let site = of("[build]\ndirectory = 'apps/web'", None);
    let steps: Vec<_> = site.steps.iter().map(|step| (step.directory.as_str(), step.command.join(" "))).collect();
    insta::assert_snapshot!(format!("{steps:?}"), @r#"[("", "pnpm install --frozen-lockfile --prod=false --reporter=append-only"), ("", "pnpm --filter @shop/web... run --if-present build")]"#);
    assert_eq!((site.output.as_str(), site.reason.as_str()), ("apps/web/dist", "in apps/web: package.json lists `vite`"));
    let api = of("[build]\ndirectory = 'apps/web'", Some("./apps/api/"));
    let WorkloadSpec::Server(server) = &api.workload else { panic!("{api:?}") };
    assert_eq!(
        (api.output.as_str(), server.directory.as_str()),
        ("", "apps/api"),
        "packages of the workspace may be anywhere in it"
    );
    assert!(server.path.contains(&"apps/api/node_modules/.bin".to_owned()));

    let alone = [
        ("frontend/package.json", package("vite", "build=vite build")),
        ("frontend/index.html", String::new()),
        ("backend/go.mod", String::new()),
    ];
    let alone: Vec<(&str, &str)> = alone.iter().map(|(name, text)| (*name, text.as_str())).collect();
    insta::assert_snapshot!(plan(&alone), @r#"NOTHING_DETECTED: nothing that can be built was found: backend has go.mod, frontend has package.json; deploy one of them with --directory backend, or [build] directory = "backend". Say what it is in mikrocloud.toml: [build] output = "site" for a directory of files, or [container] command = "./server --port $PORT" for a program"#);
    let absent = [alone[0], ("mikrocloud.toml", "[build]\ndirectory = 'front'")];
    insta::assert_snapshot!(plan(&absent), @"DIRECTORY_MISSING: build.directory: there is no directory `front` (there are: frontend): correct it, or leave it out");
    let own = Memory {
        files: [("a/mikrocloud.toml".to_owned(), "[build]\noutput = 'x'".to_owned()), ("a/index.html".to_owned(), String::new())]
            .into(),
        ..Memory::default()
    };
    assert_eq!(detect(&own, &read_manifest(&own, Some("a")).unwrap()).unwrap().output, "a/x");
    assert!(
        read_manifest(&own, Some("../a"))
            .unwrap_err()
            .to_string()
            .contains("build.directory: name a directory inside the project")
    );
}

#[test]
fn other_languages_are_built_by_their_usual_tools() {
    insta::assert_snapshot!(plan(&[("composer.json", "{}"), ("artisan", ""), ("public/index.php", ""), ("package.json", &package("vite", "build=vite build"))]), @"
    Laravel (there is composer.json)
    $ composer install --no-dev --no-interaction --no-progress --prefer-dist --optimize-autoloader
    $ npm install --include=dev --no-audit --no-fund --loglevel=error
    $ npm run build
    server in ``: PHP_CLI_SERVER_WORKERS=4 APP_ENV=production php artisan serve --host=127.0.0.1 --port=$PORT --no-reload
    ");
    insta::assert_snapshot!(plan(&[("index.php", ""), ("wp-config.php", "")]), @"
    PHP (there is index.php)
    server in ``: PHP_CLI_SERVER_WORKERS=4 APP_ENV=production php -S 127.0.0.1:$PORT -t . .mikrocloud/router.php
    ");
    insta::assert_snapshot!(plan(&[("Gemfile", "gem 'puma'\n"), ("config.ru", ""), ("Gemfile.lock", "")]), @"
    Ruby (there is Gemfile with puma, and config.ru)
    $ BUNDLE_PATH=.mikrocloud/ruby BUNDLE_WITHOUT=development:test BUNDLE_FROZEN=1 bundle install --jobs 4
    server in ``: BUNDLE_PATH=.mikrocloud/ruby BUNDLE_WITHOUT=development:test RACK_ENV=production APP_ENV=production RAILS_ENV=production RAILS_LOG_TO_STDOUT=1 RAILS_SERVE_STATIC_FILES=1 bundle exec puma --bind tcp://127.0.0.1:$PORT
    ");
    insta::assert_snapshot!(plan(&[("Gemfile", "  gem \"jekyll\", '~> 4'\n"), ("_config.yml", ""), ("index.html", "{{ x }}")]), @"
    Jekyll (Gemfile lists jekyll)
    $ BUNDLE_PATH=.mikrocloud/ruby BUNDLE_WITHOUT=development:test bundle install --jobs 4
    $ BUNDLE_PATH=.mikrocloud/ruby BUNDLE_WITHOUT=development:test bundle exec jekyll build
    static in `_site`
    ");
    insta::assert_snapshot!(plan(&[("pom.xml", ""), ("mvnw", "")]), @"
    Java (there is pom.xml)
    $ sh mvnw --batch-mode --no-transfer-progress -DskipTests package
    server in ``: sh .mikrocloud/start-java.sh
    ");
    insta::assert_snapshot!(plan(&[("deno.json", r#"{"tasks": {"start": "deno run -A main.ts"}}"#), ("main.ts", "")]), @r#"
    Deno (deno.json has the task `start`)
    $ DENO_DIR=.mikrocloud/deno deno cache main.ts
    server in ``: DENO_DIR=.mikrocloud/deno env DENO_SERVE_ADDRESS=tcp:127.0.0.1:$PORT deno task start
    "#);
    insta::assert_snapshot!(plan(&[("mkdocs.yml", "theme:\n  name: material\n"), ("docs/index.md", "")]), @"
    MkDocs (there is mkdocs.yml)
    $ python3 -m pip install --disable-pip-version-check --no-input --progress-bar=off --root-user-action=ignore --no-warn-conflicts --upgrade --target .mikrocloud/python mkdocs-material
    $ PYTHONPATH=.mikrocloud/python python3 -m mkdocs build --site-dir site
    static in `site`
    ");
    insta::assert_snapshot!(plan(&[("hugo.toml", ""), ("content/a.md", "")]), @"
    Hugo (there is hugo.toml)
    $ hugo --minify
    static in `public`
    ");
    let mut tree = memory(&[("composer.json", "{}"), ("index.php", "")]);
    tree.missing = vec!["composer"];
    insta::assert_snapshot!(show(&tree), @"TOOLCHAIN_MISSING: PHP needs the program `composer`, which is not on this machine: install Composer (on Debian: apt install composer; https://getcomposer.org)");
}
