//! The program that simulates AWS, <https://docs.getmoto.org>.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::test_tool;

/// Writes a program that starts moto into a directory. `None` where moto is not installed, which is said on standard error.
///
/// # Panics
/// When it cannot be written, and under `CI=true` also when moto is not installed.
pub fn moto_server(directory: &Path) -> Option<PathBuf> {
    let packages = test_tool("moto")?;
    let program = directory.join("moto_server");
    let start = "from moto.server import main; main()";
    let text = format!("#!/bin/sh\nPYTHONPATH='{}' exec python3 -c '{start}' \"$@\"\n", packages.display());
    let written = std::fs::write(&program, text);
    let written = written.and_then(|()| std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)));
    written.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    Some(program)
}
