//! Files that the plan adds to the source.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use clouds_contract::{CloudError, ErrorKind};
use domain::build::AddedFile;

use super::failure;

/// Writes the files. A link of the source that leads out of it is not followed.
pub(super) fn write(directory: &Path, files: &[AddedFile]) -> Result<(), CloudError> {
    for file in files {
        let written = write_one(directory, file);
        written.map_err(|error| {
            let message = format!("`{}` cannot be added to the source: {error}; remove what is in its place", file.path);
            failure(ErrorKind::Invalid, "SOURCE_INVALID", message)
        })?;
    }
    Ok(())
}

fn write_one(directory: &Path, file: &AddedFile) -> io::Result<()> {
    let root = directory.canonicalize()?;
    let path = root.join(&file.path);
    let parent = path.parent().unwrap_or(&root);
    // The nearest that is there decides where the others are made.
    let there = parent.ancestors().find(|ancestor| ancestor.symlink_metadata().is_ok()).unwrap_or(&root);
    if !there.canonicalize()?.starts_with(&root) {
        return Err(io::Error::other("a link leads out of the source"));
    }
    fs::create_dir_all(parent)?;
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let mut opened = fs::OpenOptions::new().write(true).create(true).truncate(true).custom_flags(flags).open(path)?;
    opened.write_all(file.text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_added_inside_of_the_source_alone() {
        let (outside, directory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = |path: &str| [AddedFile { path: path.to_owned(), text: "text".to_owned() }];
        write(directory.path(), &file(".mikrocloud/deep/a")).unwrap();
        assert_eq!(fs::read_to_string(directory.path().join(".mikrocloud/deep/a")).unwrap(), "text");
        std::os::unix::fs::symlink(outside.path(), directory.path().join("link")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("b"), directory.path().join("b")).unwrap();
        for path in ["link/a", "link/deep/a", "b"] {
            assert_eq!(write(directory.path(), &file(path)).unwrap_err().code, "SOURCE_INVALID", "{path}");
        }
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }
}
