//! Names, project files and variables that cannot stand.

use serde_json::json;

use crate::support::fixtures::answering;
use crate::support::harness::House;

#[tokio::test]
async fn project_names_that_cannot_be_host_names_say_what_to_do() {
    let house = House::start().await;
    house.json(&["projects", "create", "taken"]).await;
    let long = "a".repeat(300);
    let table = [
        ("", "INVALID_NAME", "1 to 30"),
        (long.as_str(), "INVALID_NAME", "300 characters"),
        ("blög", "INVALID_NAME", "`ö`"),
        ("東京", "INVALID_NAME", "`東`"),
        ("Shop", "INVALID_NAME", "`S`"),
        ("a--b", "INVALID_NAME", "singly"),
        ("../x", "INVALID_NAME", "`.`"),
        ("www", "INVALID_NAME", "reserved"),
        ("taken", "TAKEN", "taken"),
    ];
    for (name, code, part) in table {
        let ran = house.cli(&["projects", "create", name, "--json"]).await;
        let error = ran.error();
        assert!(ran.exit == 1 && error.0 == code && error.1.contains(part), "{name}: {ran:?}");
        let payload = house.mutate("createProject", "CreateProjectInput", json!({"name": name}), "project { id }").await;
        assert_eq!((&payload["userErrors"][0]["field"], &payload["userErrors"][0]["code"]), (&json!("name"), &json!(code)));
    }
    let site = house.site("some", "x");
    for environment in ["0123456789ab", "Pre View", ""] {
        let failure = house.deploy_in_vain(&site, &["-e", environment]).await;
        assert_eq!(failure.0, "INVALID_NAME", "{environment}: {failure:?}");
    }
}

#[tokio::test]
async fn a_project_file_that_is_wrong_names_line_key_and_remedy_on_both_sides() {
    let house = House::start().await;
    let table = [
        ("[project]\nkidn = \"static\"\n", "line 2", "kidn"),
        ("[build]\noutput = 7\n", "line 2: build.output", "expected a string"),
        ("[project]\nkind = \"website\"\n", "line 2", "static"),
        ("[project]\nkind = \"static\"\n\n[container]\nport = 3000\n", "line 4", "remove this table"),
        ("[build]\noutput = \"../x\"\n", "line 2", "build.output"),
        ("[env]\nPORT = \"1\"\n", "line 2", "choose another name"),
        ("[project\n", "line 1", "]"),
    ];
    let repository = house.repository("wrong");
    for (text, line, part) in table {
        // A directory is refused before it is uploaded, a repository once it is fetched.
        let directory = house.project("wrong-here", &[("mikrocloud.toml", text), ("index.html", "x")]);
        repository.commit("main", &[("mikrocloud.toml", text), ("index.html", "x")]);
        for source in [directory.to_str().unwrap(), &repository.url()] {
            let failure = house.deploy_in_vain(source, &["-p", "wrong"]).await;
            assert_eq!(failure.0, "MANIFEST_INVALID", "{source}: {failure:?}");
            assert!(failure.1.contains(line) && failure.1.contains(part), "{source}: {failure:?}");
        }
    }
    let files = [("mikrocloud.toml", "[deploy]\nclouds = [\"mars\"]\n"), ("index.html", "x")];
    let failure = house.deploy_in_vain(house.project("mars", &files), &[]).await;
    assert!(failure.1.contains("mars") && failure.1.contains("local"), "{failure:?}");
    let failure = house.deploy_in_vain(house.site("venus", "x"), &["--cloud", "venus"]).await;
    assert!(failure.0 == "UNKNOWN_CLOUD" && failure.1.contains("venus"), "{failure:?}");
}

#[tokio::test]
async fn variables_take_line_breaks_and_refuse_nul_and_a_megabyte() {
    let house = House::start().await;
    let project = house.json(&["projects", "create", "vars"]).await["id"].clone();
    let ran = house.cli_with_input(&["env", "set", "PEM", "-p", "vars", "--json"], "first\nsecond\n").await;
    assert_eq!(ran.exit, 0, "{ran:?}");
    house.deploy(house.node("vars", &answering("JSON.stringify(process.env.PEM)")), &[]).await;
    assert_eq!(house.body("vars").await, "\"first\\nsecond\"");
    let set = async |name: &str, value: &str| {
        let input = json!({"projectId": project, "variables": [{"name": "GOOD", "value": "1"}, {"name": name, "value": value}]});
        house.mutate("setEnvironmentVariable", "SetEnvironmentVariableInput", input, "names").await
    };
    let megabyte = "x".repeat(1 << 20);
    for (name, value, part) in [
        ("NUL", "a\0b", "NUL byte"),
        ("BIG", megabyte.as_str(), "1048576 bytes"),
        ("A B", "x", "letter"),
        ("", "x", "letter"),
        ("PORT", "x", "choose another name"),
        ("LD_PRELOAD", "x", "choose another name"),
    ] {
        let payload = set(name, value).await;
        let error = &payload["userErrors"][0];
        assert_eq!((&error["field"], &error["code"]), (&json!("variables"), &json!("INVALID_VARIABLE")), "{name}: {payload}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(part) && message.len() < 500, "{name}: {message}");
    }
    // All or none: the good one beside a bad one was not set.
    let listed = house.json(&["env", "list", "-p", "vars"]).await;
    assert_eq!(listed["variables"].as_array().unwrap().len(), 1, "{listed}");
    let (code, message) = house.cli(&["env", "unset", "GONE", "-p", "vars", "--json"]).await.error();
    assert!(code == "NOT_SET" && message.contains("GONE"), "{code}: {message}");
}

#[tokio::test]
async fn wrong_use_of_the_command_line_ends_with_status_2_and_is_said_as_json_when_asked() {
    let house = House::start().await;
    for arguments in [&["nonsense"][..], &["deploy", "--no-such-option"], &["cancel"], &["deployments", "--limit", "0"]] {
        let plain = house.cli(arguments).await;
        assert_eq!(plain.exit, 2, "{plain:?}");
        assert!(plain.stdout.is_empty() && !plain.stderr.is_empty(), "{plain:?}");
        let json = house.cli(&[arguments, &["--json"]].concat()).await;
        assert_eq!((json.exit, json.error().0.as_str()), (2, "USAGE"), "{json:?}");
    }
    for arguments in [&["logs", "no-id"][..], &["cancel", "no-id"], &["promote", "prj_01a2074c87fa7763be99e553550bd8a3"]] {
        let ran = house.cli(&[arguments, &["--json"]].concat()).await;
        assert_eq!(ran.exit, 1, "{ran:?}");
        assert!(!ran.error().1.is_empty());
    }
    let gone = house.cli(&["cancel", "dep_01a2074c87fa7763be99e553550bd8a3", "--json"]).await;
    assert_eq!((gone.exit, gone.error().0.as_str()), (1, "NOT_FOUND"));
}
