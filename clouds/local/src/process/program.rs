//! Resolution of a program's name to a file.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use domain::secret::Secret;

/// The file to run for a program's name: searched in `path` (as `$PATH` is written), or relative to `directory` when the name has
/// a slash. `Err` says for a person why there is none.
pub fn find_program(name: &str, directory: &Path, path: &OsStr) -> Result<PathBuf, String> {
    if name.is_empty() {
        return Err("no program is named".to_owned());
    }
    if name.contains('/') {
        let file = directory.join(name);
        return match file.metadata() {
            Err(_) => Err(format!("there is no file `{name}`")),
            Ok(_) if is_executable(&file) => Ok(file),
            Ok(_) => Err(format!("`{name}` is not executable (chmod +x)")),
        };
    }
    let found = std::env::split_paths(path).filter(|entry| entry.is_absolute()).map(|entry| entry.join(name));
    found
        .into_iter()
        .find(|file| is_executable(file))
        .ok_or_else(|| format!("the program `{name}` is not installed on this machine"))
}

/// Returns true if a program of this name is on this machine's `PATH`.
pub fn has_program(name: &str) -> bool {
    find_program(name, Path::new("/"), &search_path()).is_ok()
}

/// The `PATH` that processes get when they set none of their own.
pub(super) fn search_path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into())
}

/// The value of `PATH` for a project whose own programs, in these directories of it, come before the machine's.
pub fn path_before(project: &Path, directories: &[String]) -> Secret {
    let own = directories.iter().map(|directory| project.join(directory));
    let machine = search_path();
    let all: Vec<PathBuf> = own.chain(std::env::split_paths(&machine)).collect();
    // A project in a directory with a `:` has no programs of its own.
    Secret::new(std::env::join_paths(all).unwrap_or(machine).to_string_lossy())
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_path_or_beside_the_project_and_else_the_reason_is_told() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("plain"), "").unwrap();
        let find = |name: &str| find_program(name, directory.path(), OsStr::new("/usr/bin:/bin"));
        assert!(find("sh").unwrap().is_absolute());
        assert_eq!(find("no-such-program").unwrap_err(), "the program `no-such-program` is not installed on this machine");
        assert_eq!(find("./plain").unwrap_err(), "`./plain` is not executable (chmod +x)");
        assert_eq!(find("./absent").unwrap_err(), "there is no file `./absent`");
        assert_eq!(find("").unwrap_err(), "no program is named");
    }
}
