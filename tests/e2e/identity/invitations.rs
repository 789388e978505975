//! Inviting to a team who has an account already.

use domain::access::{Role, RoleRef};
use domain::team::Membership;
use serde_json::{Value, json};
use store::Store;

use super::access::PASSWORD;
use crate::support::browser::Browser;
use crate::support::harness::House;

const EVE: &str = "eve@example.org";

/// Eve, who is owner of another team, with a password.
async fn eve(house: &House) {
    house.other_team().await;
    let input = json!({"email": EVE, "role": "VIEWER"});
    let added = house.mutate("addMember", "AddMemberInput", input, "signInPath member { user { id } }").await;
    let token = added["signInPath"].as_str().unwrap().split("token=").nth(1).unwrap();
    assert_eq!(house.post("/auth/link", json!({"token": token, "password": PASSWORD})).await.0, 200);
    let user = added["member"]["user"]["id"].as_str().unwrap().parse().unwrap();
    let store = Store::sqlite(&house.data().join("mikrocloud.db")).await.unwrap();
    let other = store.credentials_get("other@example.org").await.unwrap().unwrap().id;
    let team_id = store.standing_list(other).await.unwrap()[0].team_id;
    let mut tx = store.begin().await.unwrap();
    tx.membership_put(&Membership { team_id, user_id: user, role: RoleRef::BuiltIn(Role::Owner) }).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    house.json(&["members", "remove", EVE]).await;
}

async fn invite(house: &House, role: &str) -> Value {
    let invited = house.json(&["members", "add", EVE, "--role", role]).await;
    assert!(invited["member"].is_null() && invited["invitation"].is_string(), "{invited}");
    invited
}

async fn members(house: &House) -> String {
    house.json(&["members"]).await.to_string()
}

#[tokio::test]
async fn an_invitation_is_accepted_by_its_own_account_once() {
    let house = House::start().await;
    eve(&house).await;
    let invited = invite(&house, "developer").await;
    assert!(!members(&house).await.contains(EVE), "nobody is put into a team without saying yes");
    let pending = house.json(&["members", "invitations"]).await;
    assert_eq!((&pending[0]["user"]["email"], &pending[0]["role"]), (&json!(EVE), &json!("DEVELOPER")), "{pending}");
    let link = invited["signInLink"].as_str().unwrap();

    // Somebody else who has the link.
    house.owner_session().await;
    let mut owner = Browser::new();
    let form = owner.get(link).await;
    let refused = owner.submit(&form, &[("email", "owner@localhost"), ("password", PASSWORD)]).await;
    assert!(refused.text.contains("for another account"), "{refused:?}");

    let mut browser = Browser::new();
    let form = browser.get(link).await;
    let question = browser.submit(&form, &[("email", EVE), ("password", PASSWORD)]).await;
    assert!(question.text.contains("Owner invites you") && question.text.contains("developer"), "{question:?}");
    let joined = browser.submit(&question, &[("reply", "accept")]).await;
    assert!(joined.text.contains("You are a member"), "{joined:?}");
    assert!(members(&house).await.contains(EVE));
    let entries = house.json(&["audit", "--action", "invitation.accept"]).await;
    assert_eq!((entries.as_array().unwrap().len(), &entries[0]["actor"]["email"]), (1, &json!(EVE)), "{entries}");
    let twice = browser.submit(&question, &[("reply", "accept")]).await;
    assert!(twice.status == 422 && twice.text.contains("was used"), "{twice:?}");
    let again = house.cli(&["members", "add", EVE, "--role", "viewer", "--json"]).await;
    assert_eq!(again.error().0, "TAKEN");
}

#[tokio::test]
async fn an_invitation_ends_with_the_rights_of_who_invites_when_it_is_taken_back_and_when_it_is_declined() {
    let house = House::start().await;
    eve(&house).await;
    let (_, tokens) = house.sign_in(EVE, PASSWORD).await;
    let reply = async |invited: &Value, accept: bool| {
        let token = invited["signInLink"].as_str().unwrap().split("token=").nth(1).unwrap();
        let input = json!({"token": token, "accept": accept});
        house.in_session(&tokens, "answerInvitation", "AnswerInvitationInput", input, "done").await
    };
    let first = invite(&house, "viewer").await;
    house.json(&["members", "revoke-invitation", first["invitation"].as_str().unwrap()]).await;
    assert_eq!(reply(&first, true).await["userErrors"][0]["code"], "UNKNOWN_INVITATION");
    let second = invite(&house, "viewer").await;
    // A new invitation takes the place of the one before.
    let third = invite(&house, "developer").await;
    assert_eq!(reply(&second, true).await["userErrors"][0]["code"], "UNKNOWN_INVITATION");
    assert_eq!(reply(&third, false).await["done"], true);
    assert_eq!(reply(&third, true).await["userErrors"][0]["code"], "UNKNOWN_INVITATION");
    let entries = house.json(&["audit", "--action", "invitation.decline"]).await;
    assert_eq!(entries.as_array().unwrap().len(), 1, "{entries}");
    assert!(!members(&house).await.contains(EVE));

    let admin = house.member("ADMIN").await;
    let query = format!("mutation {{ addMember(input: {{email: \"{EVE}\", role: VIEWER}}) {{ signInPath }} }}");
    let invited = house.graphql_as(&admin, &query, json!({})).await["data"]["addMember"].take();
    house.json(&["members", "set-role", "admin@example.org", "developer"]).await;
    assert_eq!(reply(&json!({"signInLink": invited["signInPath"]}), true).await["userErrors"][0]["code"], "UNKNOWN_INVITATION");
}

#[tokio::test]
async fn who_was_added_and_never_came_gets_a_new_link() {
    let house = House::start().await;
    let first = house.json(&["members", "add", EVE, "--role", "viewer"]).await;
    let second = house.json(&["members", "add", EVE, "--role", "viewer"]).await;
    assert_eq!(first["member"]["user"]["id"], second["member"]["user"]["id"]);
    let token = |added: &Value| added["signInLink"].as_str().unwrap().split("token=").nth(1).unwrap().to_owned();
    assert_eq!(house.post("/auth/link", json!({"token": token(&second), "password": PASSWORD})).await.0, 200);
    let used = house.post("/auth/link", json!({"token": token(&first), "password": "another quite uncommon phrase"})).await;
    assert_eq!(used.0, 401, "the links of before are used up with it");
    let again = house.cli(&["members", "add", EVE, "--role", "viewer", "--json"]).await;
    assert_eq!(again.error().0, "TAKEN");
}
