//! The parts of a sandbox, and the way of a call through them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::azure;
use crate::data_plane::DataPlane;
use crate::environment::Environment;
use crate::faults::{Faults, Flavour};
use crate::google;
use crate::http::{Answer, Call, Destination};
use crate::login;
use crate::recorder::Recorder;
use crate::registry::{self, Registry, Uploads};
use crate::world::World;

/// Number of calls that are remembered.
const REMEMBERED: usize = 10_000;

/// The parts of a sandbox.
pub(crate) struct Kernel {
    pub world: World,
    pub uploads: Uploads,
    pub faults: Faults,
    pub recorder: Option<Recorder>,
    pub data_plane: DataPlane,
    pub aws: Aws,
    pub calls: CallLog,
}

impl Kernel {
    /// Takes a call through faults, execution and recording. `None` if the connection is to be closed without an answer.
    pub async fn answer(self: &Arc<Self>, call: Call) -> Option<Answer> {
        let injected = self.faults.inject(&call);
        if !injected.wait.is_zero() {
            tokio::time::sleep(injected.wait).await;
        }
        if injected.reset {
            self.calls.add(&call, None);
            return None;
        }
        let (kernel, call) = (Arc::clone(self), Arc::new(call));
        let (instead, executed) = (injected.instead.clone(), Arc::clone(&call));
        let answer = if instead.is_none() && Destination::of(&call.host) == Destination::Aws {
            self.aws.answer(&self.world, &self.data_plane, &call).await
        } else {
            let answer = tokio::task::spawn_blocking(move || instead.unwrap_or_else(|| kernel.execute(&executed))).await;
            answer.unwrap_or_else(|error| {
                tracing::error!(%error, method = %call.method, path = call.path(), "a call failed within the sandbox");
                Answer::text(StatusCode::INTERNAL_SERVER_ERROR, "the sandbox failed: its log says why")
            })
        };
        let answer = injected.rewrite(answer);
        if let Some(Err(error)) = self.recorder.as_ref().map(|recorder| recorder.record(&call, &answer)) {
            tracing::warn!(%error, "a call could not be recorded");
        }
        self.calls.add(&call, (!injected.lose).then_some(answer.status));
        self.world.touch();
        (!injected.lose).then_some(answer)
    }

    fn execute(&self, call: &Call) -> Answer {
        let mut state = self.world.lock();
        let blobs = self.world.blobs();
        match Destination::of(&call.host) {
            Destination::GoogleLogin => login::google_answer(&state, call),
            Destination::MicrosoftLogin => login::microsoft_answer(&state, call),
            Destination::Google => google::answer(Environment { state: &mut state, blobs, runtimes: &self.data_plane }, call),
            Destination::AzureResources => {
                azure::answer(Environment { state: &mut state, blobs, runtimes: &self.data_plane }, call)
            }
            Destination::AzureBlobs => {
                azure::blob_answer(Environment { state: &mut state, blobs, runtimes: &self.data_plane }, call)
            }
            Destination::Registry => Registry { state: &mut state, blobs, uploads: &self.uploads }.answer(call),
            Destination::Aws | Destination::DataPlane => {
                Answer::text(StatusCode::NOT_IMPLEMENTED, format!("{} is not simulated", call.host))
            }
        }
    }

    /// Makes the data plane and the snapshot follow the world, until it is dropped.
    pub async fn follow(self: Arc<Self>) {
        let mut seen = u64::MAX;
        loop {
            let kernel = Arc::clone(&self);
            let changes = self.world.lock().changes();
            if changes != seen {
                seen = changes;
                let done = tokio::task::spawn_blocking(move || {
                    kernel.data_plane.reconcile(&kernel.world);
                    kernel.world.save()
                });
                if let Ok(Err(error)) = done.await {
                    tracing::warn!(%error, "the snapshot of the sandbox could not be written");
                }
            }
            self.world.wait_changed().await;
        }
    }
}

/// The latest calls to the clouds.
#[derive(Debug, Default)]
pub(crate) struct CallLog {
    calls: Mutex<VecDeque<LoggedCall>>,
    counts: Mutex<BTreeMap<&'static str, Count>>,
}

/// Number of calls to one cloud.
#[derive(Debug, Default, Serialize)]
struct Count {
    total: u64,
    services: BTreeMap<String, u64>,
}

/// One call, as the log keeps it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LoggedCall {
    method: String,
    host: String,
    path: String,
    /// Status of the answer; null if the connection was closed.
    status: Option<u16>,
}

impl CallLog {
    fn add(&self, call: &Call, status: Option<StatusCode>) {
        self.count(call);
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() == REMEMBERED {
            calls.pop_front();
        }
        calls.push_back(LoggedCall {
            method: call.method.to_string(),
            host: call.host.clone(),
            path: call.path().to_owned(),
            status: status.map(|status| status.as_u16()),
        });
    }

    fn count(&self, call: &Call) {
        let cloud = match Destination::of(&call.host) {
            Destination::MicrosoftLogin | Destination::AzureResources | Destination::AzureBlobs => "azure",
            Destination::Aws => "aws",
            Destination::Registry => registry::cloud_of(&call.host),
            Destination::GoogleLogin | Destination::Google | Destination::DataPlane => "google",
        };
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(cloud).or_default();
        count.total += 1;
        *count.services.entry(Flavour::of(call).service(call)).or_default() += 1;
    }

    /// Number of calls per cloud and service, as a document.
    pub fn counts(&self) -> Value {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let none = Count::default();
        let of = |cloud| counts.get(cloud).unwrap_or(&none);
        json!({"google": of("google"), "azure": of("azure"), "aws": of("aws")})
    }

    pub fn clear_counts(&self) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Every call that is remembered, oldest first.
    pub fn list(&self) -> Vec<LoggedCall> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub fn clear(&self) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
