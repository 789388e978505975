//! `docker-compose.yml`.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::tools::{Said, documents, installed, python, run, text, texts};

/// Variables without a default.
const SECRETS: [&str; 3] = ["POSTGRES_PASSWORD", "REDIS_PASSWORD", "MIKROCLOUD_MASTER_KEY"];
const OURS: [&str; 5] = ["migrate", "api", "worker1", "worker2", "edge"];

/// Output of `docker-compose config` with these variables and no `.env` file.
fn config(variables: &[(&str, &str)]) -> Option<Said> {
    let mut command = Command::new("docker-compose");
    // A developer's own `.env` would be read otherwise.
    let empty = tempfile::NamedTempFile::new().unwrap();
    command.arg("--env-file").arg(empty.path()).arg("config").env_clear().envs(variables.iter().copied());
    command.envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "HOME"));
    run(&mut command, "docker-compose", "")
}

/// The services as an engine would get them, with these secrets.
pub fn services(tools: &Path) -> Option<Value> {
    let said = config(&SECRETS.map(|name| (name, "5a5a")))?;
    assert!(said.well, "{}", said.err);
    Some(documents(tools, &said.out)[0]["services"].clone())
}

#[test]
fn the_compose_file_is_one_by_the_schema_of_the_specification() {
    let Some(tools) = installed() else { return };
    let file = documents(&tools, &text("docker-compose.yml")).remove(0);
    let check = |file: &Value| {
        let program = "import json, sys, jsonschema\n\
            jsonschema.validate(json.load(sys.stdin), json.load(open(sys.argv[1])))";
        let schema = tools.join("compose-spec.json");
        run(python(&tools).args(["-c", program]).arg(schema), "python3", &file.to_string()).unwrap()
    };
    let said = check(&file);
    assert!(said.well, "{}", said.err);
    let mut wrong = file;
    wrong["services"]["api"]["restrat"] = json!("always");
    assert!(check(&wrong).err.contains("restrat"), "the schema finds a word that is not one");
}

#[test]
fn nothing_starts_without_every_secret() {
    for left_out in SECRETS {
        let others: Vec<_> = SECRETS.into_iter().filter(|name| *name != left_out).map(|name| (name, "5a5a")).collect();
        for value in [None, Some("")] {
            let variables: Vec<_> = others.iter().copied().chain(value.map(|value| (left_out, value))).collect();
            let Some(said) = config(&variables) else { return };
            assert!(!said.well && said.err.contains("openssl rand -hex 32"), "without {left_out}: {}{}", said.out, said.err);
        }
    }
}

#[test]
fn the_example_of_an_env_file_names_every_secret_and_holds_none() {
    let example = text(".env.example");
    let set: Vec<_> = example.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    assert_eq!(set, SECRETS.map(|name| format!("{name}=")));
}

#[test]
fn services_may_do_no_more_than_they_need() {
    let Some(services) = installed().and_then(|tools| services(&tools)) else { return };
    for (name, service) in services.as_object().unwrap() {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(texts(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(texts(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        assert!(service["privileged"].is_null() && service["network_mode"].is_null(), "{name}");
        assert!(service["cap_add"].is_null() || name == "postgres", "{name}");
        let (restart, looked_at) = (&service["restart"], service["healthcheck"]["test"].is_array());
        if name == "migrate" {
            assert_eq!(restart, "no");
        } else {
            assert!(restart == "unless-stopped" && looked_at || name == "api", "{name}: {service}");
        }
        for port in texts(&service["ports"]) {
            assert!(port.starts_with("127.0.0.1:"), "{name} is open to others at {port}");
        }
        assert!(service["ports"].is_null() || name == "api" || name == "edge", "{name} is open");
    }
}

#[test]
fn every_service_of_ours_starts_after_the_schema_is_there() {
    let Some(services) = installed().and_then(|tools| services(&tools)) else { return };
    assert_eq!(services["migrate"]["depends_on"]["postgres"]["condition"], "service_healthy");
    for name in OURS.into_iter().filter(|name| *name != "migrate") {
        let after = &services[name]["depends_on"]["migrate"]["condition"];
        assert_eq!(after, "service_completed_successfully", "{name}");
    }
    let data = |name: &str| texts(&services[name]["volumes"]).into_iter().find(|volume| volume.contains(":/data"));
    let mut volumes: Vec<_> = OURS.into_iter().filter_map(data).collect();
    volumes.sort();
    volumes.dedup();
    assert_eq!(volumes.len(), 4, "each has a data directory of its own");
}
