//! The credential of this machine user: a file that nobody else can read.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use domain::secret::Secret;
use serde::Deserialize;
use serde_json::json;

use server::Failure;

const FILE: &str = "credentials.json";

/// Server to use, and the credential to present to it.
#[derive(Debug, Clone, Deserialize)]
pub struct Credentials {
    /// The server's address.
    pub url: String,
    /// An API key.
    pub token: Secret,
    /// The data directory of the server that made this credential, when it is on this machine.
    #[serde(default)]
    pub data: Option<PathBuf>,
    /// Marks a key that was made when this command line signed in, so that nobody else uses it.
    #[serde(default)]
    pub login: bool,
}

fn path() -> Result<PathBuf, Failure> {
    let directory = std::env::var_os("MIKROCLOUD_CONFIG_DIR")
        .map(PathBuf::from)
        .or_else(|| directories::ProjectDirs::from("", "", "mikrocloud").map(|directories| directories.config_dir().to_owned()));
    let directory = directory.ok_or_else(|| {
        Failure::failed(
            "CONFIG_DIRECTORY",
            "this user has no home directory: set MIKROCLOUD_CONFIG_DIR to where the credential is kept",
        )
    })?;
    Ok(directory.join(FILE))
}

impl Credentials {
    /// A credential that this command line did not get by signing in.
    pub fn new(url: &str, token: Secret) -> Self {
        Self { url: url.to_owned(), token, data: None, login: false }
    }

    /// The credential from `MIKROCLOUD_URL` and `MIKROCLOUD_TOKEN`, or from the file.
    pub fn load() -> Result<Self, Failure> {
        let stored = Self::stored()?;
        let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        let (url, token) = (variable("MIKROCLOUD_URL"), variable("MIKROCLOUD_TOKEN").map(Secret::new));
        match (url, token, stored) {
            (Some(url), Some(token), _) => Ok(Self::new(&url, token)),
            (None, Some(token), stored) => {
                let url = stored.map_or_else(|| "http://127.0.0.1:8080".to_owned(), |stored| stored.url);
                Ok(Self::new(&url, token))
            }
            // A credential is shown only to the server it was made by.
            (Some(url), None, Some(stored)) if stored.url.trim_end_matches('/') == url.trim_end_matches('/') => Ok(stored),
            (Some(url), None, _) => Err(Failure::not_signed_in(format!(
                "not signed in to {url}: run `mikrocloud login --url {url}`, or set MIKROCLOUD_TOKEN"
            ))),
            (None, None, Some(stored)) => Ok(stored),
            (None, None, None) => Err(Failure::not_signed_in(
                "not signed in: run `mikrocloud login`, or start a server of your own with `mikrocloud up`",
            )),
        }
    }

    /// The credential from the file, if there is one.
    pub fn stored() -> Result<Option<Self>, Failure> {
        let path = path()?;
        match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map(Some).map_err(|error| {
                let message = format!("{} cannot be read ({error}): remove it and run `mikrocloud login`", path.display());
                Failure::failed("CREDENTIAL_UNREADABLE", message)
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::failed("CREDENTIAL_UNREADABLE", format!("{} cannot be read: {error}", path.display()))),
        }
    }

    /// Writes the file, whole or not at all, readable by its owner alone.
    pub fn save(&self) -> Result<(), Failure> {
        let path = path()?;
        let written = (|| {
            let directory = path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(directory)?;
            let beside = directory.join(format!(".{FILE}.{}", std::process::id()));
            let mut file = File::options().create(true).write(true).truncate(true).mode(0o600).open(&beside)?;
            let body = json!({"url": self.url, "token": self.token.expose(), "data": self.data, "login": self.login});
            writeln!(file, "{body:#}")?;
            file.sync_all()?;
            fs::rename(beside, &path)
        })();
        written.map_err(|error: std::io::Error| {
            Failure::failed(
                "CONFIG_DIRECTORY",
                format!("{} cannot be written: {error}. Set MIKROCLOUD_CONFIG_DIR to where it can", path.display()),
            )
        })
    }

    /// Removes the file; no error when there is none.
    pub fn forget() -> Result<(), Failure> {
        match fs::remove_file(path()?) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(anyhow::Error::from(error).into()),
            _ => Ok(()),
        }
    }

    /// Keeps the key that a server of this machine made at its first start; after later ones, the credential follows the server.
    pub fn keep(url: &str, data: &Path, key: Option<&Secret>) -> Result<(), Failure> {
        match key {
            Some(key) => Self { data: Some(data.to_owned()), ..Self::new(url, key.clone()) }.save(),
            None => Self::follow_server(url, data),
        }
    }

    /// A server of this machine may listen elsewhere than last time: the credential that it made follows it.
    fn follow_server(url: &str, data: &Path) -> Result<(), Failure> {
        match Self::stored() {
            Ok(Some(stored)) if stored.data.as_deref() == Some(data) && stored.url != url => {
                Self { url: url.to_owned(), ..stored }.save()
            }
            _ => Ok(()),
        }
    }
}
