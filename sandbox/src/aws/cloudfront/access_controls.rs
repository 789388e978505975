//! Origin access controls.

use http::{Method, StatusCode};
use serde_json::json;

use super::error::CloudFrontError;
use super::{Outcome, all, bump, check_etag, document, etag, is_used, new_id, written};
use crate::aws::xml::Element;
use crate::http::{Answer, Call};
use crate::world::{Object, State};

/// Kind of an origin access control.
const KIND: &str = "cloudfront.originAccessControls";

const CONFIG: &str = "OriginAccessControlConfig";

fn key(id: &str) -> String {
    format!("cloudfront/access/{id}")
}

fn missing() -> CloudFrontError {
    CloudFrontError::missing("NoSuchOriginAccessControl", "The origin access control does not exist.")
}

/// Answers a call about origin access controls.
pub(super) fn answer(state: &mut State, call: &Call, rest: &[&str]) -> Outcome {
    match (&call.method, rest) {
        (&Method::POST, []) => create(state, call),
        (&Method::GET, []) => Ok(list(state)),
        (&Method::GET, [id]) => state.aws.get(&key(id)).map(|object| full(object, StatusCode::OK)).ok_or_else(missing),
        (&Method::GET, [id, "config"]) => {
            let object = state.aws.get(&key(id)).ok_or_else(missing)?;
            Ok(Answer::xml(StatusCode::OK, written(object.secret("config"), CONFIG)).with("etag", &etag(object)))
        }
        (&Method::PUT, [id, "config"]) => {
            let config = checked(state, call, id)?;
            let object = state.aws.get_mut(&key(id)).ok_or_else(missing)?;
            check_etag(call, object)?;
            object.body["name"] = json!(config.text_at("Name"));
            object.hidden["config"] = json!(inner(&config));
            bump(object);
            Ok(full(object, StatusCode::OK))
        }
        (&Method::DELETE, [id]) => {
            check_etag(call, state.aws.get(&key(id)).ok_or_else(missing)?)?;
            if is_used(state, id) {
                let message = "Cannot delete the origin access control because it's in use by one or more distributions.";
                return Err(CloudFrontError::conflict("OriginAccessControlInUse", message));
            }
            state.aws.remove(&key(id));
            Ok(Answer::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(CloudFrontError::unknown()),
    }
}

fn inner(config: &Element) -> String {
    config.children.iter().map(Element::write).collect::<Vec<_>>().concat()
}

fn checked(state: &State, call: &Call, own: &str) -> Result<Element, CloudFrontError> {
    let config = document(call, CONFIG)?;
    let name = config.text_at("Name");
    if name.is_empty() || config.text_at("SigningProtocol") != "sigv4" {
        return Err(CloudFrontError::malformed("Name and SigningProtocol are required."));
    }
    if all(state, KIND).any(|(_, other)| other.text("/id") != own && other.text("/name") == name) {
        let message = "An origin access control with the specified parameters already exists.";
        return Err(CloudFrontError::conflict("OriginAccessControlAlreadyExists", message));
    }
    Ok(config)
}

fn create(state: &mut State, call: &Call) -> Outcome {
    let config = checked(state, call, "")?;
    let id = new_id();
    let object = Object::new(KIND, json!({"id": id, "name": config.text_at("Name")}))
        .hiding(json!({"config": inner(&config), "generation": 1}));
    let location = format!("https://cloudfront.amazonaws.com/{}/origin-access-control/{id}", super::VERSION);
    let answer = full(&object, StatusCode::CREATED).with("location", &location);
    state.aws.insert(key(&id), object);
    Ok(answer)
}

fn full(object: &Object, status: StatusCode) -> Answer {
    let inner = format!("<Id>{}</Id><{CONFIG}>{}</{CONFIG}>", object.text("/id"), object.secret("config"));
    Answer::xml(status, written(&inner, "OriginAccessControl")).with("etag", &etag(object))
}

fn list(state: &State) -> Answer {
    let summary = |object: &Object| {
        let config = Element::parse(format!("<c>{}</c>", object.secret("config")).as_bytes()).unwrap_or_default();
        let fields = ["Description", "Name", "SigningProtocol", "SigningBehavior", "OriginAccessControlOriginType"];
        let fields: Vec<_> =
            fields.iter().map(|name| config.at(name).map_or_else(|| format!("<{name}></{name}>"), Element::write)).collect();
        format!("<OriginAccessControlSummary><Id>{}</Id>{}</OriginAccessControlSummary>", object.text("/id"), fields.concat())
    };
    let items: Vec<_> = all(state, KIND).map(|(_, object)| summary(object)).collect();
    let list = if items.is_empty() { String::new() } else { format!("<Items>{}</Items>", items.concat()) };
    let inner = format!(
        "<Marker></Marker><MaxItems>100</MaxItems><IsTruncated>false</IsTruncated><Quantity>{}</Quantity>{list}",
        items.len()
    );
    Answer::xml(StatusCode::OK, written(&inner, "OriginAccessControlList"))
}
