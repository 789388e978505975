//! Location of a build's result.

use std::path::{Path, PathBuf};

use clouds_contract::{CloudError, ErrorKind};

use super::failure;

/// The output directory, which is inside the project's even when links are followed.
pub(super) fn find(directory: &Path, output: &str) -> Result<PathBuf, CloudError> {
    let root = directory.canonicalize().map_err(|error| CloudError::internal("the build's directory is gone", error))?;
    let missing = |message: String| Err(failure(ErrorKind::Invalid, "OUTPUT_MISSING", message));
    let remedy = "name the directory of the result with [build] output in mikrocloud.toml";
    match root.join(output).canonicalize() {
        Ok(found) if !found.starts_with(&root) => missing(format!("the output `{output}` leads out of the project: {remedy}")),
        Ok(found) if found.is_dir() => Ok(found),
        Ok(_) => missing(format!("the output `{output}` is a file and no directory: {remedy}")),
        Err(_) => missing(format!("the build left no directory `{output}`{}: {remedy}", others(&root))),
    }
}

/// The directories that are there, to choose from.
fn others(root: &Path) -> String {
    let entries = std::fs::read_dir(root).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<String> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.') && name != "node_modules" && !name.contains(char::is_control))
        .collect();
    names.sort();
    names.truncate(8);
    if names.is_empty() { String::new() } else { format!(" (there are: {})", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_is_a_directory_inside() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("public/site")).unwrap();
        std::fs::write(root.join("file"), "").unwrap();
        std::os::unix::fs::symlink("/etc", root.join("leak")).unwrap();
        std::os::unix::fs::symlink("public/site", root.join("dist")).unwrap();
        assert_eq!(find(&root, "").unwrap(), root);
        assert_eq!(find(&root, "dist").unwrap(), root.join("public/site"));
        let message = |output: &str| find(&root, output).unwrap_err().message;
        insta::assert_snapshot!(message("build"), @"the build left no directory `build` (there are: public): name the directory of the result with [build] output in mikrocloud.toml");
        insta::assert_snapshot!(message("leak"), @"the output `leak` leads out of the project: name the directory of the result with [build] output in mikrocloud.toml");
        insta::assert_snapshot!(message("file"), @"the output `file` is a file and no directory: name the directory of the result with [build] output in mikrocloud.toml");
        insta::assert_snapshot!(message("../x"), @"the build left no directory `../x` (there are: public): name the directory of the result with [build] output in mikrocloud.toml");
    }
}
