//! Caches that frameworks keep inside of the project from one build to the next: moved in before a build, and out of the artifact
//! after it.

use std::fs;
use std::io;
use std::path::Path;

/// The directories, and under which name they are kept.
const DIRECTORIES: &[(&str, &str, &str)] =
    &[("node_modules", ".cache", "node-modules-cache"), (".next", "cache", "next-cache"), (".nuxt", "cache", "nuxt-cache")];

/// The largest that is kept, bytes.
const KEPT_BYTES: u64 = 1 << 30;

/// Moves what was kept into the project. Two builds at once: one gets it, the other starts afresh.
pub(super) fn restore(project: &Path, cache: &Path) -> io::Result<()> {
    for (parent, name, kept) in DIRECTORIES {
        let (parent, kept) = (project.join(parent), cache.join(kept));
        if !kept.is_dir() {
            continue;
        }
        // An install replaces its directory whole; the others are made by the build itself.
        if *name == ".cache" && !parent.exists() {
            continue;
        }
        if !parent.exists() {
            fs::create_dir(&parent)?;
        }
        if is_directory(&parent) && parent.join(name).symlink_metadata().is_err() {
            ignore_missing(fs::rename(kept, parent.join(name)))?;
        }
    }
    Ok(())
}

/// Moves what shall be kept out of the project.
pub(super) fn keep(project: &Path, cache: &Path) -> io::Result<()> {
    for (parent, name, kept) in DIRECTORIES {
        let (parent, kept) = (project.join(parent), cache.join(kept));
        let made = parent.join(name);
        if !is_directory(&parent) || !is_directory(&made) {
            continue;
        }
        if super::watch::size(&[&made], KEPT_BYTES) > KEPT_BYTES || kept.exists() {
            fs::remove_dir_all(&made)?;
        } else {
            fs::rename(made, kept)?;
        }
    }
    Ok(())
}

/// A directory itself, and not a link to one: a project's links lead where it likes.
fn is_directory(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|meta| meta.is_dir())
}

fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_goes_from_build_to_build_and_never_through_a_link() {
        let (cache, first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir_all(first.path().join(".next/cache")).unwrap();
        fs::write(first.path().join(".next/cache/a"), "kept").unwrap();
        keep(first.path(), cache.path()).unwrap();
        assert!(!first.path().join(".next/cache").exists());

        let outside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), second.path().join(".next")).unwrap();
        restore(second.path(), cache.path()).unwrap();
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
        fs::create_dir(outside.path().join("cache")).unwrap();
        keep(second.path(), cache.path()).unwrap();
        assert!(outside.path().join("cache").exists());

        fs::remove_file(second.path().join(".next")).unwrap();
        restore(second.path(), cache.path()).unwrap();
        assert_eq!(fs::read_to_string(second.path().join(".next/cache/a")).unwrap(), "kept");
    }
}
