//! The API as any GraphQL client meets it.

use serde_json::{Value, json};

use crate::support::harness::House;

#[tokio::test]
async fn introspection_and_a_page_are_open_and_the_rest_asks_who_you_are() {
    let house = House::start().await;
    let post = async |query: &str| -> Value {
        let request = house.http.post(house.url("/graphql")).json(&json!({"query": query}));
        request.send().await.unwrap().json().await.unwrap()
    };
    let schema = post("{ __schema { queryType { name } subscriptionType { fields { name } } } }").await;
    let fields = schema["data"]["__schema"]["subscriptionType"]["fields"].as_array().unwrap();
    for name in ["deploymentEvents", "deploymentLogs", "projectEvents"] {
        assert!(fields.iter().any(|field| field["name"] == name), "{name}: {schema}");
    }
    let page = house.http.get(house.url("/graphql")).send().await.unwrap();
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(!policy.contains("http") && !policy.contains("script-src") && !policy.contains("unsafe"), "{policy}");
    let text = page.text().await.unwrap();
    assert!(!text.contains("<script") && !text.contains("://"), "nothing is loaded from elsewhere: {text}");
    let refused = post("{ me { role } }").await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{refused}");
}

#[tokio::test]
async fn requests_that_are_none_or_ask_too_much_are_answered_with_an_error() {
    let house = House::start().await;
    let token = house.token();
    let deep = format!(
        "{{ projects {{ nodes {{ {} id {} }} }} }}",
        "environment { liveDeployment { project { ".repeat(12),
        "} } }".repeat(12)
    );
    let wide: Vec<String> = (0..400).map(|index| format!("p{index}: projects(first: 100) {{ nodes {{ id }} }}")).collect();
    let wide = wide.join(" ");
    for query in ["{ nonsense }", "{ me {", "", &deep, &format!("{{ {wide} }}"), "{ projects(first: 1000) { nodes { id } } }"] {
        let answer = house.graphql_as(&token, query, json!({})).await;
        let message = answer["errors"][0]["message"].as_str().unwrap_or_else(|| panic!("{query}: {answer}"));
        assert!(!message.is_empty() && message.len() < 1000, "{message}");
    }
    // Many operations in one request are no way around the limits.
    let (one, batch) = (json!({"query": "{ me { role } }"}), house.http.post(house.url("/graphql")).bearer_auth(&token));
    assert_eq!(batch.json(&json!([one, one])).send().await.unwrap().status(), 400);
    let aliases: Vec<_> = (0..1000).map(|index| format!("a{index}: projects(first: 1) {{ totalCount }} ")).collect();
    let nested = format!("{{ projects(first: {}", "[".repeat(1 << 20));
    let doubling: Vec<_> = (0..31).map(|level| format!("fragment F{level} on Query {{ ...F{0} ...F{0} }} ", level + 1)).collect();
    let doubling = format!("{{ ...F0 }} {} fragment F31 on Query {{ me {{ role }} }}", doubling.concat());
    for (query, expected) in [(format!("{{ {} }}", aliases.concat()), "at once"), (nested, "too deep"), (doubling, "too large")] {
        let answer = house.graphql_as(&token, &query, json!({})).await;
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
    }
    let broken = house.http.post(house.url("/graphql")).bearer_auth(&token).body("{").header("content-type", "application/json");
    assert_eq!(broken.send().await.unwrap().status(), 400);
    let large = house.http.post(house.url("/graphql")).bearer_auth(&token).json(&json!({"query": "x".repeat(3 << 20)}));
    assert_eq!(large.send().await.unwrap().status(), 413);
    assert_eq!(house.graphql("{ me { role } }", json!({})).await["me"]["role"], "OWNER");
}

#[tokio::test]
async fn project_events_resume_over_all_deployments_of_a_project() {
    let house = House::start().await;
    let site = house.site("page", "a page");
    house.deploy(&site, &[]).await;
    house.deploy(&site, &["-e", "preview"]).await;
    let query = "{ project(slug: \"page\") { deployments(first: 10) { nodes { events(first: 50) { projectNumber } } } } }";
    let data = house.graphql(query, json!({})).await;
    let nodes = data["project"]["deployments"]["nodes"].as_array().unwrap();
    let mut numbers: Vec<i64> = nodes
        .iter()
        .flat_map(|node| node["events"].as_array().unwrap().iter().map(|event| event["projectNumber"].as_i64().unwrap()))
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=i64::try_from(numbers.len()).unwrap()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_list_answers_the_same_however_it_is_asked_for() {
    let house = House::start().await;
    for (name, repository) in [("one", "https://example.org/one"), ("two", "")] {
        let input = json!({"name": name, "repository": (!repository.is_empty()).then_some(repository)});
        house.mutate("createProject", "CreateProjectInput", input, "project { id }").await;
    }
    // The same fields by ways that are read and resolved differently: from brief rows, from whole rows, through edges, through fragments,
    // and by fields that the library merges.
    let page = house.graphql("{ projects { nodes { id slug name createdAt } totalCount } }", json!({})).await["projects"].take();
    assert_eq!((&page["totalCount"], &page["nodes"][0]["slug"]), (&json!(2), &json!("two")));
    for part in [
        "nodes { id slug name createdAt deleting }",
        "edges { node { id slug name createdAt } }",
        "edges { node { id slug name createdAt updatedAt } }",
        "nodes { ...on Project { id slug name createdAt } }",
        "nodes { ...F }",
        "nodes { id slug } nodes { name createdAt }",
        "nodes { id slug name createdAt @include(if: true) repository @skip(if: true) }",
        "nodes { id slug: name name createdAt repository }",
    ] {
        let fragment = if part.contains("...F") { "fragment F on Project { id slug name createdAt }" } else { "" };
        let seen = house.graphql(&format!("{{ projects {{ {part} }} }} {fragment}"), json!({})).await["projects"].take();
        for index in 0..2 {
            let node = if seen["edges"].is_null() { &seen["nodes"][index] } else { &seen["edges"][index]["node"] };
            for field in ["id", "slug", "name", "createdAt"] {
                assert_eq!(node[field], page["nodes"][index][field], "{part}: {field}");
            }
        }
    }
    let twice = house.graphql("{ projects { nodes { id } } projects { nodes { slug name createdAt } } }", json!({})).await;
    assert_eq!(twice["projects"]["nodes"], page["nodes"]);
    let first = house.graphql("{ projects(first: 1) { edges { cursor } pageInfo { hasNextPage endCursor } } }", json!({})).await;
    let cursor = &first["projects"]["edges"][0]["cursor"];
    assert_eq!(first["projects"]["pageInfo"], json!({"hasNextPage": true, "endCursor": cursor}));
    assert_eq!(cursor, &page["nodes"][0]["id"]);
    let query =
        "query($after: String) { projects(first: 1, after: $after) { nodes { slug repository } pageInfo { hasNextPage } } }";
    let second = house.graphql(query, json!({"after": cursor})).await;
    let expected =
        json!({"nodes": [{"slug": "one", "repository": "https://example.org/one"}], "pageInfo": {"hasNextPage": false}});
    assert_eq!(second["projects"], expected);
}
