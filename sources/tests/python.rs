//! Python programs of a project see its packages, and none of the machine's.

use std::path::Path;
use std::process::Command;

use domain::detect::detect;
use domain::manifest::Manifest;
use sources::DirectoryTree;

#[test]
fn the_machines_packages_are_not_seen() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    std::fs::write(root.join("requirements.txt"), "flask").unwrap();
    std::fs::write(root.join("app.py"), "app = Flask(__name__)").unwrap();
    let plan = detect(&DirectoryTree::open(root).unwrap(), &Manifest::default()).unwrap();
    for file in &plan.files {
        std::fs::create_dir_all(root.join(&file.path).parent().unwrap()).unwrap();
        std::fs::write(root.join(&file.path), &file.text).unwrap();
    }
    // Installed, with a path of its own as editable packages and namespaces have it.
    let packages = root.join(".mikrocloud/python");
    std::fs::create_dir(packages.join("further")).unwrap();
    std::fs::write(packages.join("own.py"), "").unwrap();
    std::fs::write(packages.join("further/more.py"), "").unwrap();
    std::fs::write(packages.join("further.pth"), "further\n").unwrap();
    assert!(imports(root, "import own, more, json"));
    assert!(!imports(root, "import pip"));
    assert!(imports(Path::new("/"), "import pip"), "the machine has it");
}

fn imports(directory: &Path, line: &str) -> bool {
    let mut python = Command::new("python3");
    if directory != Path::new("/") {
        python.env("PYTHONPATH", ".mikrocloud/python");
    }
    python.args(["-c", line]).current_dir(directory).output().is_ok_and(|output| output.status.success())
}
