//! The sandbox's own API below `/_sandbox`, for tests and people: everything is JSON.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::faults::Rule;
use crate::http::{Answer, Call};
use crate::inventory::{Item, inventory};
use crate::kernel::Kernel;
use crate::login::{Grant, KeyPair, Principal, Registration, Vendor, needs_key_pair};
use crate::world::{Behaviours, State};

/// Everything that the sandbox never simulates, for people: printed at its start and with its description.
pub const NOT_SIMULATED: &[&str] = &[
    "caches of content delivery networks",
    "latency and cold starts",
    "quotas, beyond those that its errors name",
    "access rules, beyond lists of permissions and the roles that workloads need to read secrets and buckets",
    "autoscaling",
    "TLS",
    "images from Dockerfiles: they are accepted, but not run",
    "probes: a program is healthy once a request to the probe's path, or to /, is answered with less than 500",
    "code of CloudFront functions: the key-value store of the host is read in its place",
    "AWS beyond moto: its permissions and limits are not checked, and what it holds ends with the sandbox",
];

/// Answers a call to the sandbox's own API; `found` is what AWS has beside the world.
pub(crate) fn answer(kernel: &Kernel, call: &Call, found: Vec<Item>) -> Answer {
    let segments = call.segments();
    let parts: Vec<&str> = segments.iter().skip(1).map(String::as_str).filter(|part| !part.is_empty()).collect();
    let outcome = match (&call.method, parts.as_slice()) {
        (&Method::GET, []) => Ok(about()),
        (&Method::GET, ["inventory"]) => Ok(Answer::ok(&listing(kernel, call, found))),
        (&Method::GET, ["behaviour"]) => Ok(Answer::ok(&json!(kernel.world.lock().behaviours))),
        (&Method::PUT, ["behaviour"]) => put_behaviour(kernel, call),
        (&Method::GET, ["principals"]) => Ok(Answer::ok(&json!({"principals": kernel.world.lock().principals.list()}))),
        (&Method::PUT, ["principals"]) => put_principal(kernel, call),
        (&Method::POST, ["principals"]) => register(kernel, call),
        (&Method::PATCH, ["principals", cloud, id]) => grant(kernel, call, cloud, id),
        (&Method::DELETE, ["principals", cloud, id]) => delete_principal(kernel, cloud, id),
        (&Method::GET, ["faults"]) => Ok(Answer::ok(&json!({"faults": kernel.faults.list()}))),
        (&Method::POST, ["faults"]) => add_fault(kernel, call),
        (&Method::DELETE, ["faults"]) => {
            kernel.faults.remove(None);
            Ok(Answer::empty(StatusCode::NO_CONTENT))
        }
        (&Method::DELETE, ["faults", id]) => delete_fault(kernel, id),
        (&Method::POST, ["clock"]) => move_clock(kernel, call),
        (&Method::GET, ["requests"]) => Ok(Answer::ok(&kernel.calls.counts())),
        (&Method::DELETE, ["requests"]) => {
            kernel.calls.clear_counts();
            Ok(Answer::empty(StatusCode::NO_CONTENT))
        }
        (&Method::GET, ["calls"]) => Ok(Answer::ok(&json!({"calls": kernel.calls.list()}))),
        (&Method::DELETE, ["calls"]) => {
            kernel.calls.clear();
            Ok(Answer::empty(StatusCode::NO_CONTENT))
        }
        (&Method::GET, ["logs"]) => logs(kernel, call),
        (&Method::POST, ["reset"]) => Ok(reset(kernel)),
        _ => Err(refused(StatusCode::NOT_FOUND, "no such part of the sandbox's API: GET /_sandbox lists them")),
    };
    outcome.unwrap_or_else(|Refused(status, message)| Answer::json(status, &json!({"error": message})))
}

/// A call that is refused: status and message.
struct Refused(StatusCode, String);

type Outcome = Result<Answer, Refused>;

fn refused(status: StatusCode, message: impl std::fmt::Display) -> Refused {
    Refused(status, message.to_string())
}

fn read<T: serde::de::DeserializeOwned>(call: &Call) -> Result<T, Refused> {
    serde_json::from_slice(&call.body).map_err(|error| refused(StatusCode::BAD_REQUEST, error))
}

fn about() -> Answer {
    Answer::ok(&json!({
        "what": "MikroCloud sandbox: simulated clouds",
        "api": {
            "GET /_sandbox/inventory?cloud=google": "everything that exists",
            "GET|PUT /_sandbox/behaviour": "time that changes take, and how they end, by type",
            "GET|PUT|POST /_sandbox/principals": "who can sign in, and what they may do; POST makes credentials",
            "PATCH|DELETE /_sandbox/principals/{cloud}/{id}": "changes what a principal may do, or removes it",
            "GET|POST|DELETE /_sandbox/faults": "errors, lost answers, delays",
            "DELETE /_sandbox/faults/{id}": "removes a fault",
            "POST /_sandbox/clock": "moves the clock: {\"advance_seconds\": 3600}",
            "GET|DELETE /_sandbox/requests": "number of calls per cloud and service",
            "GET|DELETE /_sandbox/calls": "calls to the clouds, oldest first",
            "GET /_sandbox/logs?key=KEY": "output of something that runs, by its key in the inventory",
            "POST /_sandbox/reset": "empties everything",
        },
        "not_simulated": NOT_SIMULATED,
    }))
}

fn listing(kernel: &Kernel, call: &Call, found: Vec<Item>) -> Value {
    let mut all = inventory(&kernel.world.lock());
    all.extend(found);
    let wanted = call.parameter("cloud");
    json!({"items": all.into_iter().filter(|item| wanted.is_none_or(|cloud| item.cloud == cloud)).collect::<Vec<_>>()})
}

fn put_behaviour(kernel: &Kernel, call: &Call) -> Outcome {
    let behaviours: Behaviours = read(call)?;
    let mut state = kernel.world.lock();
    state.behaviours = behaviours;
    Ok(Answer::ok(&json!(state.behaviours)))
}

fn put_principal(kernel: &Kernel, call: &Call) -> Outcome {
    let principal: Principal = read(call)?;
    let body = json!(principal);
    kernel.world.lock().principals.put(principal);
    Ok(Answer::ok(&body))
}

fn register(kernel: &Kernel, call: &Call) -> Outcome {
    let registration: Registration = read(call)?;
    let needs_pair = needs_key_pair(&registration, &kernel.world.lock());
    // Making one takes longer than anyone should wait for the lock.
    let pair = needs_pair.then(KeyPair::make).transpose();
    let pair = pair.map_err(|error| refused(StatusCode::INTERNAL_SERVER_ERROR, error))?;
    let mut state = kernel.world.lock();
    state.key_pair = state.key_pair.take().or(pair);
    Ok(Answer::json(StatusCode::CREATED, &registration.register(&mut state)))
}

fn vendor(cloud: &str) -> Result<Vendor, Refused> {
    serde_json::from_value(json!(cloud)).map_err(|error| refused(StatusCode::BAD_REQUEST, error))
}

fn grant(kernel: &Kernel, call: &Call, cloud: &str, id: &str) -> Outcome {
    let (cloud, grant): (_, Grant) = (vendor(cloud)?, read(call)?);
    let mut state = kernel.world.lock();
    let principal = state.principals.get_mut(cloud, id).ok_or_else(|| refused(StatusCode::NOT_FOUND, "no such principal"))?;
    grant.apply(principal);
    Ok(Answer::ok(&json!(principal)))
}

fn delete_principal(kernel: &Kernel, cloud: &str, id: &str) -> Outcome {
    let cloud = vendor(cloud)?;
    let is_removed = kernel.world.lock().principals.remove(cloud, id);
    if is_removed { Ok(Answer::empty(StatusCode::NO_CONTENT)) } else { Err(refused(StatusCode::NOT_FOUND, "no such principal")) }
}

fn add_fault(kernel: &Kernel, call: &Call) -> Outcome {
    let rule: Rule = read(call)?;
    Ok(Answer::json(StatusCode::CREATED, &json!({"id": kernel.faults.add(rule)})))
}

fn delete_fault(kernel: &Kernel, id: &str) -> Outcome {
    let id = id.parse().map_err(|_| refused(StatusCode::BAD_REQUEST, "the number of a fault is expected"))?;
    kernel.faults.remove(Some(id));
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn move_clock(kernel: &Kernel, call: &Call) -> Outcome {
    let body: Value = read(call)?;
    let seconds =
        body["advance_seconds"].as_i64().ok_or_else(|| refused(StatusCode::BAD_REQUEST, "advance_seconds is missing"))?;
    let mut state = kernel.world.lock();
    state.ahead = state.ahead.saturating_add(seconds.saturating_mul(1000));
    Ok(Answer::ok(&json!({"now": state.stamp()})))
}

fn logs(kernel: &Kernel, call: &Call) -> Outcome {
    let key = call.parameter("key").unwrap_or_default();
    let text = kernel.data_plane.log(key).ok_or_else(|| refused(StatusCode::NOT_FOUND, "nothing of this key runs"))?;
    Ok(Answer::ok(&json!({"log": text})))
}

/// Empties the world; tokens that were given out stay good.
fn reset(kernel: &Kernel) -> Answer {
    kernel.faults.remove(None);
    kernel.calls.clear();
    kernel.calls.clear_counts();
    let mut state = kernel.world.lock();
    let (token_key, key_pair) = (state.token_key.clone(), state.key_pair.take());
    *state = State { key_pair, token_key, ..State::default() };
    Answer::empty(StatusCode::NO_CONTENT)
}
