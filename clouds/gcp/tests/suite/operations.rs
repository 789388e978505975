//! Operations that end otherwise than they should, and states that are new to us.

use clouds_contract::conformance::{Subject as _, life};
use clouds_contract::testing::Cut;
use clouds_contract::{ErrorKind, Observation, Outputs};
use serde_json::json;

use crate::support::Setting;

#[tokio::test]
async fn operations_that_google_forgets_hold_nothing_up() {
    let setting = Setting::new().await;
    let forgets = json!({"after": {"polls": 2}, "ending": "forget"});
    let types = json!({"run.services": forgets, "run.revisions": forgets, "artifactregistry.repositories": forgets});
    setting.control("PUT", "behaviour", json!({"types": types})).await;
    for fixture in setting.fixtures() {
        life(&setting, &fixture).await;
    }
}

#[tokio::test]
async fn an_operation_that_fails_says_what_to_do_and_the_next_attempt_goes_on() {
    let setting = Setting::new().await;
    let desired = setting.desired('1');
    let ending = json!({"fail": {"code": "8", "message": "Quota exceeded for total allowable CPU per project per region."}});
    setting.control("PUT", "behaviour", json!({"types": {"run.services": {"ending": ending}}})).await;
    let error = setting.work(&Cut::never(), async |process| process.apply(&desired).await).await.unwrap().unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::Exhausted, "QUOTA"));
    assert!(error.message.contains("allowable CPU"), "{error}");
    setting.control("PUT", "behaviour", json!({})).await;
    setting.done(async |process| process.leave(std::slice::from_ref(&desired)).await).await;
    let desired = setting.desired('1');
    setting.done(async |process| process.live(std::slice::from_ref(&desired)).await).await;
}

#[tokio::test]
async fn a_state_that_is_new_to_us_is_waited_out() {
    let setting = Setting::new().await;
    let desired = setting.desired('1');
    setting.done(async |process| process.apply(&desired).await).await;
    let rewrite = json!({"pointer": "/conditions/0/state", "value": "CONDITION_OF_2031"});
    let fault = json!({"service": "run", "operation": "GET *revisions*", "count": 0, "action": {"rewrite": rewrite}});
    setting.control("POST", "faults", fault).await;
    let observed = setting
        .done(async |process| {
            let nothing = Outputs::new();
            process.cloud.observe(&process.scope(&nothing), desired.deployment_id, &desired.spec).await
        })
        .await;
    assert!(matches!(observed, Observation::Pending { .. }), "{observed:?}");
}
