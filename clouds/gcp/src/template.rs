//! Templates of revisions.

use serde_json::{Value, json};

use crate::sizes::Size;

/// Most instances of a revision.
const MOST_INSTANCES: u32 = 20;

/// Time for which a program may take to listen: probes every two seconds.
const START_PROBES: u32 = 110;

/// Annotation of a revision with the path that is looked at before visitors come.
pub(crate) const HEALTH_PATH: &str = "mikrocloud-health-path";

/// Value of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Variable {
    /// A text that everyone may see.
    Plain(String),
    /// A version of a secret.
    Secret { name: String, version: String },
}

/// Files of a bucket in a container.
#[derive(Debug, Clone)]
pub(crate) struct Mount {
    pub bucket: String,
    /// Directory of the bucket that is seen.
    pub directory: String,
    /// Address at which it is seen.
    pub path: &'static str,
}

/// Everything that a revision is made from.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    /// Reference to the image, by digest.
    pub image: String,
    /// Arguments in place of the image's own; none keep those.
    pub arguments: Vec<String>,
    /// Port on which its program listens.
    pub port: u16,
    /// Files of a bucket.
    pub mount: Option<Mount>,
    /// Variables.
    pub variables: Vec<(String, Variable)>,
    /// Size of an instance.
    pub size: Size,
    /// Number of instances that are wanted while it is live; there may be more.
    pub replicas: u32,
    /// Service account that it runs as.
    pub account: String,
    /// Path that must not answer with an error of the server's, where there is one.
    pub health_path: Option<String>,
    /// Labels.
    pub labels: Value,
}

impl Template {
    /// The template as the Admin API v2 takes it, for a revision of this name.
    pub fn write(&self, revision: &str) -> Value {
        let variables = self.variables.iter().map(|(name, value)| match value {
            Variable::Plain(value) => json!({"name": name, "value": value}),
            Variable::Secret { name: secret, version } => {
                json!({"name": name, "valueSource": {"secretKeyRef": {"secret": secret, "version": version}}})
            }
        });
        let Size { cpu, memory_mib } = self.size;
        // Listening is what Google checks: its HTTP probes take an answer of 404 for a failure. The rest is looked at by ourselves.
        let probe = json!({
            "tcpSocket": {"port": self.port}, "periodSeconds": 2, "timeoutSeconds": 2, "failureThreshold": START_PROBES,
        });
        let mut template = json!({
            "revision": revision,
            "labels": self.labels,
            "serviceAccount": self.account,
            "timeout": "300s",
            "maxInstanceRequestConcurrency": 80,
            "scaling": {"maxInstanceCount": MOST_INSTANCES.max(self.replicas)},
            "containers": [{
                "image": self.image,
                "ports": [{"name": "http1", "containerPort": self.port}],
                "env": variables.collect::<Value>(),
                "resources": {
                    "limits": {"cpu": cpu.to_string(), "memory": format!("{memory_mib}Mi")}, "cpuIdle": true, "startupCpuBoost": true,
                },
                "startupProbe": probe,
            }],
        });
        if let Some(path) = &self.health_path {
            template["annotations"] = json!({HEALTH_PATH: path});
        }
        if !self.arguments.is_empty() {
            template["containers"][0]["args"] = json!(self.arguments);
        }
        if let Some(Mount { bucket, directory, path }) = &self.mount {
            // Without implicit-dirs no file is found whose directory was not made as an object.
            let options = json!(["implicit-dirs", format!("only-dir={directory}")]);
            let bucket = json!({"bucket": bucket, "readOnly": true, "mountOptions": options});
            template["volumes"] = json!([{"name": "files", "gcs": bucket}]);
            template["containers"][0]["volumeMounts"] = json!([{"name": "files", "mountPath": path}]);
            template["executionEnvironment"] = json!("EXECUTION_ENVIRONMENT_GEN2");
        }
        template
    }
}
