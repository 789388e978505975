//! The resource manager of Azure, without container apps.

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Bench, Got};

/// A signed-in bench with a resource group.
pub struct Azure {
    pub bench: Bench,
    pub principal: Value,
    pub subscription: String,
}

impl Azure {
    pub async fn start(test: &str, providers: &[&str]) -> Self {
        let mut bench = Bench::start(test).await;
        let principal = bench.azure().await;
        let subscription = principal["subscription"].as_str().unwrap().to_owned();
        bench.register(&subscription, providers).await;
        let azure = Self { bench, principal, subscription };
        let group =
            azure.bench.call("PUT", &azure.group(), json!({"location": "westeurope", "tags": {"mikrocloud-team": "t1"}})).await;
        assert_eq!(group.status, StatusCode::CREATED);
        azure
    }

    pub fn group(&self) -> String {
        format!("https://management.azure.com/subscriptions/{}/resourcegroups/rg?api-version=2025-04-01", self.subscription)
    }

    pub fn id(&self, path: &str) -> String {
        format!("/subscriptions/{}/resourceGroups/rg/providers/{path}", self.subscription)
    }

    pub fn url(&self, path: &str, version: &str) -> String {
        format!("https://management.azure.com{}?api-version={version}", self.id(path))
    }

    pub async fn call(&self, method: &str, path: &str, version: &str, body: Value) -> Got {
        self.bench.call(method, &self.url(path, version), body).await
    }

    pub async fn get(&self, path: &str, version: &str) -> Value {
        self.call("GET", path, version, Value::Null).await.good()
    }

    /// Writes a resource, waits for it and gives it.
    pub async fn make(&self, path: &str, version: &str, body: Value) -> Value {
        let got = self.call("PUT", path, version, body).await;
        assert_eq!(self.bench.settled(got).await, "Succeeded");
        self.get(path, version).await
    }

    pub async fn delete(&self, path: &str, version: &str) {
        let got = self.call("DELETE", path, version, Value::Null).await;
        assert_eq!(self.bench.settled(got).await, "Succeeded");
    }

    /// Removes the group and looks whether anything is left.
    pub async fn clear(&self) {
        let got = self.bench.call("DELETE", &self.group(), Value::Null).await;
        assert_eq!(got.status, StatusCode::ACCEPTED);
        assert_eq!(self.bench.settled(got).await, "Succeeded");
        assert_eq!(self.bench.inventory("azure").await, Vec::<String>::new());
    }
}

const IDENTITY: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/mc-pull";
const REGISTRY: &str = "Microsoft.ContainerRegistry/registries/mcdemo0011";
const ACR_PULL: &str = "7f951dda-4ed3-4680-a7ca-43fe172d538d";

#[tokio::test]
async fn secret_tenant_audience_and_version_are_checked() {
    let azure = Azure::start("bad-azure-login", &[]).await;
    let mut wrong = azure.principal.clone();
    wrong["secret"] = json!("no");
    let url = format!("https://login.microsoftonline.com/{}/oauth2/v2.0/token", azure.principal["tenant"].as_str().unwrap());
    let body = format!(
        "grant_type=client_credentials&client_id={}&client_secret=no&scope=x",
        azure.principal["client"].as_str().unwrap()
    );
    let refused = azure.bench.bytes("POST", &url, &[], body).await.unwrap();
    assert_eq!(refused.json()["error_codes"], json!([7_000_215]));
    let storage = azure.bench.azure_token(&azure.principal, "https://storage.azure.com").await;
    let bearer = format!("Bearer {storage}");
    let refused = azure.bench.bytes("GET", &azure.group(), &[("authorization", &bearer)], "").await.unwrap();
    assert_eq!(refused.json()["error"]["code"], json!("InvalidAuthenticationTokenAudience"));
    let unversioned = azure.group().split('?').next().unwrap().to_owned();
    let got = azure.bench.get(&unversioned).await;
    assert_eq!(got.json()["error"]["code"], json!("MissingApiVersionParameter"));
}

#[tokio::test]
async fn a_provider_has_to_be_registered_and_a_type_to_be_known() {
    let azure = Azure::start("bad-azure-providers", &[]).await;
    let refused = azure.call("PUT", REGISTRY, "2025-04-01", json!({"location": "westeurope", "sku": {"name": "Basic"}})).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]["code"]), (409, &json!("MissingSubscriptionRegistration")));
    azure.bench.register(&azure.subscription, &["Microsoft.ContainerRegistry"]).await;
    let refused = azure.call("PUT", REGISTRY, "2025-04-01", json!({"location": "westeurope"})).await;
    assert!(refused.error().1.contains("sku.name"), "{}", refused.text());
    azure.bench.register(&azure.subscription, &["Microsoft.OperationalInsights"]).await;
    let short =
        azure.call("PUT", "Microsoft.OperationalInsights/workspaces/ws", "2025-07-01", json!({"location": "westeurope"})).await;
    assert_eq!(short.json()["error"]["code"], json!("InvalidResourceName"));
    let unknown = azure.call("GET", "Microsoft.Nothing/things/a", "2025-04-01", Value::Null).await;
    assert_eq!(unknown.json()["error"]["code"], json!("InvalidResourceType"));
    let elsewhere = azure.url(REGISTRY, "2025-04-01").replace("/rg/", "/none/");
    let refused = azure.bench.get(&elsewhere).await;
    assert_eq!(refused.json()["error"]["code"], json!("ResourceGroupNotFound"));
}

#[tokio::test]
async fn a_registry_takes_its_time_and_its_name_is_the_worlds() {
    let azure = Azure::start("azure-registry", &["Microsoft.ContainerRegistry"]).await;
    let body = json!({"location": "westeurope", "sku": {"name": "Basic"}, "properties": {"adminUserEnabled": false}, "tags": {"mikrocloud-team": "t1"}});
    let got = azure.call("PUT", REGISTRY, "2025-04-01", body.clone()).await;
    assert_eq!((got.status, &got.json()["properties"]["provisioningState"]), (StatusCode::CREATED, &json!("Creating")));
    assert_eq!(azure.bench.settled(got).await, "Succeeded");
    let registry = azure.get(REGISTRY, "2025-04-01").await;
    assert_eq!(registry["properties"]["loginServer"], json!("mcdemo0011.azurecr.io"));
    let name = format!(
        "https://management.azure.com/subscriptions/{}/providers/Microsoft.ContainerRegistry/checkNameAvailability?api-version=2025-04-01",
        azure.subscription
    );
    let wanted = json!({"name": "mcdemo0011", "type": "Microsoft.ContainerRegistry/registries"});
    assert_eq!(azure.bench.call("POST", &name, wanted).await.good()["nameAvailable"], json!(false));
    let other = azure.group().replace("/rg?", "/other?");
    azure.bench.call("PUT", &other, json!({"location": "westeurope"})).await.good();
    let taken = azure.bench.call("PUT", &azure.url(REGISTRY, "2025-04-01").replace("/rg/", "/other/"), body).await;
    assert_eq!(taken.json()["error"]["code"], json!("AlreadyInUse"));
    let tagged = format!(
        "https://management.azure.com/subscriptions/{}/resources?api-version=2025-04-01&$filter=tagName%20eq%20'mikrocloud-team'%20and%20tagValue%20eq%20't1'",
        azure.subscription
    );
    assert_eq!(azure.bench.get(&tagged).await.good()["value"].as_array().unwrap().len(), 1);
    azure.delete(REGISTRY, "2025-04-01").await;
    assert_eq!(azure.call("DELETE", REGISTRY, "2025-04-01", Value::Null).await.status, StatusCode::NO_CONTENT);
    azure.bench.settled(azure.bench.call("DELETE", &other, Value::Null).await).await;
    azure.clear().await;
}

#[tokio::test]
async fn a_role_is_given_once_and_to_somebody_who_exists() {
    let azure = Azure::start("azure-roles", &["Microsoft.ContainerRegistry", "Microsoft.ManagedIdentity"]).await;
    let identity = azure.make(IDENTITY, "2024-11-30", json!({"location": "westeurope"})).await;
    azure.make(REGISTRY, "2025-04-01", json!({"location": "westeurope", "sku": {"name": "Basic"}})).await;
    let assignment = |name: &str| format!("{REGISTRY}/providers/Microsoft.Authorization/roleAssignments/{name}");
    let role = format!("/subscriptions/{}/providers/Microsoft.Authorization/roleDefinitions/{ACR_PULL}", azure.subscription);
    let body = |principal: &Value| json!({"properties": {"roleDefinitionId": role, "principalId": principal, "principalType": "ServicePrincipal"}});
    let first = assignment("11111111-1111-4111-8111-111111111111");
    let nobody = azure.call("PUT", &first, "2022-04-01", body(&json!("22222222-2222-4222-8222-222222222222"))).await;
    assert_eq!(nobody.json()["error"]["code"], json!("PrincipalNotFound"));
    let principal = &identity["properties"]["principalId"];
    assert_eq!(azure.call("PUT", &first, "2022-04-01", body(principal)).await.status, StatusCode::CREATED);
    let again = azure.call("PUT", &assignment("33333333-3333-4333-8333-333333333333"), "2022-04-01", body(principal)).await;
    assert_eq!(again.json()["error"]["code"], json!("RoleAssignmentExists"));
    let listed = format!("{REGISTRY}/providers/Microsoft.Authorization/roleAssignments");
    assert_eq!(azure.get(&listed, "2022-04-01").await["value"].as_array().unwrap().len(), 1);
    azure.clear().await;
}

#[tokio::test]
async fn a_permission_that_is_taken_away_is_named() {
    let azure = Azure::start("azure-permissions", &["Microsoft.ManagedIdentity"]).await;
    let client = azure.principal["client"].as_str().unwrap();
    let denied = json!({"denied": ["Microsoft.ManagedIdentity/userAssignedIdentities/write"]});
    azure.bench.control("PATCH", &format!("principals/azure/{client}"), denied).await.good();
    let refused = azure.call("PUT", IDENTITY, "2024-11-30", json!({"location": "westeurope"})).await;
    assert_eq!(refused.json()["error"]["code"], json!("AuthorizationFailed"));
    assert!(refused.error().1.contains("userAssignedIdentities/write"), "{}", refused.text());
    let listed = azure.get("Microsoft.Authorization/permissions", "2022-04-01").await;
    assert_eq!(listed["value"][0]["notActions"], json!(["Microsoft.ManagedIdentity/userAssignedIdentities/write"]));
}

#[tokio::test]
async fn a_change_fails_or_is_forgotten_when_a_test_asks_for_it() {
    let azure = Azure::start("azure-endings", &["Microsoft.ContainerRegistry"]).await;
    let body = json!({"location": "westeurope", "sku": {"name": "Basic"}});
    let failing = json!({"types": {"Microsoft.ContainerRegistry/registries": {"ending": {"fail": {"code": "QuotaExceeded", "message": "No more."}}}}});
    azure.bench.control("PUT", "behaviour", failing).await.good();
    let got = azure.call("PUT", REGISTRY, "2025-04-01", body.clone()).await;
    assert_eq!(azure.bench.settled(got).await, "No more.");
    assert_eq!(azure.get(REGISTRY, "2025-04-01").await["properties"]["provisioningState"], json!("Failed"));
    azure.bench.control("PUT", "behaviour", json!({"default": {"ending": "forget"}})).await.good();
    let got = azure.call("PUT", REGISTRY, "2025-04-01", body).await;
    assert_eq!(azure.bench.get(got.header("azure-asyncoperation")).await.status, StatusCode::NOT_FOUND);
    let faulty = json!({"service": "Microsoft.ContainerRegistry", "action": {"status": {"status": 429}}});
    azure.bench.control("POST", "faults", faulty).await.good();
    let throttled = azure.call("GET", REGISTRY, "2025-04-01", Value::Null).await;
    assert_eq!(throttled.json()["error"]["code"], json!("TooManyRequests"));
}

#[tokio::test]
async fn a_workspace_has_keys_and_an_environment_does_not_show_them() {
    let azure = Azure::start("azure-environment", &["Microsoft.App", "Microsoft.OperationalInsights"]).await;
    let workspace = "Microsoft.OperationalInsights/workspaces/mc-logs";
    let made = azure
        .make(workspace, "2025-07-01", json!({"location": "westeurope", "properties": {"sku": {"name": "PerGB2018"}}}))
        .await;
    let keys = azure.call("POST", &format!("{workspace}/sharedKeys"), "2025-07-01", Value::Null).await.good();
    let environment = json!({
        "location": "westeurope",
        "properties": {
            "appLogsConfiguration": {
                "destination": "log-analytics",
                "logAnalyticsConfiguration": {"customerId": made["properties"]["customerId"], "sharedKey": keys["primarySharedKey"]},
            },
            "workloadProfiles": [{"name": "Consumption", "workloadProfileType": "Consumption"}],
        },
    });
    let path = "Microsoft.App/managedEnvironments/mc-env";
    let made = azure.make(path, "2025-07-01", environment).await;
    assert!(made["properties"]["defaultDomain"].as_str().unwrap().ends_with(".westeurope.azurecontainerapps.io"), "{made}");
    assert!(!made.to_string().contains("sharedKey"), "{made}");
    azure.delete(path, "2025-07-01").await;
    azure.delete(workspace, "2025-07-01").await;
    azure.clear().await;
}
