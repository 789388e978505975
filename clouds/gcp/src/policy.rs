use std::fmt::Write as _;

use crate::operations::permissions;

/// Name of the role in a project.
const ROLE: &str = "mikrocloud";

/// A role of exactly the permissions that are used, as a file for `gcloud iam roles create`, with the commands that set an account up.
pub fn policy() -> String {
    let mut text = format!(
        "# Role of MikroCloud in a project of Google Cloud: exactly what it uses. With PROJECT as the project's id:\n\
         #\n\
         #   gcloud services enable serviceusage.googleapis.com cloudresourcemanager.googleapis.com --project PROJECT\n\
         #   gcloud iam roles create {ROLE} --project PROJECT --file role.yaml     (later: gcloud iam roles update ..)\n\
         #   gcloud iam service-accounts create {ROLE} --project PROJECT\n\
         #   gcloud projects add-iam-policy-binding PROJECT --role projects/PROJECT/roles/{ROLE} \\\n\
         #     --member serviceAccount:{ROLE}@PROJECT.iam.gserviceaccount.com\n\
         #   gcloud iam service-accounts keys create key.json --iam-account {ROLE}@PROJECT.iam.gserviceaccount.com\n\
         #   mikrocloud clouds connect gcp --project PROJECT --key-file key.json\n\
         title: MikroCloud\n\
         description: Deploys servers and static sites to Cloud Run.\n\
         stage: GA\n\
         includedPermissions:\n"
    );
    for permission in permissions() {
        // Writing to a text does not fail.
        let _ = writeln!(text, "- {permission}");
    }
    text
}

/// Command that adds a permission to the role of an account.
pub(crate) fn remedy(project: &str, permission: &str) -> String {
    format!(
        "add it to the account's role: `gcloud iam roles update {ROLE} --project {project} --add-permissions {permission}`; \
         `mikrocloud clouds policy gcp` prints the whole role"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_has_each_permission_once_and_none_that_gives_rights_in_the_project() {
        let text = policy();
        assert_eq!(text.matches("- storage.objects.delete\n").count(), 1);
        assert!(text.contains("- run.services.create\n- run.services.delete\n"));
        for broad in ["resourcemanager.projects.setIamPolicy", "iam.serviceAccounts.setIamPolicy", "iam.serviceAccountKeys", "*"]
        {
            assert!(!text.contains(broad), "{broad}");
        }
    }
}
