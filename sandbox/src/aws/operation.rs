//! Service, region and operation of a call.

use crate::http::Call;

/// Service, region and operation of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Operation {
    /// Service, such as `ecs` or `s3`.
    pub service: String,
    pub region: String,
    /// Operation such as `CreateService`; for REST services method and path.
    pub name: String,
    /// Access key of the caller; empty for calls without a signature.
    pub key: String,
}

impl Operation {
    /// Reads a call.
    pub fn of(call: &Call) -> Self {
        let authorization = call.header("authorization");
        let scope = authorization.split_once("Credential=").map_or("", |(_, rest)| rest.split(',').next().unwrap_or_default());
        let parts: Vec<&str> = scope.split('/').collect();
        // Signatures of version 4A name no region.
        let (region, signed) = match parts.as_slice() {
            [_, _, region, service, _] => (*region, *service),
            [_, _, service, _] => ("us-east-1", *service),
            _ => ("", ""),
        };
        let (service, host_region) = by_host(&call.host);
        let service = if service.is_empty() { signed } else { service };
        let region = if region.is_empty() { host_region } else { region };
        let key = parts.first().copied().unwrap_or_default();
        Self { service: service.to_owned(), region: region.to_owned(), name: name_of(call), key: key.to_owned() }
    }
}

/// Service and region of a host such as `ecs.eu-west-1.amazonaws.com` or `bucket.s3.eu-west-1.amazonaws.com`.
fn by_host(host: &str) -> (&str, &str) {
    if host.ends_with(".cloudfront-kvs.global.api.aws") {
        return ("cloudfront-keyvaluestore", "us-east-1");
    }
    let Some(name) = host.strip_suffix(".amazonaws.com") else { return ("", "us-east-1") };
    if let Some((_, rest)) = name.split_once(".s3.").or_else(|| name.split_once(".s3-")) {
        return ("s3", rest);
    }
    if let Some((_, "s3")) = name.rsplit_once('.') {
        return ("s3", "us-east-1");
    }
    let name = name.strip_prefix("api.").unwrap_or(name);
    name.split_once('.').unwrap_or((name, "us-east-1"))
}

fn name_of(call: &Call) -> String {
    let target = call.header("x-amz-target");
    if let Some((_, name)) = target.rsplit_once('.') {
        return name.to_owned();
    }
    let is_form = call.header("content-type").starts_with("application/x-www-form-urlencoded");
    let action = call.parameter("Action").map(str::to_owned);
    let form = || is_form.then(|| call.form().into_iter().find(|(name, _)| name == "Action").map(|(_, value)| value)).flatten();
    action.or_else(form).unwrap_or_else(|| format!("{} {}", call.method, call.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_name_services_and_regions() {
        let table = [
            ("ecs.eu-west-1.amazonaws.com", ("ecs", "eu-west-1")),
            ("api.ecr.eu-west-1.amazonaws.com", ("ecr", "eu-west-1")),
            ("iam.amazonaws.com", ("iam", "us-east-1")),
            ("mc-files.s3.eu-west-1.amazonaws.com", ("s3", "eu-west-1")),
            ("mc-files.s3.amazonaws.com", ("s3", "us-east-1")),
            ("s3.eu-west-1.amazonaws.com", ("s3", "eu-west-1")),
            ("123456789012.cloudfront-kvs.global.api.aws", ("cloudfront-keyvaluestore", "us-east-1")),
        ];
        for (host, expected) in table {
            assert_eq!(by_host(host), expected, "{host}");
        }
    }
}
