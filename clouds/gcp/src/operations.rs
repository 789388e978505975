//! Every operation that is asked of Google, with the permissions it needs. The role of an account follows from this table.

use clouds_contract::guard::Call;

/// An operation of one of Google's services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// The call, as guards see it.
    pub call: Call,
    /// Permissions that it needs.
    pub permissions: &'static [&'static str],
}

macro_rules! operations {
    ($($name:ident = $repeat:ident $service:literal $operation:literal: $($permission:literal)*;)*) => {
        $(
            #[doc = concat!("`", $service, ".", $operation, "`.")]
            pub const $name: Operation =
                Operation { call: Call::$repeat($service, $operation), permissions: &[$($permission),*] };
        )*

        /// All operations.
        pub const ALL: &[Operation] = &[$($name),*];
    };
}

operations! {
    PROJECT_GET = freely "cloudresourcemanager" "projects.get": "resourcemanager.projects.get";
    PERMISSIONS_TEST = freely "cloudresourcemanager" "projects.testIamPermissions": ;

    APIS_GET = freely "serviceusage" "services.batchGet": "serviceusage.services.get";
    APIS_ENABLE = freely "serviceusage" "services.batchEnable": "serviceusage.services.enable";
    APIS_OPERATION_GET = freely "serviceusage" "operations.get": "serviceusage.operations.get";

    ACCOUNT_GET = freely "iam" "serviceAccounts.get": "iam.serviceAccounts.get";
    ACCOUNT_LIST = freely "iam" "serviceAccounts.list": "iam.serviceAccounts.list";
    ACCOUNT_CREATE = once "iam" "serviceAccounts.create": "iam.serviceAccounts.create";
    ACCOUNT_DELETE = freely "iam" "serviceAccounts.delete": "iam.serviceAccounts.delete";

    REPOSITORY_GET = freely "artifactregistry" "repositories.get": "artifactregistry.repositories.get";
    REPOSITORY_LIST = freely "artifactregistry" "repositories.list": "artifactregistry.repositories.list";
    REPOSITORY_CREATE = once "artifactregistry" "repositories.create": "artifactregistry.repositories.create";
    REPOSITORY_UPDATE = freely "artifactregistry" "repositories.patch": "artifactregistry.repositories.update";
    REPOSITORY_DELETE = freely "artifactregistry" "repositories.delete": "artifactregistry.repositories.delete";
    IMAGE_DELETE = freely "artifactregistry" "versions.delete":
        "artifactregistry.versions.delete" "artifactregistry.tags.delete";
    // The operations.get of Artifact Registry needs no permission of its own.
    REPOSITORY_OPERATION_GET = freely "artifactregistry" "operations.get": ;
    IMAGE_PUSH = freely "registry" "push":
        "artifactregistry.repositories.downloadArtifacts" "artifactregistry.repositories.uploadArtifacts";

    SECRET_GET = freely "secretmanager" "secrets.get": "secretmanager.secrets.get";
    SECRET_LIST = freely "secretmanager" "secrets.list": "secretmanager.secrets.list";
    SECRET_CREATE = once "secretmanager" "secrets.create": "secretmanager.secrets.create";
    SECRET_DELETE = freely "secretmanager" "secrets.delete": "secretmanager.secrets.delete";
    SECRET_VERSION_LIST = freely "secretmanager" "versions.list": "secretmanager.versions.list";
    SECRET_VERSION_ADD = once "secretmanager" "secrets.addVersion": "secretmanager.versions.add";
    SECRET_POLICY_GET = freely "secretmanager" "secrets.getIamPolicy": "secretmanager.secrets.getIamPolicy";
    SECRET_POLICY_SET = freely "secretmanager" "secrets.setIamPolicy": "secretmanager.secrets.setIamPolicy";

    SERVICE_GET = freely "run" "services.get": "run.services.get";
    SERVICE_LIST = freely "run" "services.list": "run.services.list";
    // Who opens a service to everyone changes who may call it.
    SERVICE_CREATE = once "run" "services.create":
        "run.services.create" "run.services.setIamPolicy" "iam.serviceAccounts.actAs";
    SERVICE_UPDATE = once "run" "services.patch": "run.services.update";
    SERVICE_DELETE = freely "run" "services.delete": "run.services.delete";
    REVISION_GET = freely "run" "revisions.get": "run.revisions.get";
    REVISION_DELETE = freely "run" "revisions.delete": "run.revisions.delete";
    RUN_OPERATION_GET = freely "run" "operations.get": "run.operations.get";

    BUCKET_GET = freely "storage" "buckets.get": "storage.buckets.get";
    BUCKET_LIST = freely "storage" "buckets.list": "storage.buckets.list";
    BUCKET_CREATE = once "storage" "buckets.insert": "storage.buckets.create";
    BUCKET_UPDATE = freely "storage" "buckets.patch": "storage.buckets.update";
    BUCKET_DELETE = freely "storage" "buckets.delete": "storage.buckets.delete";
    BUCKET_POLICY_GET = freely "storage" "buckets.getIamPolicy": "storage.buckets.getIamPolicy";
    BUCKET_POLICY_SET = freely "storage" "buckets.setIamPolicy": "storage.buckets.setIamPolicy";
    OBJECT_LIST = freely "storage" "objects.list": "storage.objects.list";
    OBJECT_GET = freely "storage" "objects.get": "storage.objects.get";
    // Nothing is replaced, which would need the right to delete.
    OBJECT_PUT = freely "storage" "objects.insert": "storage.objects.create";
    OBJECT_DELETE = freely "storage" "objects.delete": "storage.objects.delete";
}

/// Permissions of all operations, sorted.
pub fn permissions() -> Vec<&'static str> {
    let mut all: Vec<_> = ALL.iter().flat_map(|operation| operation.permissions).copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}
