//! Load balancers: what moto does not know of the tasks behind them.

use http::StatusCode;
use serde_json::json;

use super::operation::Operation;
use super::xml::{Element, escaped};
use super::{Front, ecs};
use crate::data_plane::{Runtime, Runtimes};
use crate::http::{Answer, Call};
use crate::world::{Object, State};

/// Kind of a target group, of which the health check is remembered; moto has it, too.
pub(super) const TARGET_GROUP: &str = "elasticloadbalancing.health";

/// A field of a form.
fn field(call: &Call, name: &str) -> String {
    call.form().into_iter().find(|(key, _)| key == name).map(|(_, value)| value).unwrap_or_default()
}

fn key(arn: &str) -> String {
    format!("elb/targets/{arn}")
}

/// Learns from an answer of moto which target groups there are.
pub(super) fn observe(state: &mut State, call: &Call, operation: &Operation, answer: &Answer) {
    if answer.status != StatusCode::OK {
        return;
    }
    match operation.name.as_str() {
        "CreateTargetGroup" => {
            let document = Element::parse(&answer.body).unwrap_or_default();
            let arn = document.text_at("CreateTargetGroupResult/TargetGroups/member/TargetGroupArn");
            let body = json!({"path": field(call, "HealthCheckPath")});
            state.aws.insert(key(arn), Object::new(TARGET_GROUP, body));
        }
        "DeleteTargetGroup" => {
            state.aws.remove(&key(&field(call, "TargetGroupArn")));
        }
        _ => {}
    }
}

/// Path at which the target group of a service asks for health.
pub(crate) fn health_path<'s>(state: &'s State, service: &Object) -> &'s str {
    let arn = service.text("/loadBalancers/0/targetGroupArn");
    let path = state.aws.get(&key(arn)).map_or("", |group| group.text("/path"));
    if path.is_empty() { "/" } else { path }
}

/// Health of the targets of a group: those of the tasks of the service behind it. Groups behind no rule are not checked.
pub(super) async fn health(front: &Front<'_>, runtimes: &dyn Runtimes, call: &Call, region: &str) -> Answer {
    let group = field(call, "TargetGroupArn");
    let is_used = front.is_used(region, &group).await;
    let service = {
        let state = front.world.lock();
        ecs::behind(&state, &group).map(|key| (ecs::desired(&state, &key), key))
    };
    let (count, state, reason) = match service {
        None => (0, "unused", ""),
        Some((count, _)) if !is_used => (count, "unused", "Target.NotInUse"),
        Some((count, key)) => match runtimes.of(&key) {
            Runtime::Ready | Runtime::NotRun(_) => (count, "healthy", ""),
            Runtime::Starting => (count, "initial", "Elb.RegistrationInProgress"),
            Runtime::Failed(_) => (count, "unhealthy", "Target.FailedHealthChecks"),
        },
    };
    let targets = (0..count).map(|number| {
        let reason = if reason.is_empty() { String::new() } else { format!("<Reason>{reason}</Reason>") };
        format!(
            "<member><Target><Id>172.31.0.{}</Id><Port>8080</Port></Target><TargetHealth><State>{state}</State>{reason}</TargetHealth></member>",
            number + 10
        )
    });
    let text = format!(
        "<DescribeTargetHealthResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\"><DescribeTargetHealthResult>\
         <TargetHealthDescriptions>{}</TargetHealthDescriptions></DescribeTargetHealthResult>\
         <ResponseMetadata><RequestId>00000000-0000-4000-8000-000000000000</RequestId></ResponseMetadata></DescribeTargetHealthResponse>",
        targets.collect::<String>()
    );
    Answer::bytes(StatusCode::OK, "text/xml", text)
}

/// Refuses a service that ECS would not take: its name is taken, or no load balancer is in front of its target group.
pub(super) async fn refuse_service(front: &Front<'_>, call: &Call, region: &str) -> Option<Answer> {
    let body = call.json().unwrap_or_default();
    let refused = |message: &str| {
        let body = json!({"__type": "InvalidParameterException", "message": message});
        Some(Answer::json(StatusCode::BAD_REQUEST, &body).with("x-amzn-errortype", "InvalidParameterException"))
    };
    if ecs::is_taken(&front.world.lock(), region, &body) {
        return refused("Creation of service was not idempotent.");
    }
    let groups: Vec<&str> =
        body["loadBalancers"].as_array().into_iter().flatten().filter_map(|group| group["targetGroupArn"].as_str()).collect();
    for group in groups {
        if !front.is_used(region, group).await {
            return refused(&format!(
                "The target group with targetGroupArn {} does not have an associated load balancer.",
                escaped(group)
            ));
        }
    }
    None
}

impl Front<'_> {
    /// Returns true if a rule of a load balancer in a region forwards to a target group.
    async fn is_used(&self, region: &str, group: &str) -> bool {
        let ask = async |action: &str, more: &str| self.balancing(region, action, more).await.unwrap_or_default();
        for balancer in ask("DescribeLoadBalancers", "").await.items("LoadBalancers") {
            let more = format!("&LoadBalancerArn={}", super::front::form(balancer.text_at("LoadBalancerArn")));
            for listener in ask("DescribeListeners", &more).await.items("Listeners") {
                let more = format!("&ListenerArn={}", super::front::form(listener.text_at("ListenerArn")));
                let rules = ask("DescribeRules", &more).await;
                let actions = rules.items("Rules").iter().flat_map(|rule| rule.items("Actions"));
                let mut groups = actions.flat_map(|action| action.items("ForwardConfig/TargetGroups").iter().chain([action]));
                if groups.any(|found| found.text_at("TargetGroupArn") == group) {
                    return true;
                }
            }
        }
        false
    }
}
