//! Secrets stay out of logs, however much is logged, and out of the database in the clear.

use serde_json::{Value, json};

use crate::identity::access::PASSWORD;
use crate::support::harness::House;

const VARIABLE: &str = "planted-value-of-a-variable";
const NEW_PASSWORD: &str = "planted quite uncommon phrase";

/// A text of an answer, which is there.
fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {value}"))
}

/// Uses every kind of secret there is; all of them by name.
async fn used(house: &House) -> Vec<(&'static str, String)> {
    let mut planted = vec![("password", PASSWORD.to_owned()), ("new password", NEW_PASSWORD.to_owned())];
    let mut plant = |name, value: &str| planted.push((name, value.to_owned()));
    plant("sign-in link", &house.link_token());
    plant("key of the machine user", &house.token());
    let tokens = house.owner_session().await;
    plant("access token", text(&tokens, "/access_token"));
    plant("refresh token", text(&tokens, "/refresh_token"));
    let (_, next) = house.post("/auth/refresh", json!({"refresh_token": tokens["refresh_token"]})).await;
    plant("next refresh token", text(&next, "/refresh_token"));
    house.sign_in("owner@localhost", "planted wrong password").await;
    plant("wrong password", "planted wrong password");
    let change = json!({"password": PASSWORD, "newPassword": NEW_PASSWORD});
    house.in_session(&next, "changePassword", "ChangePasswordInput", change, "done").await;
    let begun =
        house.in_session(&next, "beginSecondFactor", "BeginSecondFactorInput", json!({"password": NEW_PASSWORD}), "secret").await;
    plant("secret of the second factor", text(&begun, "/secret"));
    let code =
        crate::identity::second_factor::code(text(&begun, "/secret"), crate::identity::second_factor::present_step()).await;
    let confirmed = house.in_session(&next, "confirmSecondFactor", "SecondFactorCodeInput", json!({"code": code}), "codes").await;
    plant("recovery code", text(&confirmed, "/codes/0"));
    let (_, asked) = house.sign_in("owner@localhost", NEW_PASSWORD).await;
    plant("challenge", text(&asked, "/challenge"));
    house.post("/auth/second-factor", json!({"challenge": asked["challenge"], "code": confirmed["codes"][0]})).await;
    let (_, device) = house.post("/auth/device/code", json!({"name": "laptop"})).await;
    plant("device code", text(&device, "/device_code"));
    plant("API key", text(&house.json(&["keys", "create", "ci"]).await, "/secret"));
    let (hook, hidden) = ("http://127.0.0.1:9/planted-path-of-a-webhook?key=planted-key", "planted-path-of-a-webhook");
    let made = house.json(&["notifications", "add", "webhook", "ops", hook]).await;
    plant("address of a webhook", hidden);
    plant("secret of a webhook", text(&made, "/secret"));
    // It is tried, and nobody is there.
    assert_eq!(house.cli(&["notifications", "test", "ops", "--json"]).await.error().0, "NOT_DELIVERED");
    house.json(&["projects", "create", "page"]).await;
    house.json(&["env", "set", "--project", "page", &format!("NAME={VARIABLE}")]).await;
    plant("variable", VARIABLE);
    planted
}

#[tokio::test]
async fn no_secret_is_in_a_log_or_in_the_clear_in_the_database() {
    let mut house = House::start_with(&[("RUST_LOG", "debug"), ("MIKROCLOUD_ALLOW_NETWORKS", "127.0.0.0/8")]).await;
    let planted = used(&house).await;
    // The build is told the variable and prints it.
    let site = house.site("page", "a page");
    std::fs::write(site.join("build.cjs"), "console.log('it is ' + process.env.NAME)").unwrap();
    std::fs::write(
        site.join("mikrocloud.toml"),
        "[project]\nkind = \"static\"\n[build]\ncommand = \"node build.cjs\"\noutput = \".\"\n",
    )
    .unwrap();
    let deployed = house.deploy(&site, &["--project", "page"]).await;
    let build = house.log(deployed["deployment"].as_str().unwrap()).await;
    assert!(build.contains("it is ***") && !build.contains(VARIABLE), "{build}");
    // Also what is said at the end, and everything in the file.
    house.terminate().await;
    let log = house.whole_log();
    assert!(log.contains("\"DEBUG\"") && log.contains("/auth/sign-in"), "the log has much to say: {} bytes", log.len());
    let database: Vec<u8> = std::fs::read(house.data().join("mikrocloud.db")).unwrap();
    for (name, value) in &planted {
        assert!(!log.contains(value.as_str()), "{name} is in the log");
        let is_there = database.windows(value.len()).any(|window| window == value.as_bytes());
        assert!(!is_there, "{name} is in the database");
    }
}
