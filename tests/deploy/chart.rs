//! `deploy/helm/mikrocloud`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::tools::{Said, documents, installed, python, run, texts};

const CHART: &str = "deploy/helm/mikrocloud";
/// The values in the chart's `ci` folder.
pub const VALUES: [&str; 2] = ["minimal", "full"];
/// The oldest version that the chart takes and a recent one.
const KUBERNETES: [&str; 2] = ["1.27.0", "1.36.0"];

fn helm(tools: &Path, arguments: &[&str]) -> Said {
    let mut command = Command::new(tools.join("helm/helm"));
    // Nobody's plugins and repositories.
    command.args(arguments).env("HELM_CONFIG_HOME", tools).env("HELM_DATA_HOME", tools).env("HELM_CACHE_HOME", tools);
    run(&mut command, "helm", "").unwrap()
}

fn values(name: &str) -> String {
    format!("{CHART}/ci/{name}.yaml")
}

/// The manifests for a set of values.
pub fn rendered(tools: &Path, name: &str) -> Vec<Value> {
    let said = helm(tools, &["template", "live", CHART, "--namespace", "apps", "--values", &values(name)]);
    assert!(said.well, "{}", said.err);
    documents(tools, &said.out)
}

/// The pods of manifests: what they are of, and their specification.
pub fn pods(manifests: &[Value]) -> Vec<(String, &Value)> {
    let with_pods = manifests.iter().filter(|manifest| manifest["spec"]["template"]["spec"].is_object());
    with_pods.map(|manifest| (name(manifest), &manifest["spec"]["template"])).collect()
}

fn name(manifest: &Value) -> String {
    format!("{}/{}", manifest["kind"].as_str().unwrap(), manifest["metadata"]["name"].as_str().unwrap())
}

#[test]
fn helm_has_nothing_against_the_chart() {
    let Some(tools) = installed() else { return };
    for name in VALUES {
        let said = helm(&tools, &["lint", "--strict", CHART, "--values", &values(name)]);
        assert!(said.well, "{name}: {}{}", said.out, said.err);
    }
}

#[test]
fn nothing_is_rendered_without_a_secret_and_a_place_for_objects() {
    let Some(tools) = installed() else { return };
    let minimal = values("minimal");
    for (setting, reason) in [
        ("existingSecret=", "/existingSecret"),
        ("objects.url=", "/objects/url"),
        ("objects.url=file:///objects", "existingClaim"),
        ("workers.build.queues[0]=buidl", "/workers/build/queues/0"),
        ("api.replicsa=2", "replicsa"),
        ("ingress.enabled=true", "/ingress/host"),
        ("sites.publicPort=70000", "/sites/publicPort"),
    ] {
        let said = helm(&tools, &["template", "live", CHART, "--values", &minimal, "--set", setting]);
        assert!(!said.well && said.err.contains(reason), "{setting}: {}", said.err);
    }
}

#[test]
fn what_is_rendered_is_valid_to_kubernetes() {
    let Some(tools) = installed() else { return };
    let check = |version: &str, manifest: &str| {
        let arguments = ["-m", "kubernetes_validate", "--strict", "--quiet", "--no-warn", "-k", version, "-"];
        run(python(&tools).args(arguments), "python3", manifest).unwrap()
    };
    for (values, version) in VALUES.into_iter().flat_map(|values| KUBERNETES.map(|version| (values, version))) {
        let known = rendered(&tools, values).into_iter().filter(|manifest| manifest["kind"] != "ScaledObject");
        let all: Vec<String> = known.map(|manifest| manifest.to_string()).collect();
        assert!(all.len() > 12, "{values}: {}", all.len());
        let said = check(version, &all.join("\n---\n"));
        assert!(said.well, "{values} on {version}: {}{}", said.out, said.err);
    }
    let mut wrong = rendered(&tools, "minimal").into_iter().find(|manifest| manifest["kind"] == "Deployment").unwrap();
    wrong["spec"]["replicsa"] = 2.into();
    assert!(!check(KUBERNETES[0], &wrong.to_string()).well, "it finds a word that is not one");
}

#[test]
fn every_pod_may_do_no_more_than_it_needs() {
    let Some(tools) = installed() else { return };
    for values in VALUES {
        let manifests = rendered(&tools, values);
        for (name, pod) in pods(&manifests) {
            let spec = &pod["spec"];
            assert_eq!(spec["securityContext"]["runAsNonRoot"], true, "{name}");
            assert_eq!(spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{name}");
            assert_eq!(spec["automountServiceAccountToken"], false, "{name}");
            let container = &spec["containers"][0];
            assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true, "{name}");
            assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false, "{name}");
            assert_eq!(texts(&container["securityContext"]["capabilities"]["drop"]), ["ALL"], "{name}");
            let role = container["args"][0].as_str().unwrap();
            for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
                let expected = if probe == "livenessProbe" { "/healthz" } else { "/readyz" };
                assert!(role == "migrate" || container[probe]["httpGet"]["path"] == expected, "{name}: {probe}");
            }
            if role == "worker" {
                let seconds = |text: &String| text.strip_prefix("--shutdown-seconds=")?.parse::<i64>().ok();
                let shutdown = texts(&container["args"]).iter().find_map(seconds).unwrap();
                assert!(spec["terminationGracePeriodSeconds"].as_i64().unwrap() >= shutdown + 10, "{name}");
            }
        }
    }
}

#[test]
fn workers_scale_by_what_waits_in_their_queues() {
    let Some(tools) = installed() else { return };
    let manifests = rendered(&tools, "full");
    let scaled: Vec<_> = manifests.iter().filter(|manifest| manifest["kind"] == "ScaledObject").collect();
    assert_eq!(scaled.len(), 2);
    for object in scaled {
        let target = object["spec"]["scaleTargetRef"]["name"].as_str().unwrap();
        let deployment = manifests.iter().find(|manifest| name(manifest) == format!("Deployment/{target}")).unwrap();
        assert!(deployment["spec"]["replicas"].is_null(), "two would set the replicas of {target}");
        let trigger = &object["spec"]["triggers"][0];
        assert_eq!(trigger["type"], "postgresql");
        let query = trigger["metadata"]["query"].as_str().unwrap();
        assert_eq!(query.contains("queue IN ('build')"), target.ends_with("-build"), "{query}");
    }
}

/// The queries that KEDA asks the database.
pub fn queries(tools: &Path) -> Vec<String> {
    let query = |manifest: Value| Some(manifest["spec"]["triggers"][0]["metadata"]["query"].as_str()?.to_owned());
    rendered(tools, "full").into_iter().filter_map(query).collect()
}

#[test]
fn services_budgets_and_policies_find_their_pods() {
    let Some(tools) = installed() else { return };
    for values in VALUES {
        let manifests = rendered(&tools, values);
        let labels: Vec<_> =
            pods(&manifests).into_iter().map(|(_, pod)| pod["metadata"]["labels"].as_object().unwrap()).collect();
        for manifest in &manifests {
            let spec = &manifest["spec"];
            let selector = match manifest["kind"].as_str().unwrap() {
                "Service" => &spec["selector"],
                "PodDisruptionBudget" => &spec["selector"]["matchLabels"],
                "NetworkPolicy" => &spec["podSelector"]["matchLabels"],
                _ => continue,
            };
            let selector = selector.as_object().unwrap();
            let finds = labels.iter().any(|labels| selector.iter().all(|(key, value)| labels.get(key) == Some(value)));
            assert!(finds, "{} selects nothing", name(manifest));
        }
    }
}
