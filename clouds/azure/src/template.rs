//! The form of a container app and of each of its revisions (learn.microsoft.com, "Container Apps - Create Or Update").

use clouds_contract::CloudError;
use clouds_contract::guard::Call;
use domain::id::DeploymentId;
use domain::secret::Secret;
use domain::workload::Server;
use http::Method;
use serde_json::{Value, json};

use crate::arm::Arm;
use crate::types::APP;

/// Revisions that Azure keeps beside those that are active.
const KEPT_REVISIONS: u32 = 20;

/// Sizes that Azure sells on the Consumption profile: cores, and GiB of memory (learn.microsoft.com, "Containers in Azure Container Apps").
const SIZES: [(f64, f64); 8] =
    [(0.25, 0.5), (0.5, 1.0), (0.75, 1.5), (1.0, 2.0), (1.25, 2.5), (1.5, 3.0), (1.75, 3.5), (2.0, 4.0)];

/// Variable that says which deployment a revision is.
pub const DEPLOYMENT: &str = "MIKROCLOUD_DEPLOYMENT";

/// Everything that a revision is made of.
pub struct Template {
    /// The deployment.
    pub deployment: DeploymentId,
    /// Name of the revision after the app's.
    pub suffix: String,
    /// The image, by its digest.
    pub image: String,
    /// The server.
    pub server: Server,
    /// Port on which its program listens.
    pub port: u16,
    /// Variables of the environment.
    pub variables: Vec<(String, Secret)>,
    /// Id of the identity that pulls the image.
    pub identity: String,
    /// Host of the registry.
    pub registry: String,
    /// Id of the environment that it runs in.
    pub environment: String,
    /// The region.
    pub region: String,
}

impl Template {
    /// A whole app with this as its first revision, which has all visitors from the beginning: nobody knows the address yet.
    pub fn of_app(&self) -> Value {
        json!({
            "location": self.region,
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {self.identity.as_str(): {}}},
            "properties": {
                "managedEnvironmentId": self.environment,
                "configuration": {
                    "activeRevisionsMode": "Multiple",
                    "maxInactiveRevisions": KEPT_REVISIONS,
                    "ingress": {
                        "external": true,
                        "targetPort": self.port,
                        "transport": "auto",
                        "traffic": [{"latestRevision": true, "weight": 100}],
                    },
                    "registries": [{"server": self.registry, "identity": self.identity}],
                    "secrets": self.secrets(),
                },
                "template": self.template(),
            },
        })
    }

    /// A change of an app that adds this as a revision without visitors: those there are keep them, by name.
    pub async fn of_revision(&self, arm: &Arm, app: &str) -> Result<Value, CloudError> {
        let present =
            arm.get(Call::freely("Microsoft.App", "containerApps.get"), app, APP.api_version).await?.unwrap_or_default();
        let properties = &present["properties"];
        let name = app.rsplit('/').next().unwrap_or_default();
        let latest = properties["latestRevisionName"].as_str().unwrap_or_default();
        let traffic = properties["configuration"]["ingress"]["traffic"].as_array().cloned().unwrap_or_default();
        let named = traffic.into_iter().map(|mut entry| {
            if entry["latestRevision"] == true {
                entry = json!({"revisionName": latest, "weight": entry["weight"]});
            }
            entry
        });
        let own = format!("{name}--{}", self.suffix);
        let traffic: Vec<Value> = named.filter(|entry| entry["revisionName"] != own.as_str()).collect();
        // A list of secrets replaces the one there is: those of other revisions are given along.
        let mut secrets = kept_secrets(arm, app, &self.suffix).await?;
        secrets.extend(self.secrets());
        Ok(json!({
            "properties": {
                "configuration": {
                    "ingress": {"external": true, "targetPort": self.port, "transport": "auto", "traffic": traffic},
                    "secrets": secrets,
                },
                "template": self.template(),
            },
        }))
    }

    fn template(&self) -> Value {
        let (cpu, memory) = size(self.server.cpu, self.server.memory_mib);
        let plain = self.server.env.iter().map(|(name, value)| json!({"name": name, "value": value}));
        let own = json!({"name": DEPLOYMENT, "value": self.deployment.to_string()});
        let plain = plain.chain([own]);
        let secret = self
            .variables
            .iter()
            .enumerate()
            .map(|(index, (name, _))| json!({"name": name, "secretRef": secret_name(&self.suffix, index)}));
        let probe = json!({
            "type": "Startup",
            "httpGet": {"path": self.server.health_path, "port": self.port},
            "periodSeconds": 2,
            "failureThreshold": 60,
            "timeoutSeconds": 5,
        });
        json!({
            "revisionSuffix": self.suffix,
            "containers": [{
                "name": "app",
                "image": self.image,
                "resources": {"cpu": cpu, "memory": format!("{memory}Gi")},
                "env": plain.chain(secret).collect::<Vec<_>>(),
                "probes": [probe],
            }],
            "scale": {"minReplicas": 0, "maxReplicas": self.server.replicas.max(1)},
        })
    }

    fn secrets(&self) -> Vec<Value> {
        let named = self.variables.iter().enumerate();
        named.map(|(index, (_, value))| json!({"name": secret_name(&self.suffix, index), "value": value.expose()})).collect()
    }
}

/// Secrets belong to the app, not to a revision: each deployment's have names of their own, so that none ever changes.
fn secret_name(suffix: &str, index: usize) -> String {
    format!("{suffix}-{index}")
}

/// Secrets of an app that are not those of this revision, with their values.
async fn kept_secrets(arm: &Arm, app: &str, suffix: &str) -> Result<Vec<Value>, CloudError> {
    let call = Call::freely("Microsoft.App", "containerApps.listSecrets");
    let answer = arm.send(call, Method::POST, &format!("{app}/listSecrets"), APP.api_version, None).await?;
    let own = format!("{suffix}-");
    let all = answer.body["value"].as_array().cloned().unwrap_or_default();
    Ok(all.into_iter().filter(|secret| !secret["name"].as_str().unwrap_or_default().starts_with(&own)).collect())
}

/// The smallest size sold that has so many cores and so much memory, in cores and GiB; the largest if none has.
pub fn size(cpu: f64, memory_mib: u64) -> (f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "a size in MiB is far below 2^52")]
    let memory = memory_mib as f64 / 1024.0;
    let fits = |(cores, gib): &&(f64, f64)| *cores >= cpu && *gib >= memory;
    SIZES.iter().find(fits).copied().unwrap_or(SIZES[SIZES.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_go_up_to_one_that_is_sold() {
        assert_eq!(size(0.1, 256), (0.25, 0.5));
        assert_eq!(size(0.5, 512), (0.5, 1.0));
        assert_eq!(size(0.25, 1500), (0.75, 1.5));
        assert_eq!(size(8.0, 1 << 20), (2.0, 4.0));
    }
}
