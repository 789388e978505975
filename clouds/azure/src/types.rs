//! Types of the management API that we make, each with the version whose form the bodies have.

use clouds_contract::Naming;

use crate::arm::{Resource, worldwide};

/// A resource group (learn.microsoft.com, "Resource Groups - Create Or Update").
pub const GROUP: Resource = Resource {
    kind: "azure.group",
    title: "the resource group",
    azure_type: "",
    api_version: "2025-04-01",
    naming: Naming::hyphens(60),
    outputs: &[("group", "/id")],
    is_tagged: true,
};

/// A workspace for the logs of container apps.
pub const WORKSPACE: Resource = Resource {
    kind: "azure.workspace",
    title: "the Log Analytics workspace",
    azure_type: "Microsoft.OperationalInsights/workspaces",
    api_version: "2025-07-01",
    naming: Naming::hyphens(63),
    outputs: &[("workspace", "/id"), ("workspace_customer", "/properties/customerId")],
    is_tagged: true,
};

/// The identity by which container apps pull images.
pub const IDENTITY: Resource = Resource {
    kind: "azure.identity",
    title: "the managed identity",
    azure_type: "Microsoft.ManagedIdentity/userAssignedIdentities",
    api_version: "2024-11-30",
    naming: Naming::hyphens(60),
    outputs: &[("identity", "/id"), ("identity_principal", "/properties/principalId")],
    is_tagged: true,
};

/// A container registry.
pub const REGISTRY: Resource = Resource {
    kind: "azure.registry",
    title: "the container registry",
    azure_type: "Microsoft.ContainerRegistry/registries",
    api_version: "2025-04-01",
    naming: worldwide(50),
    outputs: &[("registry", "/id"), ("registry_host", "/properties/loginServer")],
    is_tagged: true,
};

/// A role of somebody on something.
pub const ROLE_ASSIGNMENT: Resource = Resource {
    kind: "azure.role-assignment",
    title: "the role assignment",
    azure_type: "Microsoft.Authorization/roleAssignments",
    api_version: "2022-04-01",
    naming: Naming::hyphens(60),
    outputs: &[],
    is_tagged: false,
};

/// The environment that container apps run in.
pub const ENVIRONMENT: Resource = Resource {
    kind: "azure.environment",
    title: "the Container Apps environment",
    azure_type: "Microsoft.App/managedEnvironments",
    api_version: "2025-07-01",
    naming: Naming::hyphens(60),
    outputs: &[("environment", "/id"), ("environment_domain", "/properties/defaultDomain")],
    is_tagged: true,
};

/// A container app.
pub const APP: Resource = Resource {
    kind: "azure.app",
    title: "the container app",
    azure_type: "Microsoft.App/containerApps",
    api_version: "2025-07-01",
    naming: Naming::hyphens(32),
    outputs: &[("app", "/id"), ("host", "/properties/configuration/ingress/fqdn")],
    is_tagged: true,
};

/// A storage account with a static website.
pub const STORAGE: Resource = Resource {
    kind: "azure.storage",
    title: "the storage account",
    azure_type: "Microsoft.Storage/storageAccounts",
    api_version: "2025-06-01",
    naming: worldwide(24),
    outputs: &[("storage", "/id"), ("blob", "/properties/primaryEndpoints/blob"), ("web", "/properties/primaryEndpoints/web")],
    is_tagged: true,
};

/// Providers that a subscription has to know before anything of theirs can be made.
pub const PROVIDERS: [&str; 6] = [
    "Microsoft.App",
    "Microsoft.ContainerRegistry",
    "Microsoft.OperationalInsights",
    "Microsoft.ManagedIdentity",
    "Microsoft.Storage",
    "Microsoft.Authorization",
];
