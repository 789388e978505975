//! AWS: moto, and before it what moto lacks.

mod access;
mod balancing;
mod cloudfront;
mod ecr;
mod ecs;
mod front;
mod inventory;
mod key_value;
mod moto;
mod operation;
mod xml;

pub(crate) use balancing::health_path;
pub(crate) use ecs::{SERVICE, definition, is_steady, variables};
pub(crate) use front::{Front, Visit, is_front};

use http::StatusCode;

use crate::data_plane::Runtimes;
use crate::faults::{Flavour, error_answer};
use crate::http::{Answer, Call};
use crate::inventory::Item;
use crate::settings::Moto;
use crate::world::{Blobs, State, World};
use moto::Server;
use operation::Operation;

/// Account that everything belongs to; moto's usual one.
pub(crate) const ACCOUNT: &str = "123456789012";

/// Kinds of things that nobody leaves behind.
pub(crate) const BACKGROUND: [&str; 5] =
    [ecs::TASK_DEFINITION, ecs::SERVICE, ecs::PARAMETER, ecr::REPOSITORY, balancing::TARGET_GROUP];

/// The simulated AWS.
pub(crate) struct Aws {
    server: Server,
}

impl Aws {
    /// AWS by this moto, which is started with the first call.
    pub fn new(moto: Moto) -> Self {
        Self { server: Server::new(moto) }
    }

    /// Answers a call to one of AWS's APIs.
    pub async fn answer(&self, world: &World, runtimes: &dyn Runtimes, call: &Call) -> Answer {
        let operation = Operation::of(call);
        let own = {
            let mut state = world.lock();
            match access::check(&state, call, &operation) {
                Err((status, code, message)) => Some(error_answer(Flavour::of(call), call, status, code, &message)),
                Ok(()) => own(&mut state, world.blobs(), call, &operation),
            }
        };
        if let Some(answer) = own {
            return answer;
        }
        let (front, region) = (self.front(world), operation.region.as_str());
        if (operation.service.as_str(), operation.name.as_str()) == ("ecs", "CreateService")
            && let Some(refused) = balancing::refuse_service(&front, call, region).await
        {
            return refused;
        }
        let answer = match self.server.pass(call, &operation.region).await {
            Ok(answer) => answer,
            Err(reason) => return Answer::text(StatusCode::NOT_IMPLEMENTED, reason),
        };
        if operation.name == "DescribeTargetHealth" && answer.status == StatusCode::OK {
            return balancing::health(&front, runtimes, call, region).await;
        }
        let mut state = world.lock();
        match operation.service.as_str() {
            "elasticloadbalancing" => {
                balancing::observe(&mut state, call, &operation, &answer);
                answer
            }
            "ecs" | "ssm" => ecs::observe(&mut state, runtimes, call, &operation, answer),
            "ecr" => ecr::observe(&mut state, call, &operation, answer),
            _ => answer,
        }
    }

    /// Everything that exists in moto, in the regions that were spoken to.
    pub async fn inventory(&self, world: &World) -> Vec<Item> {
        if self.server.is_running() { inventory::inventory(&self.server, world).await } else { Vec::new() }
    }

    /// Empties moto.
    pub async fn reset(&self) {
        self.server.reset().await;
    }

    /// A reader of what CloudFront and load balancers show.
    pub fn front<'a>(&'a self, world: &'a World) -> Front<'a> {
        Front { server: &self.server, world }
    }
}

/// Answers what moto lacks; `None` for everything else.
fn own(state: &mut State, blobs: &Blobs, call: &Call, operation: &Operation) -> Option<Answer> {
    match operation.service.as_str() {
        "cloudfront" => cloudfront::answer(state, call),
        "cloudfront-keyvaluestore" => Some(key_value::answer(state, call)),
        "ecr" => ecr::answer(state, blobs, call, operation),
        _ => None,
    }
}
