use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::TimeDelta;
use domain::build::BuildLimits;
use domain::host_name::HostName;
use services_clouds::CloudServices;
use services_core::area;
use url::Url;

use crate::feed_places::FeedPlaces;
use crate::feeds::FeedReads;
use crate::git_hosts::GitHosts;

/// Settings of projects, and the location of their files.
#[derive(Debug, Clone)]
pub struct ProjectSettings {
    /// Directory for what is on its way; `incoming/` and `builds/` are made in it.
    pub directory: PathBuf,
    /// Limits of one build.
    pub build_limits: BuildLimits,
    /// The largest upload, in bytes (compressed).
    pub upload_bytes: u64,
    /// Number of superseded deployments of an environment that stay on their cloud, ready for rollback.
    pub keep_superseded: i64,
    /// Maximum size of each team's artifacts, bytes; live deployments and production's next rollback target are kept beyond it.
    pub artifact_budget_bytes: u64,
    /// Time for which a removed artifact stays before it is deleted.
    pub artifact_grace: TimeDelta,
    /// Time after a deployment's end at which its log moves into the object store.
    pub archive_logs_after: TimeDelta,
    /// The Git hosts there are besides the public ones, and the app there.
    pub git_hosts: GitHosts,
    /// The DNS server that is asked about domains; those of the machine when absent.
    pub dns_server: Option<SocketAddr>,
    /// The names under which the installation itself is reached: nobody's domains.
    pub own_names: Vec<HostName>,
    /// The directory of the authority that domains of teams' own get certificates from, where this process shows sites over TLS by itself
    /// and has one.
    pub domain_certificates: Option<Url>,
    /// Variables that programs carry which fetch sources, by which they are found after a crash.
    pub fetch_env: Vec<(String, String)>,
}

impl ProjectSettings {
    /// The defaults, with files in this directory.
    pub fn in_directory(directory: PathBuf) -> Self {
        Self {
            directory,
            build_limits: BuildLimits::default(),
            upload_bytes: 512 * 1024 * 1024,
            keep_superseded: 10,
            artifact_budget_bytes: 20 << 30,
            artifact_grace: TimeDelta::hours(1),
            archive_logs_after: TimeDelta::days(7),
            git_hosts: GitHosts::default(),
            dns_server: None,
            own_names: Vec::new(),
            domain_certificates: None,
            fetch_env: Vec::new(),
        }
    }
}

area! {
    /// The use cases of projects. Cheap to clone.
    ProjectServices over CloudServices: Inner
}

struct Inner {
    feed_reads: FeedReads,
    feed_places: FeedPlaces,
    settings: ProjectSettings,
}

impl ProjectServices {
    /// The use cases over those of clouds.
    pub fn new(below: CloudServices, settings: ProjectSettings) -> Self {
        let inner = Inner { feed_reads: FeedReads::default(), feed_places: FeedPlaces::default(), settings };
        Self { below, inner: Arc::new(inner) }
    }

    pub(crate) fn settings(&self) -> &ProjectSettings {
        &self.inner.settings
    }

    pub(crate) fn feed_reads(&self) -> &FeedReads {
        &self.inner.feed_reads
    }

    pub(crate) fn feed_places(&self) -> &FeedPlaces {
        &self.inner.feed_places
    }
}
