//! Unpacks the application layer of an image.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;

/// Directory of the application within the layer.
const PREFIX: &str = "app";

/// First bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Unpacks what a layer has below `app/` into a directory that must not exist yet.
pub(super) fn unpack(layer: &Path, target: &Path) -> io::Result<()> {
    let parent = target.parent().ok_or_else(|| io::Error::other("the directory has no parent"))?;
    fs::create_dir_all(parent)?;
    let temporary = tempfile::tempdir_in(parent)?;
    let root = temporary.path().join("files");
    fs::create_dir(&root)?;
    let mut file = fs::File::open(layer)?;
    let mut magic = [0; 2];
    let is_gzip = file.read_exact(&mut magic).is_ok() && magic == GZIP;
    let file = fs::File::open(layer)?;
    if is_gzip {
        entries(GzDecoder::new(file), &root)?;
    } else {
        entries(file, &root)?;
    }
    fs::rename(root, target)
}

fn entries(reader: impl Read, root: &Path) -> io::Result<()> {
    for entry in tar::Archive::new(reader).entries()? {
        let mut entry = entry?;
        let Some(path) = within(&entry.path()?) else { continue };
        let target = root.join(&path);
        match entry.header().entry_type() {
            tar::EntryType::Directory => fs::create_dir_all(&target)?,
            tar::EntryType::Link => {
                let from = entry.link_name()?.and_then(|name| within(&name));
                let from = from.ok_or_else(|| io::Error::other(format!("{} links outside of the layer", path.display())))?;
                fs::hard_link(root.join(from), &target)?;
            }
            _ => {
                if let Some(parent) = target.parent() {
                    fs::create_dir_all(parent)?;
                }
                entry.unpack(&target)?;
            }
        }
    }
    Ok(())
}

/// The path below `app/`; `None` for what is elsewhere or leaves it.
fn within(path: &Path) -> Option<PathBuf> {
    let mut parts = path.components().filter(|part| !matches!(part, Component::CurDir | Component::RootDir));
    if parts.next()? != Component::Normal(PREFIX.as_ref()) {
        return None;
    }
    let rest: PathBuf = parts.clone().collect();
    let is_inside = parts.all(|part| matches!(part, Component::Normal(_)));
    (is_inside && !rest.as_os_str().is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_application_are_unpacked_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        for (path, content) in [("app/server.js", "x"), ("./app/a/b.txt", "y"), ("etc/passwd", "z")] {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, path, content.as_bytes()).unwrap();
        }
        let bytes = builder.into_inner().unwrap().finish().unwrap();
        let layer = directory.path().join("layer");
        fs::write(&layer, bytes).unwrap();
        let target = directory.path().join("out/files");
        unpack(&layer, &target).unwrap();
        assert_eq!(fs::read_to_string(target.join("server.js")).unwrap(), "x");
        assert_eq!(fs::read_to_string(target.join("a/b.txt")).unwrap(), "y");
        assert!(!target.join("passwd").exists() && !target.join("etc").exists());
    }

    #[test]
    fn paths_that_leave_the_application_are_skipped() {
        for (path, expected) in [("app/../x", None), ("app", None), ("x/app/y", None), ("/app/y", Some("y"))] {
            assert_eq!(within(Path::new(path)).as_deref(), expected.map(Path::new), "{path}");
        }
    }
}
