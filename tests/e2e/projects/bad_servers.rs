//! Servers that do not behave.

use testkit::wait_until;

use crate::support::fixtures::answering;
use crate::support::harness::{House, PATIENCE};
use crate::support::processes;

#[tokio::test]
async fn a_server_that_does_not_come_up_says_why_and_the_old_one_stays() {
    let house = House::start_with(&[("MIKROCLOUD_START_SECONDS", "3")]).await;
    house.deploy(house.node("shop", &answering("'the old one'")), &[]).await;
    let table = [
        ("console.log('I listen to nobody'); setInterval(() => {}, 1000)", "HEALTH_CHECK_FAILED", "I listen to nobody"),
        ("console.error('no database'); process.exit(7)", "SERVER_EXITED", "no database"),
        ("throw new Error('a typo')", "SERVER_EXITED", "a typo"),
        (
            "require('node:http').createServer((q, s) => { s.statusCode = 500; s.end() }).listen(process.env.PORT, '127.0.0.1')",
            "HEALTH_CHECK_FAILED",
            "500",
        ),
    ];
    for (code, expected, part) in table {
        let failure = house.deploy_in_vain(house.node("shop", code), &[]).await;
        assert!(failure.0 == expected && failure.1.contains(part), "{code}: {failure:?}");
        assert_eq!(house.body("shop").await, "the old one");
    }
    wait_until(PATIENCE, "only the old one to run", async || processes::all_of(&house.data()).len() == 1).await;
}

#[tokio::test]
async fn a_server_that_listens_late_is_waited_for() {
    let house = House::start().await;
    let code = answering("'at last'")
        .replace("server.listen(", "setTimeout(() => server.listen(")
        .replace("console.log('listening'));", "console.log('listening')), 2500);");
    house.deploy(house.node("late", &code), &[]).await;
    assert_eq!(house.body("late").await, "at last");
}

#[tokio::test]
async fn a_server_that_ignores_sigterm_goes_with_its_project_and_with_mikrocloud() {
    let mut house = House::start().await;
    let code = answering("'stubborn'").replace("() => server.close()", "() => console.log('no')");
    house.deploy(house.node("stubborn", &code), &[]).await;
    house.deploy(house.node("other", &code), &[]).await;
    house.json(&["projects", "delete", "stubborn", "--yes"]).await;
    wait_until(PATIENCE, "only the other to run", async || processes::all_of(&house.data()).len() == 1).await;
    assert!(house.terminate().await.success());
    assert_eq!(processes::all_of(&house.data()), []);
}

#[tokio::test]
async fn a_server_that_dies_comes_back() {
    let house = House::start().await;
    let code = answering("request.url === '/die' ? process.exit(1) : process.pid");
    house.deploy(house.node("mortal", &code), &[]).await;
    let first = house.body("mortal").await;
    assert!(house.get("mortal", "/die").await.status >= 500);
    wait_until(PATIENCE, "another process to answer", async || {
        let page = house.get("mortal", "/").await;
        page.status == 200 && page.body != first
    })
    .await;
}
