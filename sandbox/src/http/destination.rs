//! Part of the sandbox that answers a host.

/// Part of the sandbox that answers a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Token endpoints of Google.
    GoogleLogin,
    /// Token endpoints of Microsoft.
    MicrosoftLogin,
    /// Google's APIs.
    Google,
    /// The Azure Resource Manager.
    AzureResources,
    /// Azure's blobs.
    AzureBlobs,
    /// Container registries of every cloud.
    Registry,
    /// AWS's APIs.
    Aws,
    /// Addresses of what was deployed.
    DataPlane,
}

impl Destination {
    /// The part that answers this host. Whatever is no API is an address of something deployed.
    pub fn of(host: &str) -> Self {
        let ends = |suffix: &str| host.ends_with(suffix);
        match host {
            "oauth2.googleapis.com" | "accounts.google.com" | "sts.googleapis.com" => Self::GoogleLogin,
            "login.microsoftonline.com" | "login.windows.net" => Self::MicrosoftLogin,
            "management.azure.com" => Self::AzureResources,
            _ if is_registry(host) => Self::Registry,
            _ if ends(".blob.core.windows.net") => Self::AzureBlobs,
            _ if ends(".googleapis.com") => Self::Google,
            _ if ends(".elb.amazonaws.com") => Self::DataPlane,
            _ if ends(".amazonaws.com") || ends(".api.aws") => Self::Aws,
            _ => Self::DataPlane,
        }
    }
}

/// Returns true for hosts of container registries.
pub(crate) fn is_registry(host: &str) -> bool {
    host.ends_with("-docker.pkg.dev")
        || host.ends_with(".azurecr.io")
        || (host.contains(".dkr.ecr.") && host.ends_with(".amazonaws.com"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_has_its_part() {
        let table = [
            ("run.googleapis.com", Destination::Google),
            ("oauth2.googleapis.com", Destination::GoogleLogin),
            ("europe-west1-docker.pkg.dev", Destination::Registry),
            ("acct.azurecr.io", Destination::Registry),
            ("1.dkr.ecr.eu-west-1.amazonaws.com", Destination::Registry),
            ("management.azure.com", Destination::AzureResources),
            ("acct.blob.core.windows.net", Destination::AzureBlobs),
            ("acct.z6.web.core.windows.net", Destination::DataPlane),
            ("ecs.eu-west-1.amazonaws.com", Destination::Aws),
            ("web-1.eu-west-1.elb.amazonaws.com", Destination::DataPlane),
            ("d123.cloudfront.net", Destination::DataPlane),
            ("svc-abc-ew.a.run.app", Destination::DataPlane),
        ];
        for (host, part) in table {
            assert_eq!(Destination::of(host), part, "{host}");
        }
    }
}
