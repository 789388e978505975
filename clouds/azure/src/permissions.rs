//! Permissions of the calls that we make. The role of an application follows from this table, and so does the look at an account.

use std::fmt::Write as _;

use serde::Deserialize;

/// Actions of the management API (learn.microsoft.com, "Azure resource provider operations").
pub const ACTIONS: &[&str] = &[
    "Microsoft.App/containerApps/delete",
    "Microsoft.App/containerApps/listSecrets/action",
    "Microsoft.App/containerApps/read",
    "Microsoft.App/containerApps/revisions/activate/action",
    "Microsoft.App/containerApps/revisions/deactivate/action",
    "Microsoft.App/containerApps/revisions/read",
    "Microsoft.App/containerApps/write",
    "Microsoft.App/managedEnvironments/delete",
    "Microsoft.App/managedEnvironments/join/action",
    "Microsoft.App/managedEnvironments/read",
    "Microsoft.App/managedEnvironments/write",
    "Microsoft.Authorization/permissions/read",
    "Microsoft.Authorization/roleAssignments/delete",
    "Microsoft.Authorization/roleAssignments/read",
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.ContainerRegistry/registries/delete",
    "Microsoft.ContainerRegistry/registries/pull/read",
    "Microsoft.ContainerRegistry/registries/push/write",
    "Microsoft.ContainerRegistry/registries/artifacts/delete",
    "Microsoft.ContainerRegistry/registries/read",
    "Microsoft.ContainerRegistry/registries/write",
    "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    "Microsoft.ManagedIdentity/userAssignedIdentities/delete",
    "Microsoft.ManagedIdentity/userAssignedIdentities/read",
    "Microsoft.ManagedIdentity/userAssignedIdentities/write",
    "Microsoft.OperationalInsights/workspaces/delete",
    "Microsoft.OperationalInsights/workspaces/read",
    "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
    "Microsoft.OperationalInsights/workspaces/write",
    "Microsoft.Resources/subscriptions/read",
    "Microsoft.Resources/subscriptions/resourceGroups/delete",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Resources/subscriptions/resourceGroups/write",
    "Microsoft.Resources/subscriptions/resources/read",
    "Microsoft.Storage/storageAccounts/blobServices/containers/read",
    "Microsoft.Storage/storageAccounts/blobServices/containers/write",
    "Microsoft.Storage/storageAccounts/blobServices/write",
    "Microsoft.Storage/storageAccounts/delete",
    "Microsoft.Storage/storageAccounts/read",
    "Microsoft.Storage/storageAccounts/write",
];

/// Actions on data.
pub const DATA_ACTIONS: &[&str] = &[
    "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action",
    "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete",
    "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
    "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write",
];

/// Registration of a provider, which needs an action of its own for each.
pub fn registration(provider: &str) -> String {
    format!("{provider}/register/action")
}

/// One role's permissions, as Azure says them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Granted {
    /// Actions, with wildcards.
    pub actions: Vec<String>,
    /// Exceptions from them.
    pub not_actions: Vec<String>,
    /// Actions on data, with wildcards.
    pub data_actions: Vec<String>,
    /// Exceptions from them.
    pub not_data_actions: Vec<String>,
}

/// Returns true if one of these roles allows an action.
pub fn allows(roles: &[Granted], action: &str) -> bool {
    roles.iter().any(|role| any(&role.actions, action) && !any(&role.not_actions, action))
}

/// Returns true if one of these roles allows an action on data.
pub fn allows_data(roles: &[Granted], action: &str) -> bool {
    roles.iter().any(|role| any(&role.data_actions, action) && !any(&role.not_data_actions, action))
}

fn any(patterns: &[String], action: &str) -> bool {
    patterns.iter().any(|pattern| fits(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase()))
}

/// `*` stands for any text, also with slashes (learn.microsoft.com, "Understand Azure role definitions").
fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(head) else { return false };
    rest.is_empty() || (0..=text.len()).any(|at| text.is_char_boundary(at) && fits(rest, &text[at..]))
}

/// A role of exactly the permissions that are used, with the commands that set a subscription up.
pub fn policy() -> String {
    let list = |actions: &[&str]| actions.iter().map(|action| format!("    \"{action}\"")).collect::<Vec<_>>().join(",\n");
    let registrations: Vec<String> = crate::types::PROVIDERS.into_iter().map(registration).collect();
    let mut actions: Vec<&str> = ACTIONS.to_vec();
    actions.extend(registrations.iter().map(String::as_str));
    let mut text = String::from(
        "// Role of MikroCloud in a subscription of Azure: exactly what it uses. With SUBSCRIPTION as the subscription's id:\n\
         //\n\
         //   az role definition create --role-definition @role.json     (without these lines; later: az role definition update ..)\n\
         //   az ad sp create-for-rbac --name mikrocloud --role MikroCloud --scopes /subscriptions/SUBSCRIPTION\n\
         //   AZURE_CLIENT_SECRET=.. mikrocloud clouds connect azure --subscription SUBSCRIPTION --tenant .. --client ..\n",
    );
    // Writing to a text does not fail.
    let _ = write!(
        text,
        "{{\n  \"Name\": \"MikroCloud\",\n  \"Description\": \"Deploys servers and static sites.\",\n  \"Actions\": [\n{}\n  ],\n  \"DataActions\": \
         [\n{}\n  ],\n  \"AssignableScopes\": [\"/subscriptions/SUBSCRIPTION\"]\n}}\n",
        list(&actions),
        list(DATA_ACTIONS)
    );
    text
}

/// Manner in which a permission that is missing is added.
pub fn remedy(permission: &str) -> String {
    format!(
        "add `{permission}` to the application's role: `mikrocloud clouds policy azure` prints the whole role and the commands"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_any_text() {
        let role = |actions: &[&str], not: &[&str]| Granted {
            actions: actions.iter().map(|&action| action.to_owned()).collect(),
            not_actions: not.iter().map(|&action| action.to_owned()).collect(),
            ..Granted::default()
        };
        let contributor = [role(&["*"], &["Microsoft.Authorization/*/Write", "Microsoft.Authorization/*/Delete"])];
        assert!(allows(&contributor, "Microsoft.App/containerApps/write"));
        assert!(!allows(&contributor, "Microsoft.Authorization/roleAssignments/write"));
        assert!(allows(&[role(&["Microsoft.App/*/read"], &[])], "microsoft.app/containerApps/revisions/read"));
        assert!(!allows(&[role(&["Microsoft.App/*/read"], &[])], "Microsoft.App/containerApps/write"));
        assert!(!allows_data(&contributor, DATA_ACTIONS[0]));
    }

    #[test]
    fn the_role_is_json_below_its_comments() {
        let text = policy();
        let json: String = text.lines().filter(|line| !line.starts_with("//")).collect();
        let role: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(role["DataActions"].as_array().unwrap().len(), DATA_ACTIONS.len());
        assert!(!text.contains("\"*\""));
    }
}
