//! Second factors, by an authenticator program that MikroCloud did not write: `oathtool` of Debian.

use domain::time::now;
use serde_json::{Value, json};
use testkit::wait_until;
use tokio::process::Command;

use super::access::PASSWORD;
use crate::support::browser::Browser;
use crate::support::harness::{House, PATIENCE};

const OWNER: &str = "owner@localhost";

/// The code that an authenticator with this secret shows at a time step.
pub async fn code(secret: &str, step: i64) -> String {
    let at = format!("--now=@{}", step * 30);
    let output =
        Command::new("oathtool").args(["--totp", "--base32", &at, secret]).output().await.expect("oathtool is installed");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The time step of this moment.
pub fn present_step() -> i64 {
    now().timestamp() / 30
}

/// Enables a second factor for the owner: its secret, the step whose code was used, the recovery codes.
async fn enable(house: &House, tokens: &Value) -> (String, i64, Vec<String>) {
    let begun = house
        .in_session(tokens, "beginSecondFactor", "BeginSecondFactorInput", json!({"password": PASSWORD}), "secret address")
        .await;
    let secret = begun["secret"].as_str().unwrap_or_else(|| panic!("{begun}")).to_owned();
    let address = begun["address"].as_str().unwrap();
    assert!(address.starts_with("otpauth://totp/MikroCloud:owner%40localhost?") && address.contains(&secret), "{address}");
    // A clock that is one step off is taken: the code of the step before leaves the present one to the test.
    let step = present_step() - 1;
    let input = json!({"code": code(&secret, step).await});
    let confirmed = house.in_session(tokens, "confirmSecondFactor", "SecondFactorCodeInput", input, "codes").await;
    let codes = confirmed["codes"].as_array().unwrap_or_else(|| panic!("{confirmed}")).iter();
    (secret, step, codes.map(|code| code.as_str().unwrap().to_owned()).collect())
}

async fn challenge(house: &House) -> Value {
    let (status, mut answer) = house.sign_in(OWNER, PASSWORD).await;
    assert_eq!((status, &answer["reason"]), (401, &json!("SECOND_FACTOR_NEEDED")), "{answer}");
    answer["challenge"].take()
}

async fn answer(house: &House, challenge: &Value, code: &str) -> (u16, Value) {
    house.post("/auth/second-factor", json!({"challenge": challenge, "code": code})).await
}

#[tokio::test]
async fn a_code_is_asked_for_and_taken_once() {
    let house = House::start().await;
    let tokens = house.owner_session().await;
    let wrong =
        house.in_session(&tokens, "beginSecondFactor", "BeginSecondFactorInput", json!({"password": "wrong"}), "secret").await;
    assert_eq!(wrong["userErrors"][0]["code"], "WRONG_PASSWORD");
    let (secret, used, codes) = enable(&house, &tokens).await;
    assert_eq!(codes.len(), 10);
    let state = house.account(&tokens, "secondFactor { enabled recoveryCodes } securityEvents { kind }").await;
    assert_eq!(state["secondFactor"], json!({"enabled": true, "recoveryCodes": 10}));
    assert_eq!(state["securityEvents"][0]["kind"], "SECOND_FACTOR_ENABLED");
    // No second secret takes the place of the first.
    let again =
        house.in_session(&tokens, "beginSecondFactor", "BeginSecondFactorInput", json!({"password": PASSWORD}), "secret").await;
    assert_eq!(again["userErrors"][0]["code"], "ENABLED");

    let asked = challenge(&house).await;
    assert_eq!(answer(&house, &asked, &code(&secret, used).await).await.1["reason"], "WRONG_CODE", "it was used");
    let step = present_step();
    let right = code(&secret, step).await;
    let spaced = format!("{} {}", &right[..3], &right[3..]);
    let (status, signed_in) = answer(&house, &asked, &spaced).await;
    assert!(status == 200 && signed_in["access_token"].is_string(), "{signed_in}");
    assert_eq!(answer(&house, &asked, &codes[0]).await.0, 401, "the challenge is used up");
    let other = challenge(&house).await;
    assert_eq!(answer(&house, &other, &right).await.1["reason"], "WRONG_CODE", "it was used");
    // A recovery code, however it is typed, once.
    assert_eq!(answer(&house, &other, &codes[0].to_uppercase().replace('-', " ")).await.0, 200);
    let last = challenge(&house).await;
    assert_eq!(answer(&house, &last, &codes[0]).await.1["reason"], "WRONG_CODE");
    let left = house.account(&tokens, "secondFactor { recoveryCodes } securityEvents { kind }").await;
    assert_eq!(
        (&left["secondFactor"]["recoveryCodes"], &left["securityEvents"][0]["kind"]),
        (&json!(9), &json!("RECOVERY_CODE_USED"))
    );
}

#[tokio::test]
async fn guessing_codes_is_slowed_down_and_the_factor_goes_only_with_a_code() {
    let house = House::start().await;
    let tokens = house.owner_session().await;
    let (secret, _, codes) = enable(&house, &tokens).await;
    let asked = challenge(&house).await;
    for guess in ["000000", "000001", "000002", "x", "1234567"] {
        assert_eq!(answer(&house, &asked, guess).await.0, 422, "{guess}");
    }
    assert_eq!(answer(&house, &asked, "000003").await.0, 429);
    let disable = async |code: &str| {
        house.in_session(&tokens, "disableSecondFactor", "SecondFactorCodeInput", json!({"code": code}), "done").await
    };
    wait_until(PATIENCE, "the wait to be over", async || {
        let query = "mutation { disableSecondFactor(input: {code: \"000004\"}) { userErrors { code } } }";
        house.graphql_as(tokens["access_token"].as_str().unwrap(), query, json!({})).await["errors"].is_null()
    })
    .await;
    let renewed = async || {
        let query = format!("mutation {{ renewRecoveryCodes(input: {{code: \"{}\"}}) {{ codes }} }}", codes[1]);
        house.graphql_as(tokens["access_token"].as_str().unwrap(), &query, json!({})).await["data"]["renewRecoveryCodes"]["codes"]
            .take()
    };
    let mut fresh = Value::Null;
    wait_until(PATIENCE, "new recovery codes", async || {
        fresh = renewed().await;
        fresh.is_array()
    })
    .await;
    assert_eq!(disable(&codes[2]).await["userErrors"][0]["code"], "WRONG_CODE", "one of before");
    assert_eq!(disable(&code(&secret, present_step()).await).await["done"], true);
    assert_eq!(house.sign_in(OWNER, PASSWORD).await.0, 200);
}

#[tokio::test]
async fn browsers_and_command_lines_ask_for_the_code_and_a_new_link_does_not_go_round_it() {
    let house = House::start().await;
    let tokens = house.owner_session().await;
    let (_, _, codes) = enable(&house, &tokens).await;
    let mut browser = Browser::new();
    let form = browser.get(&house.url("/auth/sign-in?next=/auth/account")).await;
    let asked = browser.submit(&form, &[("email", OWNER), ("password", PASSWORD)]).await;
    assert!(asked.text.contains("The code that your authenticator shows"), "{asked:?}");
    assert!(browser.cookie(&house.url("/"), "mikrocloud").is_none());
    let wrong = browser.submit(&asked, &[("code", "000000")]).await;
    assert!(wrong.status == 422 && wrong.text.contains("This code is wrong"), "{wrong:?}");
    let page = browser.submit(&wrong, &[("code", &codes[0])]).await;
    assert!(page.text.contains("Recovery codes left: 9"), "{page:?}");

    let ran = house.cli_with_input(&["account", "show"], &format!("{PASSWORD}\n{}\n", codes[1])).await;
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert!(ran.stdout.contains("Recovery codes left: 8") && ran.stdout.contains("recovery code used"), "{ran:?}");
    let link = house.json(&["login", "--link", "--data", house.data().to_str().unwrap()]).await;
    let token = link["link"].as_str().unwrap().split("token=").nth(1).unwrap().to_owned();
    let body = json!({"token": token, "password": "another quite uncommon phrase"});
    let (status, answer) = house.post("/auth/link", body).await;
    assert_eq!((status, &answer["reason"]), (401, &json!("SECOND_FACTOR_NEEDED")), "{answer}");
}

#[tokio::test]
async fn the_command_line_enables_and_disables_a_second_factor() {
    let house = House::start().await;
    house.owner_session().await;
    let mut child = house
        .command(&["account", "second-factor", "enable", "--json"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stdin, format!("{PASSWORD}\n").as_bytes()).await.unwrap();
    let mut said = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(child.stderr.take().unwrap()));
    let secret = loop {
        let line = tokio::time::timeout(PATIENCE, said.next_line()).await.unwrap().unwrap().unwrap();
        if let Some((_, secret)) = line.split_once("its secret: ") {
            break secret.to_owned();
        }
    };
    let first = code(&secret, present_step() - 1).await;
    tokio::io::AsyncWriteExt::write_all(&mut stdin, format!("{first}\n").as_bytes()).await.unwrap();
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
    let enabled: Value = serde_json::from_slice(&output.stdout).unwrap();
    let codes = enabled["recoveryCodes"].as_array().unwrap();
    let input = format!("{PASSWORD}\n{}\n{}\n", codes[0].as_str().unwrap(), codes[1].as_str().unwrap());
    let ran = house.cli_with_input(&["account", "second-factor", "disable", "--json"], &input).await;
    assert_eq!((ran.exit, &ran.json()["enabled"]), (0, &json!(false)), "{ran:?}");
}
