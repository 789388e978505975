//! ECS and SSM: values learned from calls that moto answers, and the states that moto does not go through.

use http::StatusCode;
use serde_json::{Value, json};

use super::operation::Operation;
use crate::data_plane::{Runtime, Runtimes};
use crate::http::{Answer, Call};
use crate::world::{Ending, Object, Phase, State};

/// Kind of a service; moto has it, too.
pub(crate) const SERVICE: &str = "ecs.services";
/// Kind of a task definition; moto has it, too.
pub(super) const TASK_DEFINITION: &str = "ecs.taskDefinitions";
/// Kind of a parameter of SSM; moto has it, too.
pub(super) const PARAMETER: &str = "ssm.parameters";

/// Field of a service: its tasks came up once, so that they are started again when they end.
const STEADY: &str = "steady";

/// Learns from an answer of moto and makes it what AWS would say.
pub(super) fn observe(state: &mut State, runtimes: &dyn Runtimes, call: &Call, operation: &Operation, answer: Answer) -> Answer {
    let (Some(asked), Ok(mut body)) = (call.json(), serde_json::from_slice::<Value>(&answer.body)) else { return answer };
    if answer.status != StatusCode::OK {
        return answer;
    }
    match operation.name.as_str() {
        "RegisterTaskDefinition" => {
            let definition = body["taskDefinition"].clone();
            let arn = definition["taskDefinitionArn"].as_str().unwrap_or_default().to_owned();
            state.aws.insert(definition_key(&arn), Object::new(TASK_DEFINITION, definition));
        }
        "CreateService" | "UpdateService" => {
            changed(state, &body["service"]);
            describe(state, runtimes, &mut body["service"]);
        }
        "DeleteService" => {
            drain(state, &mut body["service"]);
        }
        "DescribeServices" => {
            for service in body["services"].as_array_mut().into_iter().flatten() {
                if !drained(state, service) {
                    describe(state, runtimes, service);
                }
            }
        }
        "PutParameter" => {
            let name = asked["Name"].as_str().unwrap_or_default();
            let hidden = json!({"value": asked["Value"]});
            let object = Object::new(PARAMETER, json!({"name": name})).hiding(hidden);
            state.aws.insert(parameter_key(&operation.region, name), object);
        }
        "DeleteParameter" | "DeleteParameters" => {
            let names = asked["Names"].as_array().cloned().unwrap_or_else(|| vec![asked["Name"].clone()]);
            for name in names.iter().filter_map(Value::as_str) {
                state.aws.remove(&parameter_key(&operation.region, name));
            }
        }
        _ => return answer,
    }
    Answer { body: body.to_string().into(), ..answer }
}

fn service_key(arn: &str) -> String {
    format!("ecs/service/{arn}")
}

fn definition_key(arn: &str) -> String {
    format!("ecs/definition/{}", arn.rsplit('/').next().unwrap_or(arn))
}

fn parameter_key(region: &str, name: &str) -> String {
    format!("ssm/{region}/{}", name.trim_start_matches('/'))
}

/// Stores a service whose change begins.
fn changed(state: &mut State, service: &Value) {
    let key = service_key(service["serviceArn"].as_str().unwrap_or_default());
    let before = state.aws.get(&key).map(|before| (before.body["desiredCount"] == json!(0), before.hidden.clone()));
    let hidden = match before {
        // What is woken has to come up anew.
        Some((true, mut hidden)) => {
            hidden[STEADY] = json!(false);
            hidden
        }
        Some((false, hidden)) => hidden,
        None => json!({"workload": domain::id::DeploymentId::new().to_string()}),
    };
    let mut object = Object::new(SERVICE, service.clone()).hiding(hidden);
    object.phase = Some(Phase::new("steady", state.behaviours.of(SERVICE), state.millis()));
    state.aws.insert(key, object);
}

/// Begins the removal of a service: its tasks end, and it is seen as `DRAINING` until they are gone.
fn drain(state: &mut State, service: &mut Value) {
    let phase = Phase::new("inactive", state.behaviours.of(SERVICE), state.millis());
    let key = service_key(service["serviceArn"].as_str().unwrap_or_default());
    if let Some(object) = state.aws.get_mut(&key) {
        object.body["desiredCount"] = json!(0);
        object.hidden["draining"] = json!(true);
        object.phase = Some(phase);
        service["status"] = json!("DRAINING");
    }
}

/// Goes on with the removal of a service. Returns false for one that is not being removed.
fn drained(state: &mut State, service: &mut Value) -> bool {
    let key = service_key(service["serviceArn"].as_str().unwrap_or_default());
    let now = state.millis();
    if state.aws.get(&key).is_none_or(|object| object.hidden["draining"] != json!(true)) {
        return false;
    }
    let is_over = state.aws.get_mut(&key).and_then(|object| object.phase.as_mut()).is_none_or(|phase| phase.poll(now));
    if is_over {
        state.aws.remove(&key);
    } else {
        service["status"] = json!("DRAINING");
    }
    true
}

/// Returns true if a request for a service asks for a name that a service has.
pub(super) fn is_taken(state: &State, region: &str, asked: &Value) -> bool {
    let text = |field: &str| asked[field].as_str().unwrap_or_default();
    let cluster = text("cluster").rsplit('/').next().unwrap_or_default();
    let arn = format!("arn:aws:ecs:{region}:{}:service/{cluster}/{}", super::ACCOUNT, text("serviceName"));
    state.aws.contains(&service_key(&arn))
}

/// Number of tasks that a service wants.
pub(super) fn desired(state: &State, key: &str) -> u64 {
    state.aws.get(key).and_then(|service| service.body["desiredCount"].as_u64()).unwrap_or(0)
}

/// State of a rollout.
struct Rollout {
    state: &'static str,
    reason: String,
    running: u64,
}

/// Writes the running counts and the rollout of a service into what moto says of it.
fn describe(state: &mut State, runtimes: &dyn Runtimes, service: &mut Value) {
    let key = service_key(service["serviceArn"].as_str().unwrap_or_default());
    let now = state.millis();
    let desired = service["desiredCount"].as_u64().unwrap_or(0);
    let Some(object) = state.aws.get_mut(&key) else { return };
    let ending = object.phase.as_ref().map(|phase| phase.ending.clone());
    let is_over = object.phase.as_mut().is_none_or(|phase| phase.poll(now));
    let runtime = runtimes.of(&key);
    let rollout = match (is_over, ending, runtime) {
        (false, _, _) => Rollout { state: "IN_PROGRESS", reason: "ECS deployment in progress.".to_owned(), running: 0 },
        (true, Some(Ending::Fail { message, .. }), _) => Rollout { state: "FAILED", reason: message, running: 0 },
        (true, _, _) if desired == 0 => {
            Rollout { state: "COMPLETED", reason: "ECS deployment completed.".to_owned(), running: 0 }
        }
        (true, _, Runtime::Starting) => {
            Rollout { state: "IN_PROGRESS", reason: "ECS deployment in progress.".to_owned(), running: 0 }
        }
        (true, _, Runtime::Failed(reason)) => Rollout {
            state: "FAILED",
            reason: format!("ECS deployment circuit breaker: tasks failed to start. {reason}"),
            running: 0,
        },
        (true, _, Runtime::Ready | Runtime::NotRun(_)) => {
            Rollout { state: "COMPLETED", reason: "ECS deployment completed.".to_owned(), running: desired }
        }
    };
    if rollout.state == "COMPLETED" {
        object.phase = None;
        object.hidden[STEADY] = json!(rollout.running > 0);
    }
    service["runningCount"] = json!(rollout.running);
    service["pendingCount"] = json!(desired.saturating_sub(rollout.running));
    for deployment in
        service["deployments"].as_array_mut().into_iter().flatten().filter(|deployment| deployment["status"] == json!("PRIMARY"))
    {
        deployment["desiredCount"] = json!(desired);
        deployment["runningCount"] = json!(rollout.running);
        deployment["pendingCount"] = json!(desired.saturating_sub(rollout.running));
        deployment["rolloutState"] = json!(rollout.state);
        deployment["rolloutStateReason"] = json!(rollout.reason);
    }
}

/// Returns true if the tasks of a service came up.
pub(crate) fn is_steady(service: &Object) -> bool {
    service.hidden[STEADY] == json!(true)
}

/// The task definition of a service, which may be named in full or as `family:revision`.
pub(crate) fn definition<'s>(state: &'s State, service: &Object) -> Option<&'s Object> {
    state.aws.get(&definition_key(service.text("/taskDefinition")))
}

/// The variables of a task's first container, with the values of its parameters; a text for people if one has none.
pub(crate) fn variables(state: &State, definition: &Object) -> Result<Vec<(String, String)>, String> {
    let list = |field: &str| {
        definition
            .body
            .pointer(&format!("/containerDefinitions/0/{field}"))
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let mut result: Vec<_> = list("environment").iter().map(|entry| (text(entry, "name"), text(entry, "value"))).collect();
    for secret in list("secrets") {
        let from = text(&secret, "valueFrom");
        // arn:aws:ssm:<region>:<account>:parameter/<name>
        let mut parts = from.splitn(6, ':').skip(3);
        let (region, name) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or(&from));
        let key = parameter_key(region, name.strip_prefix("parameter").unwrap_or(name));
        let value = state.aws.get(&key).map(|parameter| parameter.secret("value").to_owned());
        result.push((text(&secret, "name"), value.ok_or_else(|| format!("the parameter {from} does not exist"))?));
    }
    Ok(result)
}

/// The service behind a target group that wants tasks.
pub(super) fn behind(state: &State, target_group: &str) -> Option<String> {
    let balances = |object: &Object| {
        let groups = object.body["loadBalancers"].as_array().map(Vec::as_slice).unwrap_or_default();
        groups.iter().any(|group| group["targetGroupArn"].as_str() == Some(target_group))
    };
    let wants = |object: &Object| object.body["desiredCount"].as_u64().unwrap_or(0) > 0;
    state.aws.iter().find(|(_, object)| object.kind == SERVICE && wants(object) && balances(object)).map(|(key, _)| key.clone())
}
