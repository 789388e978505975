//! The log over REST.

use serde_json::{Value, json};

use crate::support::harness::House;

impl House {
    async fn export(&self, query: &str, accept: &str) -> (u16, String, String) {
        let request = self.http.get(self.url(&format!("/api/v1/audit/export{query}"))).bearer_auth(self.token());
        let response = request.header("accept", accept).send().await.unwrap();
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        (response.status().as_u16(), kind, response.text().await.unwrap())
    }
}

#[tokio::test]
async fn the_log_is_paged_filtered_and_exported_over_rest_as_everywhere() {
    let house = House::start().await;
    for name in ["one", "two", "three"] {
        house.rest_project(name).await;
    }
    let page = house.rest_get("/audit?action=project.create&first=2").await;
    let names: Vec<_> = page["nodes"].as_array().unwrap().iter().map(|entry| entry["target"]["name"].as_str().unwrap()).collect();
    assert_eq!((names, &page["pageInfo"]["hasNextPage"]), (vec!["three", "two"], &json!(true)), "{page}");
    let newest = &page["nodes"][0];
    assert_eq!((&newest["outcome"], &newest["actor"]["email"]), (&json!("DONE"), &json!("owner@localhost")));
    assert_eq!(newest["hash"], house.audit(json!({"action": "project"}), 1).await[0]["hash"], "it is the same log");
    let after = page["pageInfo"]["endCursor"].as_str().unwrap();
    let rest = house.rest_get(&format!("/audit?action=project.create&first=2&after={after}")).await;
    assert_eq!((rest["nodes"].as_array().unwrap().len(), &rest["pageInfo"]["hasNextPage"]), (1, &json!(false)), "{rest}");
    assert_eq!(house.rest_get("/audit?outcome=DENIED").await["nodes"], json!([]));
    for wrong in ["action=nothing", "outcome=MAYBE", "after=0", "since=yesterday", "first=101", "color=red"] {
        let response =
            house.http.get(house.url(&format!("/api/v1/audit?{wrong}"))).bearer_auth(house.token()).send().await.unwrap();
        let status = response.status();
        assert_eq!(status, 422, "{wrong}: {}", response.text().await.unwrap());
    }

    let (status, kind, lines) = house.export("", "*/*").await;
    assert_eq!((status, kind.as_str()), (200, "application/x-ndjson"));
    let file = house.scratch("rest-export").join("log.jsonl");
    std::fs::write(&file, &lines).unwrap();
    let verified = house.json(&["audit", "verify", file.to_str().unwrap()]).await;
    assert_eq!(
        (&verified["valid"], &verified["entries"]),
        (&json!(true), &json!(4)),
        "the export is an entry itself: {verified}"
    );
    std::fs::write(&file, &lines[..lines.len() - 10]).unwrap();
    assert_eq!(house.cli(&["audit", "verify", file.to_str().unwrap()]).await.exit, 1, "what broke off is not whole");

    for (query, accept) in [("?format=OCSF", "*/*"), ("", "application/vnd.ocsf+x-ndjson")] {
        let (status, kind, lines) = house.export(query, accept).await;
        assert_eq!((status, kind.as_str()), (200, "application/vnd.ocsf+x-ndjson"));
        let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
        assert_eq!(first["class_uid"], 6003, "API Activity: {first}");
    }
    let (status, _, none) = house.export("?format=OCSF&until=2020-01-01T00:00:00Z", "*/*").await;
    assert_eq!((status, none.as_str()), (200, ""));
    assert_eq!(house.export("?since=2021-01-01T00:00:00Z&until=2020-01-01T00:00:00Z", "*/*").await.0, 422);
}
