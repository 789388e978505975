//! Distributions.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::json;

use super::error::CloudFrontError;
use super::{Outcome, all, bump, check_etag, document, etag, new_id, reads, tags, written};
use crate::aws::ACCOUNT;
use crate::aws::xml::Element;
use crate::http::{Answer, Call};
use crate::world::{Object, Phase, State};

/// Kind of a distribution.
pub(in crate::aws) const DISTRIBUTION: &str = "cloudfront.distributions";

fn key(id: &str) -> String {
    format!("cloudfront/distribution/{id}")
}

/// Answers a call about distributions.
pub(super) fn answer(state: &mut State, call: &Call, rest: &[&str]) -> Outcome {
    match (&call.method, rest) {
        (&Method::POST, []) => create(state, call),
        (&Method::GET, []) => Ok(list(state)),
        (&Method::GET, [id]) => {
            let object = polled(state, id)?;
            Ok(full(object, StatusCode::OK))
        }
        (&Method::GET, [id, "config"]) => {
            let object = polled(state, id)?;
            Ok(Answer::xml(StatusCode::OK, written(&inner_config(object), "DistributionConfig")).with("etag", &etag(object)))
        }
        (&Method::PUT, [id, "config"]) => update(state, call, id),
        (&Method::DELETE, [id]) => delete(state, call, id),
        (_, [id, "invalidation", ..]) => invalidation(state, call, id),
        _ => Err(CloudFrontError::unknown()),
    }
}

fn missing() -> CloudFrontError {
    CloudFrontError::missing("NoSuchDistribution", "The specified distribution does not exist.")
}

/// The distribution, after a question about its change.
fn polled<'s>(state: &'s mut State, id: &str) -> Result<&'s mut Object, CloudFrontError> {
    let now = state.millis();
    let object = state.aws.get_mut(&key(id)).ok_or_else(missing)?;
    if object.phase.as_mut().is_some_and(|phase| phase.poll(now)) {
        object.phase = None;
    }
    Ok(object)
}

/// Returns true if the settings are everywhere.
pub(in crate::aws) fn settled(distribution: &Object) -> bool {
    distribution.phase.is_none()
}

/// The settings of a distribution.
pub(in crate::aws) fn config_of(distribution: &Object) -> Option<Element> {
    Element::parse(distribution.secret("config").as_bytes())
}

fn inner_config(object: &Object) -> String {
    let config = object.secret("config");
    config.trim_start_matches("<DistributionConfig>").trim_end_matches("</DistributionConfig>").to_owned()
}

fn create(state: &mut State, call: &Call) -> Outcome {
    let with_tags = call.raw_query.contains("WithTags");
    let (config, given) = if with_tags {
        let body = document(call, "DistributionConfigWithTags")?;
        let config =
            body.at("DistributionConfig").cloned().ok_or_else(|| CloudFrontError::malformed("DistributionConfig is missing"))?;
        (config, body.at("Tags").map(tags::read).unwrap_or_default())
    } else {
        (document(call, "DistributionConfig")?, BTreeMap::new())
    };
    check(state, &config, "")?;
    let reference = config.text_at("CallerReference").to_owned();
    if all(state, DISTRIBUTION).any(|(_, other)| other.secret("reference") == reference) {
        let message = "The caller reference that you are using to create a distribution is associated with another distribution.";
        return Err(CloudFrontError::conflict("DistributionAlreadyExists", message));
    }
    let id = new_id();
    let body = json!({
        "id": id, "arn": format!("arn:aws:cloudfront::{ACCOUNT}:distribution/{id}"), "tags": given,
        "domain": format!("d{}.cloudfront.net", id[1..].to_ascii_lowercase()),
    });
    let hidden = json!({"config": config.write(), "reference": reference, "generation": 1, "modified": state.stamp()});
    let mut object = Object::new(DISTRIBUTION, body).hiding(hidden);
    object.phase = Some(phase(state));
    let answer = full(&object, StatusCode::CREATED)
        .with("location", &format!("https://cloudfront.amazonaws.com/{}/distribution/{id}", super::VERSION));
    state.aws.insert(key(&id), object);
    Ok(answer)
}

fn phase(state: &State) -> Phase {
    Phase::new("deployed", state.behaviours.of(DISTRIBUTION), state.millis())
}

/// Checks settings against what exists.
fn check(state: &State, config: &Element, own: &str) -> Result<(), CloudFrontError> {
    let origins: Vec<_> = config.items("Origins/Items").iter().collect();
    let target = config.text_at("DefaultCacheBehavior/TargetOriginId");
    if origins.is_empty() || !origins.iter().any(|origin| origin.text_at("Id") == target) {
        return Err(CloudFrontError::missing("NoSuchOrigin", "One or more of your origins or origin groups do not exist."));
    }
    for origin in origins {
        let control = origin.text_at("OriginAccessControlId");
        if !control.is_empty() && !state.aws.contains(&format!("cloudfront/access/{control}")) {
            return Err(CloudFrontError::missing("NoSuchOriginAccessControl", "The origin access control does not exist."));
        }
    }
    for association in config.items("DefaultCacheBehavior/FunctionAssociations/Items") {
        let arn = association.text_at("FunctionARN");
        let is_live =
            all(state, super::FUNCTION).any(|(_, function)| function.text("/arn") == arn && !function.hidden["live"].is_null());
        if !is_live {
            let message = format!("The function {arn} does not exist or is not published to LIVE.");
            return Err(CloudFrontError::invalid("InvalidFunctionAssociation", message));
        }
    }
    for alias in config.items("Aliases/Items") {
        let others = all(state, DISTRIBUTION).filter(|(_, other)| other.text("/id") != own);
        let mut others = others.filter_map(|(_, other)| config_of(other));
        if others.any(|other| other.items("Aliases/Items").iter().any(|taken| taken.text == alias.text)) {
            let message = "One or more of the CNAMEs you provided are already associated with a different resource.";
            return Err(CloudFrontError::conflict("CNAMEAlreadyExists", message));
        }
    }
    Ok(())
}

fn update(state: &mut State, call: &Call, id: &str) -> Outcome {
    let config = document(call, "DistributionConfig")?;
    let object = state.aws.get(&key(id)).ok_or_else(missing)?;
    check_etag(call, object)?;
    check(state, &config, id)?;
    if config.text_at("CallerReference") != object.secret("reference") {
        return Err(CloudFrontError::invalid(
            "IllegalUpdate",
            "The update contains modifications that are not allowed: CallerReference.",
        ));
    }
    let (phase, stamp) = (phase(state), state.stamp());
    let object = state.aws.get_mut(&key(id)).ok_or_else(missing)?;
    object.hidden["config"] = json!(config.write());
    object.hidden["modified"] = json!(stamp);
    object.phase = Some(phase);
    bump(object);
    Ok(full(object, StatusCode::OK))
}

fn delete(state: &mut State, call: &Call, id: &str) -> Outcome {
    let object = polled(state, id)?;
    check_etag(call, object)?;
    let is_enabled = config_of(object).is_some_and(|config| config.text_at("Enabled") == "true");
    if is_enabled || !settled(object) {
        let message = "The distribution you are trying to delete has not been disabled, or is still being deployed.";
        return Err(CloudFrontError::conflict("DistributionNotDisabled", message));
    }
    state.aws.remove(&key(id));
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn status(object: &Object) -> &'static str {
    if settled(object) { "Deployed" } else { "InProgress" }
}

fn full(object: &Object, code: StatusCode) -> Answer {
    let inner = format!(
        "<Id>{}</Id><ARN>{}</ARN><Status>{}</Status><LastModifiedTime>{}</LastModifiedTime><InProgressInvalidationBatches>0\
         </InProgressInvalidationBatches><DomainName>{}</DomainName><ActiveTrustedSigners><Enabled>false</Enabled><Quantity>0</Quantity>\
         </ActiveTrustedSigners><ActiveTrustedKeyGroups><Enabled>false</Enabled><Quantity>0</Quantity></ActiveTrustedKeyGroups>{}",
        object.text("/id"),
        object.text("/arn"),
        status(object),
        object.secret("modified"),
        object.text("/domain"),
        object.secret("config")
    );
    Answer::xml(code, written(&inner, "Distribution")).with("etag", &etag(object))
}

/// Lists every distribution; pages are not simulated.
fn list(state: &State) -> Answer {
    let items: Vec<_> = all(state, DISTRIBUTION).map(|(_, object)| summary(object)).collect();
    let list = if items.is_empty() { String::new() } else { format!("<Items>{}</Items>", items.concat()) };
    let inner = format!(
        "<Marker></Marker><MaxItems>100</MaxItems><IsTruncated>false</IsTruncated><Quantity>{}</Quantity>{list}",
        items.len()
    );
    Answer::xml(StatusCode::OK, written(&inner, "DistributionList"))
}

fn summary(object: &Object) -> String {
    let config = config_of(object).unwrap_or_default();
    let own = [
        "Aliases",
        "Origins",
        "DefaultCacheBehavior",
        "CacheBehaviors",
        "CustomErrorResponses",
        "Comment",
        "PriceClass",
        "Enabled",
        "ViewerCertificate",
        "Restrictions",
        "WebACLId",
        "HttpVersion",
        "IsIPV6Enabled",
    ];
    let usual = |name: &str| {
        match name {
        "Aliases" | "CacheBehaviors" | "CustomErrorResponses" => format!("<{name}><Quantity>0</Quantity></{name}>"),
        "PriceClass" => "<PriceClass>PriceClass_All</PriceClass>".to_owned(),
        "ViewerCertificate" => "<ViewerCertificate><CloudFrontDefaultCertificate>true</CloudFrontDefaultCertificate></ViewerCertificate>".to_owned(),
        "Restrictions" => "<Restrictions><GeoRestriction><RestrictionType>none</RestrictionType><Quantity>0</Quantity></GeoRestriction></Restrictions>".to_owned(),
        "HttpVersion" => "<HttpVersion>http2</HttpVersion>".to_owned(),
        "IsIPV6Enabled" => "<IsIPV6Enabled>true</IsIPV6Enabled>".to_owned(),
        other => format!("<{other}></{other}>"),
    }
    };
    let parts: Vec<_> = own.iter().map(|name| config.at(name).map_or_else(|| usual(name), Element::write)).collect();
    format!(
        "<DistributionSummary><Id>{}</Id><ARN>{}</ARN><Status>{}</Status><LastModifiedTime>{}</LastModifiedTime><DomainName>{}</DomainName>\
         {}<Staging>false</Staging></DistributionSummary>",
        object.text("/id"),
        object.text("/arn"),
        status(object),
        object.secret("modified"),
        object.text("/domain"),
        parts.concat()
    )
}

/// Invalidations are over at once: nothing is cached.
fn invalidation(state: &mut State, call: &Call, id: &str) -> Outcome {
    let stamp = state.stamp();
    if !state.aws.contains(&key(id)) {
        return Err(missing());
    }
    let batch = if reads(call) { Element::default().renamed("InvalidationBatch") } else { document(call, "InvalidationBatch")? };
    let inner = format!("<Id>{}</Id><Status>Completed</Status><CreateTime>{stamp}</CreateTime>{}", new_id(), batch.write());
    let status = if reads(call) { StatusCode::OK } else { StatusCode::CREATED };
    Ok(Answer::xml(status, written(&inner, "Invalidation")))
}
