//! Files of a website.

use clouds_contract::conformance::Subject as _;

use crate::support::Setting;

#[tokio::test]
async fn a_site_is_published_file_by_file_and_forgets_what_it_has_no_more() {
    let setting = Setting::new().await;
    let (first, second) = (setting.desired_site('3'), setting.desired_site('4'));
    setting.done(async |process| process.apply(&first).await).await;
    let address = setting.done(async |process| process.switch(&first).await).await;
    setting.shows(&address, "home one").await;
    assert_eq!(setting.get(&address, "/about").await.text, "about one");
    assert_eq!(setting.get(&address, "/missing").await.status, 404);
    assert_eq!(setting.get(&address, "/.secret").await.status, 404);
    setting.done(async |process| process.apply(&second).await).await;
    setting.shows(&address, "home one").await;
    setting.done(async |process| process.switch(&second).await).await;
    setting.shows(&address, "home two").await;
    assert!(setting.log.0.lock().unwrap().iter().any(|line| line.contains("_redirects")), "rules are not followed, and said");
    for desired in [&first, &second] {
        setting.done(async |process| process.delete(desired).await).await;
    }
    setting.done(async |process| process.remove().await).await;
    setting.done(async |process| process.dismantle().await).await;
    assert_eq!(setting.inventory().await, Vec::<String>::new());
}
