//! Program that runs a function's file.

use std::path::Path;
use std::time::Duration;

use clouds_contract::CloudError;
use domain::secret::Secret;
use domain::workload::{Function, Runtime};
use tokio::io::AsyncReadExt as _;
use tokio::sync::OnceCell;

use crate::edge::instance::StartFailure;
use crate::process::{ProcessSpec, ProcessTree, has_program};

const NODE_SHIM: &str = include_str!("shims/node.mjs");
const PYTHON_SHIM: &str = include_str!("shims/python.py");

/// The directory of the shims, beside the function's files in its working directory.
const SHIM_DIRECTORY: &str = ".mikrocloud";

/// The command that serves a function from this working directory. Writes the shim there.
pub(super) async fn command(function: &Function, directory: &Path, marker: &str) -> Result<Vec<String>, StartFailure> {
    if !directory.join(&function.file).is_file() {
        return Err(failed(format!("the artifact has no file `{}` for the function {}", function.file, function.route)));
    }
    let (program, shim, text) = match function.runtime {
        Runtime::Node => ("node", "node.mjs", NODE_SHIM),
        Runtime::Python => ("python3", "python.py", PYTHON_SHIM),
    };
    if !has_program(program) {
        return Err(failed(format!(
            "`{program}` is not installed on this machine, but the function {} needs it",
            function.route
        )));
    }
    let shims = directory.join(SHIM_DIRECTORY);
    let file = shims.join(shim);
    let write = async {
        tokio::fs::create_dir_all(&shims).await?;
        // Renamed into place: another function of the set may be starting from it.
        let temporary = shims.join(format!(".{}-{shim}", marker.rsplit(':').next().unwrap_or("new")));
        tokio::fs::write(&temporary, text).await?;
        tokio::fs::rename(&temporary, &file).await
    };
    write.await.map_err(|error: std::io::Error| failed(format!("the function's runtime could not be written: {error}")))?;
    let mut command = vec![program.to_owned()];
    if function.runtime == Runtime::Node {
        command.extend(node_option(directory, marker).await);
    }
    command.extend([format!("{SHIM_DIRECTORY}/{shim}"), function.file.clone()]);
    Ok(command)
}

/// Variables that the function's runtime needs beside those of its environment.
pub(super) fn variables(function: &Function) -> Vec<(String, Secret)> {
    let (name, value) = match function.runtime {
        Runtime::Node => ("NODE_ENV", "production"),
        Runtime::Python => ("PYTHONUNBUFFERED", "1"),
    };
    vec![(name.to_owned(), Secret::new(value))]
}

fn failed(message: String) -> StartFailure {
    StartFailure::new("FUNCTION_FAILED", message)
}

/// The option by which Node takes `export` in a `.js` file without a package.json that says so: an option from 20.10 on, the
/// default from 22.7 on.
async fn node_option(directory: &Path, marker: &str) -> Option<String> {
    static OPTION: OnceCell<Option<String>> = OnceCell::const_new();
    let find = || async {
        let (major, minor) = node_version(directory, marker).await?;
        let needed = ((20, 10)..(22, 7)).contains(&(major, minor));
        needed.then(|| "--experimental-detect-module".to_owned())
    };
    OPTION.get_or_init(find).await.clone()
}

async fn node_version(directory: &Path, marker: &str) -> Option<(u32, u32)> {
    let spec = ProcessSpec {
        command: vec!["node".to_owned(), "--version".to_owned()],
        directory: directory.to_owned(),
        env: Vec::new(),
        marker: format!("{marker}-version"),
        input: None,
    };
    let text = tokio::time::timeout(Duration::from_secs(10), first_output(&spec)).await.ok()?.ok()?;
    parse_version(&text)
}

async fn first_output(spec: &ProcessSpec) -> Result<String, CloudError> {
    let mut tree = ProcessTree::spawn(spec)?;
    let mut text = String::new();
    if let Some((stdout, _stderr)) = tree.take_output() {
        let _ = stdout.take(100).read_to_string(&mut text).await;
    }
    tree.stop(Duration::from_secs(1)).await;
    Ok(text)
}

/// `v20.11.1` as 20 and 11.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().strip_prefix('v')?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node_are_read() {
        assert_eq!(parse_version("v20.11.1\n"), Some((20, 11)));
        assert_eq!(parse_version("garbage"), None);
    }
}
