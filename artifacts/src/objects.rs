//! Files in an object store: a directory, an S3-compatible store, Azure Blob Storage or Google Cloud Storage.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use domain::id::ObjectId;
use futures::{StreamExt, TryStreamExt};
use object_store::buffered::BufWriter;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use url::Url;

/// Files above this size are sent in parts, bytes.
const PART: usize = 10 << 20;

/// Reason for which the object store did not carry out a request. The store's own error is the source, for the log.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The address cannot be used.
    #[error("the address of the object store cannot be used: {0}")]
    Address(String),
    /// The object is not there.
    #[error("the object is not there")]
    Missing,
    /// It does not let us do what we need.
    #[error("it cannot be used: {remedy}")]
    Refused {
        /// Remedy for the error.
        remedy: &'static str,
        /// Error of the store.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Reading or writing failed.
    #[error("the object could not be {0}")]
    Failed(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ObjectError {
    /// Returns true if the store answered and denied access: waiting does not help.
    pub fn is_refusal(&self) -> bool {
        use object_store::Error as E;
        match self {
            Self::Address(_) => true,
            Self::Refused { source, .. } | Self::Failed(_, source) => source.downcast_ref::<E>().is_some_and(|error| {
                matches!(
                    error,
                    E::NotFound { .. } | E::PermissionDenied { .. } | E::Unauthenticated { .. } | E::NotSupported { .. }
                )
            }),
            Self::Missing => false,
        }
    }
}

/// An object store, below a prefix. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: Key,
    remedy: &'static str,
}

fn failed<E: Into<Box<dyn std::error::Error + Send + Sync>>>(what: &'static str) -> impl Fn(E) -> ObjectError {
    move |error| ObjectError::Failed(what, error.into())
}

impl Objects {
    /// A directory of this machine, made when it is not there.
    pub fn in_directory(directory: &Path) -> Result<Self, ObjectError> {
        let made = std::fs::create_dir_all(directory).and_then(|()| directory.canonicalize());
        let directory = made.map_err(|error| ObjectError::Address(format!("{}: {error}", directory.display())))?;
        let url = Url::from_directory_path(&directory).map_err(|()| ObjectError::Address(directory.display().to_string()))?;
        Self::at(&url)
    }

    /// The store at an address: `file:///directory`, `s3://bucket/prefix`, `az://container/prefix` or `gs://bucket/prefix`. Credentials
    /// and endpoints come from the vendors' own environment variables (`AWS_*`, `AZURE_*`, `GOOGLE_*`).
    pub fn at(url: &Url) -> Result<Self, ObjectError> {
        if url.scheme() == "file"
            && let Ok(directory) = url.to_file_path()
        {
            std::fs::create_dir_all(&directory)
                .map_err(|error| ObjectError::Address(format!("{}: {error}", directory.display())))?;
        }
        let variables =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::at_with(url, &variables.collect::<Vec<_>>())
    }

    /// The same with these variables in place of the environment's.
    pub fn at_with(url: &Url, env: &[(impl AsRef<str>, String)]) -> Result<Self, ObjectError> {
        let (store, prefix) = crate::address::open(url, env)?;
        Ok(Self { store, prefix, remedy: crate::address::remedy(url) })
    }

    /// Checks that the store can be used: it is reached, the bucket exists, and listing is permitted; also writing and deleting,
    /// if needed.
    pub async fn check(&self, writes: bool) -> Result<(), ObjectError> {
        let name = self.key("check").join(ObjectId::new().to_string());
        let tried = async {
            if writes {
                self.store.put(&name, "".into()).await?;
            }
            self.store.list(Some(&self.key("check"))).try_next().await?;
            if writes { self.store.delete(&name).await } else { Ok(()) }
        };
        tried.await.map_err(|error| ObjectError::Refused { remedy: self.remedy, source: Box::new(error) })
    }

    fn key(&self, name: &str) -> Key {
        self.prefix.parts().chain(Key::from(name).parts()).collect()
    }

    /// Stores a file, in parts when it is large. It appears whole or not at all.
    pub async fn put(&self, name: &str, file: &Path) -> Result<(), ObjectError> {
        let (objects, name, file) = (self.clone(), name.to_owned(), file.to_owned());
        // A task of its own: dropped in the middle, it would leave the parts that were sent, which are kept, and paid for.
        let storing = tokio::spawn(async move { objects.put_or_again(&name, &file).await });
        storing.await.map_err(failed("written"))?
    }

    async fn put_or_again(&self, name: &str, file: &Path) -> Result<(), ObjectError> {
        match self.put_once(name, file).await {
            // Requests are tried again by the client, but not answers that were cut off in the middle, as that to the start of an upload.
            Err(error) if !error.is_refusal() => self.put_once(name, file).await,
            done => done,
        }
    }

    async fn put_once(&self, name: &str, file: &Path) -> Result<(), ObjectError> {
        let mut file = File::open(file).await.map_err(failed("read"))?;
        let mut writer = BufWriter::with_capacity(Arc::clone(&self.store), self.key(name), PART);
        match tokio::io::copy(&mut file, &mut writer).await {
            Ok(_) => writer.shutdown().await.map_err(failed("written")),
            Err(error) => {
                // The parts that were sent would be kept, and paid for.
                let _ = writer.abort().await;
                Err(failed("written")(error))
            }
        }
    }

    /// Writes an object to a file.
    pub async fn get(&self, name: &str, target: &Path) -> Result<(), ObjectError> {
        let mut chunks = match self.store.get(&self.key(name)).await {
            Ok(found) => found.into_stream(),
            Err(object_store::Error::NotFound { .. }) => return Err(ObjectError::Missing),
            Err(error) => return Err(failed("read")(error)),
        };
        let mut file = File::create(target).await.map_err(failed("kept on this machine"))?;
        while let Some(chunk) = chunks.next().await {
            file.write_all(&chunk.map_err(failed("read"))?).await.map_err(failed("kept on this machine"))?;
        }
        file.flush().await.map_err(failed("kept on this machine"))
    }

    /// A small object as a whole; `None` where there is none.
    pub async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ObjectError> {
        match self.store.get(&self.key(name)).await {
            Ok(found) => Ok(Some(found.bytes().await.map_err(failed("read"))?.to_vec())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed("read")(error)),
        }
    }

    /// Stores a small object.
    pub async fn write(&self, name: &str, bytes: Vec<u8>) -> Result<(), ObjectError> {
        self.store.put(&self.key(name), bytes.into()).await.map(drop).map_err(failed("written"))
    }

    /// Some bytes of an object.
    pub async fn get_range(&self, name: &str, range: Range<u64>) -> Result<Vec<u8>, ObjectError> {
        match self.store.get_range(&self.key(name), range).await {
            Ok(bytes) => Ok(bytes.to_vec()),
            Err(object_store::Error::NotFound { .. }) => Err(ObjectError::Missing),
            Err(error) => Err(failed("read")(error)),
        }
    }

    /// Returns true if the object exists.
    pub async fn exists(&self, name: &str) -> Result<bool, ObjectError> {
        match self.store.head(&self.key(name)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(failed("looked for")(error)),
        }
    }

    /// Removes an object. Removing what is not there is no error.
    pub async fn remove(&self, name: &str) -> Result<(), ObjectError> {
        match self.store.delete(&self.key(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed("removed")(error)),
        }
    }

    /// The objects below a name, with the time of their last change.
    pub async fn list(&self, below: &str) -> Result<Vec<(String, SystemTime)>, ObjectError> {
        let prefix = self.key(below);
        let found = self.store.list(Some(&prefix)).map_err(failed("listed"));
        let named = found.try_filter_map(async |meta| {
            let name: Option<String> = meta.location.prefix_match(&self.prefix).map(|parts| parts.collect::<Key>().to_string());
            Ok(name.map(|name| (name, SystemTime::from(meta.last_modified))))
        });
        named.try_collect().await
    }
}
