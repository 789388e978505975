//! From a fetched commit to plain files.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use walkdir::WalkDir;

use super::SourceError;
use super::command::Git;

/// Prefix of a Git LFS pointer file, and its maximum size, bytes (its specification, "The Pointer").
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";
const LFS_POINTER_BYTES: u64 = 1024;

/// Writes the commit's files and those of its submodules.
pub(super) async fn checkout(git: &Git, commit: &str) -> Result<(), SourceError> {
    git.run(&["checkout", "--quiet", "--force", "--detach", commit]).await?;
    if !git.target.join(".gitmodules").is_file() {
        return Ok(());
    }
    let update = ["submodule", "--quiet", "update", "--init", "--recursive"];
    let shallow = git.try_run(&[&update[..], &["--depth", "1"]].concat()).await?;
    if !shallow.success {
        // Not every server gives a commit without its history; a true cause shows up a second time.
        git.run(&update).await?;
    }
    Ok(())
}

/// Takes Git's own files away and refuses what cannot be built: nothing at all, or files kept in Git LFS.
pub(super) fn finish(target: &Path, repository: &str) -> Result<(), SourceError> {
    let mut files = 0_u64;
    let mut walk = WalkDir::new(target).into_iter();
    while let Some(entry) = walk.next() {
        let entry = entry.map_err(|error| SourceError::io(error.into()))?;
        if entry.file_name() == ".git" {
            if entry.file_type().is_dir() {
                walk.skip_current_dir();
                fs::remove_dir_all(entry.path()).map_err(SourceError::io)?;
            } else {
                fs::remove_file(entry.path()).map_err(SourceError::io)?;
            }
        } else if !entry.file_type().is_dir() {
            files += 1;
            if entry.file_type().is_file() && uses_lfs(entry.path()).map_err(SourceError::io)? {
                let name = entry.path().strip_prefix(target).unwrap_or(entry.path());
                return Err(SourceError::Lfs(name.display().to_string()));
            }
        }
    }
    if files == 0 { Err(SourceError::Empty(repository.to_owned())) } else { Ok(()) }
}

fn uses_lfs(file: &Path) -> io::Result<bool> {
    if file.file_name().is_some_and(|name| name == ".gitattributes") {
        let text = fs::read(file)?;
        let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.starts_with(b"#"));
        return Ok(lines.into_iter().any(|line| line.split(u8::is_ascii_whitespace).any(|word| word == b"filter=lfs")));
    }
    if file.symlink_metadata()?.len() > LFS_POINTER_BYTES {
        return Ok(false);
    }
    let mut start = Vec::new();
    fs::File::open(file)?.take(LFS_POINTER.len() as u64).read_to_end(&mut start)?;
    Ok(start == LFS_POINTER)
}
