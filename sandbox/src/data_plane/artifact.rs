//! Directories that the edge runs things from.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use domain::artifact::Digest;
use domain::workload::{Server, StaticSite, WorkloadSpec};

use super::caddy::{self, CaddySite};
use super::command::{LocalCommand, localize};
use super::image::Image;
use super::plan::{Source, Wanted};
use super::unpack::unpack;
use crate::world::{Blobs, digest_of};

/// Everything that the edge needs to run something.
pub(super) struct Prepared {
    pub artifact: Digest,
    pub directory: PathBuf,
    pub spec: WorkloadSpec,
    pub env: Vec<(String, String)>,
    /// A site that follows a configuration of Caddy.
    pub site: Option<CaddySite>,
}

/// Reason for which there is nothing to run.
pub(super) enum Unprepared {
    /// The sandbox cannot run it.
    NotRun(String),
    /// It is broken.
    Failed(String),
}

/// Makes the directory of something that is to run.
pub(super) fn prepare(blobs: &Blobs, directory: &Path, wanted: &Wanted) -> Result<Prepared, Unprepared> {
    match &wanted.source {
        Source::Elsewhere(image) => Err(Unprepared::NotRun(format!(
            "simulated: {image} is in no registry of the sandbox, which pulls nothing from outside; the image was accepted"
        ))),
        Source::Site(files) => {
            let mut prepared = site(blobs, directory, files).map_err(|error| Unprepared::Failed(error.to_string()))?;
            prepared.site = configured(blobs, files).map_err(|error| Unprepared::Failed(format!("simulated: {error}")))?;
            Ok(prepared)
        }
        Source::Image { digest, command, arguments } => {
            let image = Image::read(blobs, digest).map_err(Unprepared::Failed)?;
            let Some(layer) = image.layer.clone() else {
                return Err(Unprepared::NotRun(format!(
                    "simulated: no container engine on this machine; the image ({digest}) was accepted"
                )));
            };
            let command = if command.is_empty() {
                [image.entrypoint.clone(), chosen(arguments, &image.arguments)].concat()
            } else {
                [command.clone(), arguments.clone()].concat()
            };
            let env = merged(&image.env, &wanted.env);
            let local = localize(&command, &image.directory, &env, wanted.port);
            server(blobs, directory, &layer, wanted, local).map_err(|error| Unprepared::Failed(error.to_string()))
        }
    }
}

fn chosen(given: &[String], own: &[String]) -> Vec<String> {
    if given.is_empty() { own.to_vec() } else { given.to_vec() }
}

/// Variables of the image, and those of the revision in place of them.
fn merged(image: &[(String, String)], own: &[(String, String)]) -> Vec<(String, String)> {
    let inherited = image.iter().filter(|(name, _)| !own.iter().any(|(other, _)| other == name));
    inherited.chain(own).cloned().collect()
}

fn server(blobs: &Blobs, directory: &Path, layer: &str, wanted: &Wanted, local: LocalCommand) -> io::Result<Prepared> {
    let target = directory.join(layer);
    if !target.is_dir() {
        unpack(&blobs.path(layer), &target)?;
    }
    let artifact = layer.parse().map_err(io::Error::other)?;
    let server = Server {
        command: local.command,
        directory: local.directory,
        path: local.path,
        env: Vec::new(),
        port: None,
        health_path: wanted.health_path.clone(),
        replicas: wanted.replicas,
        memory_mib: wanted.memory_mib,
        cpu: 1.0,
        image: None,
    };
    Ok(Prepared { artifact, directory: target, spec: WorkloadSpec::Server(server), env: local.env, site: None })
}

/// The site with its Caddyfile, if it has one.
fn configured(blobs: &Blobs, files: &[(String, String)]) -> Result<Option<CaddySite>, String> {
    let Some((_, blob)) = files.iter().find(|(name, _)| name == caddy::FILE) else { return Ok(None) };
    let text = blobs.get(blob).map_err(|error| error.to_string())?;
    CaddySite::read(&String::from_utf8_lossy(&text), files).map(Some)
}

fn site(blobs: &Blobs, directory: &Path, files: &[(String, String)]) -> io::Result<Prepared> {
    let listing = files.iter().map(|(name, blob)| format!("{blob} {name}")).collect::<Vec<_>>().join("\n");
    let digest = digest_of(listing.as_bytes());
    let target = directory.join(&digest);
    if !target.is_dir() {
        fs::create_dir_all(directory)?;
        let temporary = tempfile::tempdir_in(directory)?;
        let root = temporary.path().join("files");
        fs::create_dir(&root)?;
        for (name, blob) in files {
            let path = Path::new(name);
            let is_file =
                !name.ends_with('/') && name != caddy::FILE && path.components().all(|part| matches!(part, Component::Normal(_)));
            if is_file {
                let path = root.join(path);
                path.parent().map_or(Ok(()), fs::create_dir_all)?;
                fs::copy(blobs.path(blob), path)?;
            }
        }
        fs::rename(root, &target)?;
    }
    let artifact = digest.parse().map_err(io::Error::other)?;
    Ok(Prepared { artifact, directory: target, spec: WorkloadSpec::Static(StaticSite::default()), env: Vec::new(), site: None })
}
