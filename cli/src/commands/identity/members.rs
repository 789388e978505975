//! Members, service accounts and grants.

use serde_json::{Value, json};

use super::roles;
use crate::arguments::{MembersCommand, MembersOptions, Output};
use crate::client::api::Api;
use crate::client::operations;
use crate::client::output::{self, text};
use server::Failure;

const MEMBER: &str =
    "user { id email name } role customRoleId permissions createdBy grants { id role customRoleId projectId environmentId }";

/// Lists, adds, changes and removes members.
pub async fn run(options: MembersOptions) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    let output = options.output;
    match options.command.unwrap_or(MembersCommand::List) {
        MembersCommand::List => list(&api, output).await,
        MembersCommand::Add { email, role, name } => {
            let input = with_role(&api, json!({"email": email, "name": name}), &role).await?;
            let payload = api
                .mutate("addMember", "AddMemberInput", input, &format!("member {{ {MEMBER} }} signInPath invitationId"))
                .await?;
            let link = payload["signInPath"].as_str().map(|path| api.url(path));
            let said = match (&link, payload["invitationId"].is_null()) {
                (Some(link), true) => format!("Added {email}. They sign in once, within 24 hours, with this link:\n{link}"),
                (Some(link), false) => {
                    format!("{email} has an account already. They join, within 7 days, with this link:\n{link}")
                }
                (None, true) => format!("Added {email}. A link to sign in with was mailed to them."),
                (None, false) => format!("{email} has an account already. An invitation was mailed to them."),
            };
            let document = json!({"member": payload["member"], "signInLink": link, "invitation": payload["invitationId"]});
            output::say(&document, &said, output);
            Ok(())
        }
        MembersCommand::Invitations => invitations(&api, output).await,
        MembersCommand::RevokeInvitation { invitation } => {
            let input = json!({"invitationId": invitation});
            api.mutate("revokeInvitation", "RevokeInvitationInput", input, "done").await?;
            output::say(&json!({"revoked": invitation}), &format!("Took {invitation} back."), output);
            Ok(())
        }
        MembersCommand::AddServiceAccount { name, role } => {
            let input = with_role(&api, json!({"name": name}), &role).await?;
            let fields = format!("member {{ {MEMBER} }}");
            let payload = api.mutate("createServiceAccount", "CreateServiceAccountInput", input, &fields).await?;
            let id = text(&payload["member"]["user"]["id"]);
            let said = format!("Added {name} ({id}). Next: mikrocloud keys create NAME --service-account {id}");
            output::say(&payload["member"], &said, output);
            Ok(())
        }
        MembersCommand::SetRole { member, role } => {
            let input = with_role(&api, json!({"userId": find(&api, &member).await?}), &role).await?;
            api.mutate("setMemberRole", "SetMemberRoleInput", input, "done").await?;
            output::say(&json!({"member": member, "role": role}), &format!("{member} is {role} now."), output);
            Ok(())
        }
        MembersCommand::Grant { member, role, project, environment } => {
            grant(&api, &member, &role, &project, environment, output).await
        }
        MembersCommand::Revoke { grant } => {
            api.mutate("revokeGrant", "RevokeGrantInput", json!({"grantId": grant}), "done").await?;
            output::say(&json!({"revoked": grant}), &format!("Revoked {grant}."), output);
            Ok(())
        }
        MembersCommand::Remove { member } => {
            let input = json!({"userId": find(&api, &member).await?});
            api.mutate("removeMember", "RemoveMemberInput", input, "done").await?;
            output::say(&json!({"removed": member}), &format!("Removed {member} from the team."), output);
            Ok(())
        }
    }
}

async fn grant(
    api: &Api,
    member: &str,
    role: &str,
    project: &str,
    environment: Option<String>,
    output: Output,
) -> Result<(), Failure> {
    let input = json!({
        "userId": find(api, member).await?, "projectId": operations::project(api, project).await?, "environment": environment,
    });
    let input = with_role(api, input, role).await?;
    let fields = "grant { id role customRoleId permissions projectId environmentId }";
    let payload = api.mutate("grantRole", "GrantRoleInput", input, fields).await?;
    let target = environment.map_or_else(|| project.to_owned(), |environment| format!("{environment} of {project}"));
    let said = format!("{member} is {role} on {target} ({}).", text(&payload["grant"]["id"]));
    output::say(&payload["grant"], &said, output);
    Ok(())
}

async fn list(api: &Api, output: Output) -> Result<(), Failure> {
    let members = all(api).await?;
    if output.json {
        output::json(&members);
        return Ok(());
    }
    let names = roles::names(api).await?;
    let role = |of: &Value| match of["role"].as_str() {
        Some(role) => role.to_lowercase(),
        None => names.get(&text(&of["customRoleId"])).cloned().unwrap_or_default(),
    };
    let rows = members.as_array().into_iter().flatten().map(|member| {
        let grants = member["grants"].as_array().into_iter().flatten().map(|grant| {
            let target = if grant["environmentId"].is_null() { &grant["projectId"] } else { &grant["environmentId"] };
            format!("{} on {} ({})", role(grant), text(target), text(&grant["id"]))
        });
        let kind = if member["createdBy"].is_null() { "person" } else { "service account" };
        let grants: Vec<_> = grants.collect();
        let user = &member["user"];
        vec![text(&user["name"]), text(&user["email"]), kind.to_owned(), role(member), grants.join(", ")]
    });
    output::table(&["NAME", "ADDRESS", "KIND", "ROLE", "GRANTS"], rows.collect(), "Nobody is in the team.");
    Ok(())
}

async fn invitations(api: &Api, output: Output) -> Result<(), Failure> {
    let query = "{ invitations { id user { email } role customRoleId expiresAt } }";
    let pending = api.run(query, json!({})).await?["invitations"].take();
    if output.json {
        output::json(&pending);
        return Ok(());
    }
    let names = roles::names(api).await?;
    let rows = pending.as_array().into_iter().flatten().map(|invitation| {
        let role = match invitation["role"].as_str() {
            Some(role) => role.to_lowercase(),
            None => names.get(&text(&invitation["customRoleId"])).cloned().unwrap_or_default(),
        };
        vec![text(&invitation["id"]), text(&invitation["user"]["email"]), role, output::moment(&invitation["expiresAt"])]
    });
    output::table(
        &["INVITATION", "ADDRESS", "ROLE", "UNTIL"],
        rows.collect(),
        "Nobody is invited: `mikrocloud members add` does that.",
    );
    Ok(())
}

async fn all(api: &Api) -> Result<Value, Failure> {
    Ok(api.run(&format!("{{ members {{ {MEMBER} }} }}"), json!({})).await?["members"].take())
}

/// The id of the one member with this address, name or id.
pub async fn find(api: &Api, given: &str) -> Result<String, Failure> {
    let members = all(api).await?;
    // What looks like an address is one: no name passes for it.
    let keys: &[&str] = if given.contains('@') { &["email"] } else { &["id", "name"] };
    let fits = |user: &Value| keys.iter().any(|key| user[*key] == given);
    let found: Vec<_> = members.as_array().into_iter().flatten().filter(|member| fits(&member["user"])).collect();
    match found.as_slice() {
        [member] => Ok(text(&member["user"]["id"])),
        [] => Err(Failure::failed("NOT_FOUND", format!("there is no member `{given}`: `mikrocloud members` lists them"))),
        _ => Err(Failure::failed("AMBIGUOUS", format!("several members are called `{given}`: give an address or id"))),
    }
}

async fn with_role(api: &Api, mut input: Value, role: &str) -> Result<Value, Failure> {
    let (key, value) = roles::choice(api, role).await?;
    input[key] = Value::String(value);
    Ok(input)
}
