//! The projects in `tests/fixtures` are what detection takes them for.

use std::path::Path;

use domain::detect::detect;
use domain::manifest::Manifest;
use sources::DirectoryTree;

#[test]
fn every_fixture_is_detected() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    let found: Vec<String> = ["function", "node-server", "python-server", "static", "vite"]
        .into_iter()
        .map(|name| {
            let tree = DirectoryTree::open(&fixtures.join(name)).unwrap();
            let plan = detect(&tree, &Manifest::default()).unwrap();
            format!("{name}: {} ({}), {} in `{}`", plan.framework, plan.reason, plan.workload.kind(), plan.output)
        })
        .collect();
    insta::assert_snapshot!(found.join("\n"), @r"
    function: Functions (there is functions/ with 2 functions), functions in ``
    node-server: Node.js (package.json has the script `start`), server in ``
    python-server: Python (there is requirements.txt, and main.py is started), server in ``
    static: Static HTML (there is index.html), static in ``
    vite: Vite (package.json lists `vite`), static in `dist`
    ");
}
