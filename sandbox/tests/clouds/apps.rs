//! Container apps, from the registry to what a visitor sees.

use http::StatusCode;
use serde_json::{Value, json};

use crate::azure::Azure;
use crate::images::{image, push, server};

const APP: &str = "Microsoft.App/containerApps/web";
const ENVIRONMENT: &str = "Microsoft.App/managedEnvironments/mc-env";
const IDENTITY: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/mc-pull";
const REGISTRY: &str = "Microsoft.ContainerRegistry/registries/mcdemo0011";
const VERSION: &str = "2025-07-01";

/// Signs in at a registry as clients do: an access token, for a refresh token, for an access token of the registry.
async fn registry_token(azure: &Azure, host: &str) -> String {
    let (bench, headers) = (&azure.bench, [("content-type", "application/x-www-form-urlencoded")]);
    let body = format!("grant_type=access_token&service={host}&access_token={}", bench.token);
    let refresh = bench.bytes("POST", &format!("https://{host}/oauth2/exchange"), &headers, body).await.unwrap().good();
    let refresh = refresh["refresh_token"].as_str().unwrap().to_owned();
    let body = format!("grant_type=refresh_token&service={host}&scope=repository:web:pull,push&refresh_token={refresh}");
    let access = bench.bytes("POST", &format!("https://{host}/oauth2/token"), &headers, body).await.unwrap().good();
    access["access_token"].as_str().unwrap().to_owned()
}

async fn push_server(azure: &Azure, version: &str) -> String {
    let host = "mcdemo0011.azurecr.io";
    let token = registry_token(azure, host).await;
    push(&azure.bench, host, "web", &token, image(&[("server.mjs", &server(version))], &["node", "server.mjs"])).await
}

/// Environment, registry and identity; with `pull` the identity may pull.
async fn prepared(test: &str, pull: bool) -> Azure {
    let azure = Azure::start(test, &["Microsoft.App", "Microsoft.ContainerRegistry", "Microsoft.ManagedIdentity"]).await;
    let identity = azure.make(IDENTITY, "2024-11-30", json!({"location": "westeurope"})).await;
    azure.make(REGISTRY, "2025-04-01", json!({"location": "westeurope", "sku": {"name": "Basic"}})).await;
    if pull {
        let role = format!(
            "/subscriptions/{}/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d",
            azure.subscription
        );
        let body = json!({"properties": {"roleDefinitionId": role, "principalId": identity["properties"]["principalId"], "principalType": "ServicePrincipal"}});
        let path = format!("{REGISTRY}/providers/Microsoft.Authorization/roleAssignments/11111111-1111-4111-8111-111111111111");
        azure.call("PUT", &path, "2022-04-01", body).await.good();
    }
    let body = json!({"location": "westeurope", "properties": {"workloadProfiles": [{"name": "Consumption", "workloadProfileType": "Consumption"}]}});
    azure.make(ENVIRONMENT, VERSION, body).await;
    azure
}

fn app(azure: &Azure, suffix: &str, image: &str, traffic: &Value) -> Value {
    let identity = azure.id(IDENTITY);
    json!({
        "location": "westeurope",
        "tags": {"mikrocloud-project": "p1"},
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity.clone(): {}}},
        "properties": {
            "managedEnvironmentId": azure.id(ENVIRONMENT),
            "configuration": {
                "activeRevisionsMode": "Multiple",
                "maxInactiveRevisions": 5,
                "ingress": {"external": true, "targetPort": 8080, "transport": "auto", "traffic": traffic},
                "secrets": [{"name": "v1-greeting", "value": "secret"}],
                "registries": [{"server": "mcdemo0011.azurecr.io", "identity": identity}],
            },
            "template": {
                "revisionSuffix": suffix,
                "containers": [{
                    "name": "app",
                    "image": image,
                    "env": [{"name": "GREETING", "secretRef": "v1-greeting"}],
                    "resources": {"cpu": 0.25, "memory": "0.5Gi"},
                    "probes": [{"type": "Startup", "httpGet": {"path": "/health", "port": 8080}}],
                }],
                "scale": {"minReplicas": 0, "maxReplicas": 3},
            },
        },
    })
}

/// Waits until a revision is provisioned, and gives it.
async fn provisioned(azure: &Azure, name: &str) -> Value {
    let ask = async {
        loop {
            let revision = azure.get(&format!("{APP}/revisions/{name}"), VERSION).await;
            if revision["properties"]["provisioningState"] != json!("Provisioning") {
                return revision;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(40), ask).await.expect("the revision is provisioned")
}

async fn patch(azure: &Azure, body: Value) {
    let got = azure.call("PATCH", APP, VERSION, body).await;
    assert_eq!(got.status, StatusCode::ACCEPTED, "{}", got.text());
    assert_eq!(azure.bench.settled(got).await, "Succeeded");
}

fn to(revision: &str, label: &str, weight: u64) -> Value {
    json!({"revisionName": revision, "label": label, "weight": weight})
}

#[tokio::test]
async fn an_app_serves_switches_rests_and_goes() {
    let azure = prepared("apps", true).await;
    let (one, two) = (push_server(&azure, "one").await, push_server(&azure, "two").await);
    let latest = json!([{"latestRevision": true, "weight": 100}]);
    let got = azure.call("PUT", APP, VERSION, app(&azure, "d1", &one, &latest)).await;
    assert_eq!(got.status, StatusCode::CREATED, "{}", got.text());
    let busy = azure.call("PATCH", APP, VERSION, json!({"tags": {}})).await;
    assert_eq!((busy.status.as_u16(), &busy.json()["error"]["code"]), (409, &json!("ContainerAppOperationInProgress")));
    assert_eq!(azure.bench.settled(got).await, "Succeeded");
    provisioned(&azure, "web--d1").await;
    let shown = azure.get(APP, VERSION).await;
    assert!(!shown.to_string().contains("\"secret\""), "{shown}");
    assert_eq!(shown["properties"]["latestReadyRevisionName"], json!("web--d1"));
    let host = shown["properties"]["configuration"]["ingress"]["fqdn"].as_str().unwrap().to_owned();
    let visit = azure.bench.visit(&host, "/a").await;
    assert_eq!((visit.text().as_str(), visit.header("x-mikrocloud-simulated")), ("one /a secret", "azure container-apps"));

    patch(&azure, json!({"properties": {"configuration": {"ingress": {"traffic": [to("web--d1", "d1", 100)]}}}})).await;
    let template = app(&azure, "d2", &two, &Value::Null)["properties"]["template"].clone();
    let traffic = json!([to("web--d1", "d1", 100), to("web--d2", "d2", 0)]);
    patch(&azure, json!({"properties": {"template": template, "configuration": {"ingress": {"traffic": traffic}}}})).await;
    assert_eq!(provisioned(&azure, "web--d2").await["properties"]["healthState"], json!("Healthy"));
    let labelled = host.replacen("web.", "web---d2.", 1);
    assert!(azure.bench.visit(&labelled, "/").await.text().starts_with("two / "));
    assert!(azure.bench.visit(&host, "/").await.text().starts_with("one / "));

    let traffic = json!([to("web--d1", "d1", 0), to("web--d2", "d2", 100)]);
    patch(&azure, json!({"properties": {"configuration": {"ingress": {"traffic": traffic}}}})).await;
    assert!(azure.bench.visit(&host, "/").await.text().starts_with("two / "));
    azure.call("POST", &format!("{APP}/revisions/web--d1/deactivate"), VERSION, Value::Null).await.good();
    let resting = azure.get(&format!("{APP}/revisions/web--d1"), VERSION).await;
    assert_eq!((&resting["properties"]["active"], &resting["properties"]["runningState"]), (&json!(false), &json!("Stopped")));
    let old = azure.bench.visit(&host.replacen("web.", "web---d1.", 1), "/").await;
    assert_eq!(old.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(old.text().contains("not active"), "{}", old.text());
    azure.call("POST", &format!("{APP}/revisions/web--d1/activate"), VERSION, Value::Null).await.good();
    provisioned(&azure, "web--d1").await;
    assert!(azure.bench.visit(&host.replacen("web.", "web---d1.", 1), "/").await.text().starts_with("one / "));
    let listed = azure.get(&format!("{APP}/revisions"), VERSION).await;
    assert_eq!(listed["value"].as_array().unwrap().len(), 2);
    let inside = azure.call("DELETE", ENVIRONMENT, VERSION, Value::Null).await;
    assert_eq!(inside.status, StatusCode::CONFLICT);
    azure.delete(APP, VERSION).await;
    assert_eq!(azure.bench.visit(&host, "/").await.status, StatusCode::NOT_FOUND);
    azure.clear().await;
}

#[tokio::test]
async fn an_identity_without_a_role_pulls_nothing() {
    let azure = prepared("apps-pull", false).await;
    let one = push_server(&azure, "one").await;
    let latest = json!([{"latestRevision": true, "weight": 100}]);
    let got = azure.call("PUT", APP, VERSION, app(&azure, "d1", &one, &latest)).await;
    let error = azure.bench.settled(got).await;
    assert!(error.contains("AcrPull") && error.contains("UNAUTHORIZED"), "{error}");
    let revision = provisioned(&azure, "web--d1").await;
    assert_eq!(revision["properties"]["provisioningState"], json!("Failed"));
}

#[tokio::test]
async fn an_app_is_checked_before_it_is_made() {
    let azure = prepared("apps-checks", true).await;
    let one = push_server(&azure, "one").await;
    let latest = json!([{"latestRevision": true, "weight": 100}]);
    let good = app(&azure, "d1", &one, &latest);
    let table = [
        (
            "/properties/managedEnvironmentId",
            json!("/subscriptions/s/resourceGroups/r/providers/Microsoft.App/managedEnvironments/no"),
            "ManagedEnvironmentNotFound",
        ),
        ("/properties/configuration/secrets", json!([{"name": "v1-greeting"}]), "ContainerAppSecretInvalid"),
        ("/properties/configuration/secrets", json!([]), "ContainerAppSecretRefNotFound"),
        ("/properties/configuration/ingress/traffic", json!([to("web--d0", "", 100)]), "ContainerAppTrafficRevisionNotFound"),
        ("/properties/configuration/ingress/traffic", json!([to("web--d1", "", 90)]), "ContainerAppInvalidIngressTraffic"),
        ("/properties/template/containers/0/resources/cpu", json!(0.3), "ContainerAppInvalidResourceTotal"),
        ("/properties/template/revisionSuffix", json!("Bad"), "ContainerAppInvalidRevisionSuffix"),
        ("/identity/userAssignedIdentities", json!({}), "ContainerAppRegistryIdentityNotFound"),
    ];
    for (place, value, code) in table {
        let mut body = good.clone();
        *body.pointer_mut(place).unwrap() = value;
        let refused = azure.call("PUT", APP, VERSION, body).await;
        assert_eq!(refused.json()["error"]["code"], json!(code), "{}", refused.text());
        assert_eq!(azure.call("GET", APP, VERSION, Value::Null).await.status, StatusCode::NOT_FOUND);
    }
    let got = azure.call("PUT", APP, VERSION, good).await;
    assert_eq!(azure.bench.settled(got).await, "Succeeded");
    let mut other = app(&azure, "d1", &one, &latest);
    other["properties"]["template"]["scale"]["maxReplicas"] = json!(9);
    let refused = azure.call("PUT", APP, VERSION, other).await;
    assert_eq!(refused.json()["error"]["code"], json!("ContainerAppInvalidRevisionSuffix"));
    let secrets = azure.call("POST", &format!("{APP}/listSecrets"), VERSION, Value::Null).await.good();
    assert_eq!(secrets["value"], json!([{"name": "v1-greeting", "value": "secret"}]));
}

#[tokio::test]
async fn what_an_app_uses_needs_permissions_of_its_own() {
    let azure = prepared("apps-linked", true).await;
    let one = push_server(&azure, "one").await;
    let client = azure.principal["client"].as_str().unwrap();
    let latest = json!([{"latestRevision": true, "weight": 100}]);
    for action in
        ["Microsoft.App/managedEnvironments/join/action", "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"]
    {
        azure.bench.control("PATCH", &format!("principals/azure/{client}"), json!({"denied": [action]})).await.good();
        let refused = azure.call("PUT", APP, VERSION, app(&azure, "d1", &one, &latest)).await;
        assert_eq!(refused.json()["error"]["code"], json!("LinkedAuthorizationFailed"));
        assert!(refused.error().1.contains(action), "{}", refused.text());
    }
    let action = "Microsoft.ContainerRegistry/registries/artifacts/delete";
    azure.bench.control("PATCH", &format!("principals/azure/{client}"), json!({"denied": [action]})).await.good();
    let (image, digest) = one.split_once('@').unwrap();
    let (host, repository) = image.split_once('/').unwrap();
    let bearer = format!("Bearer {}", registry_token(&azure, host).await);
    let url = format!("https://{host}/v2/{repository}/manifests/{digest}");
    let delete = async || azure.bench.bytes("DELETE", &url, &[("authorization", &bearer)], "").await.unwrap();
    assert_eq!(delete().await.status, StatusCode::FORBIDDEN);
    azure.bench.control("PATCH", &format!("principals/azure/{client}"), json!({"denied": []})).await.good();
    assert_eq!(delete().await.status, StatusCode::ACCEPTED);
    assert_eq!(delete().await.status, StatusCode::NOT_FOUND);
}
