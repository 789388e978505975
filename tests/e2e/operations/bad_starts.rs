//! Starts that cannot be: the program says why, ends with status 1 and harms nothing.

use testkit::wait_until;

use crate::support::client::Ran;
use crate::support::harness::{House, PATIENCE};

/// Starts one that must not come up, and returns what it says.
async fn refused(house: &House, env: &[(&str, &str)], arguments: &[&str]) -> String {
    let mut command = house.command(&[&["up"], arguments].concat());
    let ending = command.envs(env.iter().copied()).output();
    let ran = Ran::from(tokio::time::timeout(PATIENCE, ending).await.expect("it ends").unwrap());
    assert_eq!(ran.exit, 1, "{ran:?}");
    assert!(!ran.stdout.contains("ready"), "{ran:?}");
    ran.stderr.lines().last().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_port_or_data_directory_that_is_in_use_is_named() {
    let house = House::start().await;
    let data = house.data();
    let other = house.scratch("other");
    let address = format!("127.0.0.1:{}", house.port);
    let said = refused(&house, &[], &["--data", other.to_str().unwrap(), "--listen", &address]).await;
    assert!(said.contains(&address) && said.contains("--listen"), "{said}");
    let said = refused(&house, &[], &["--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"]).await;
    assert!(said.contains("in use by another mikrocloud") && said.contains(&house.pid().to_string()), "{said}");
    assert_eq!(house.json(&["whoami"]).await["role"], "OWNER");
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_written_is_named_with_a_remedy() {
    let house = House::prepare(&[]);
    let file = house.project("plain", &[("file", "x")]).join("file").join("data");
    for directory in [file.to_str().unwrap(), "/proc/mikrocloud"] {
        let said = refused(&house, &[], &["--data", directory, "--listen", "127.0.0.1:0"]).await;
        assert!(said.contains(directory) && said.contains("--data"), "{said}");
    }
    let said = refused(&house, &[], &["--data", house.data().to_str().unwrap(), "--listen", "192.0.2.1:80"]).await;
    assert!(said.contains("192.0.2.1:80") && said.contains("--listen"), "{said}");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let mut house = House::start().await;
    house.deploy(house.site("page", "a page"), &[]).await;
    house.kill().await;
    let database = house.data().join("mikrocloud.db");
    let url = format!("sqlite://{}", database.display());
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (20990101000000, 'to come', 1, x'00', 0)";
    let mut connection = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
    let needed = "INSERT INTO installation (name, value) VALUES ('schema_compatible_with', '20990101000000')";
    for sql in [newer, needed] {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    let data = house.data();
    let said = refused(&house, &[], &["--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"]).await;
    assert!(said.contains("newer MikroCloud") && said.contains("mikrocloud.db"), "{said}");
    // Without the record a schema has only grown, and this program can work on it.
    sqlx::query("DELETE FROM installation WHERE name = 'schema_compatible_with'").execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    house.run().await;
    wait_until(PATIENCE, "the page", async || house.get("page", "/").await.body == "a page").await;
}

/// Output of a worker that has this object store, and its exit status.
async fn worker_with_objects(house: &House, address: &str, env: &[(&str, &str)]) -> (i32, String) {
    let data = house.scratch("worker");
    let mut command = house.command(&["worker", "--data", data.to_str().unwrap(), "--health-listen", "127.0.0.1:0"]);
    for (name, _) in std::env::vars_os() {
        if ["AWS_", "AZURE_", "GOOGLE_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.env("DATABASE_URL", "postgres://127.0.0.1:1/none").env("REDIS_URL", "redis://127.0.0.1:1");
    command.env("MIKROCLOUD_MASTER_KEY", "ab".repeat(32)).env("MIKROCLOUD_WAIT_SECONDS", "0");
    let ending = command.env("MIKROCLOUD_OBJECTS", address).envs(env.iter().copied()).output();
    let ran = Ran::from(tokio::time::timeout(PATIENCE, ending).await.expect("it ends").unwrap());
    (ran.exit, ran.stderr)
}

#[tokio::test]
async fn an_object_store_that_cannot_be_used_is_named_with_a_remedy() {
    let house = House::prepare(&[]);
    for address in ["bucket", "ftp://bucket", "s3://", "gs://", "az:///x", ""] {
        let (exit, said) = worker_with_objects(&house, address, &[]).await;
        assert!(
            exit == 2 && said.contains("MIKROCLOUD_OBJECTS") && said.contains("s3://bucket/prefix"),
            "{address}: {exit} {said}"
        );
    }
    let (exit, said) = worker_with_objects(&house, "az://container", &[]).await;
    assert!(exit == 1 && said.contains("MIKROCLOUD_OBJECTS") && said.contains("AZURE_STORAGE_ACCOUNT_NAME"), "{said}");
    // Nothing listens there, and no credential is given either.
    let nowhere = "http://127.0.0.1:1";
    let env = [("AWS_ENDPOINT", nowhere), ("AWS_METADATA_ENDPOINT", nowhere), ("AWS_ALLOW_HTTP", "true")];
    let (exit, said) = worker_with_objects(&house, "s3://bucket", &env).await;
    assert!(exit == 1 && said.contains("MIKROCLOUD_OBJECTS") && said.contains("AWS_ACCESS_KEY_ID"), "{said}");
    let file = house.project("file", &[("file", "x")]).join("file");
    let (exit, said) = worker_with_objects(&house, &format!("file://{}/objects", file.display()), &[]).await;
    assert!(exit == 1 && said.contains("MIKROCLOUD_OBJECTS") && said.contains("file/objects"), "{said}");
}

#[tokio::test]
async fn a_wrong_or_lost_master_key_is_noticed_before_anything_is_written() {
    let mut house = House::start().await;
    house.kill().await;
    let data = house.data();
    let arguments = ["--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let said = refused(&house, &[("MIKROCLOUD_MASTER_KEY", &"ab".repeat(32))], &arguments).await;
    assert!(said.contains("master key") && said.contains("MIKROCLOUD_MASTER_KEY"), "{said}");
    let said = refused(&house, &[("MIKROCLOUD_MASTER_KEY", "short")], &arguments).await;
    assert!(said.contains("64 hexadecimal digits"), "{said}");
    let key = data.join("master.key");
    let kept = std::fs::read_to_string(&key).unwrap();
    for text in [None, Some(""), Some("garbage")] {
        std::fs::remove_file(&key).unwrap();
        if let Some(text) = text {
            std::fs::write(&key, text).unwrap();
        }
        let said = refused(&house, &[], &arguments).await;
        assert!(said.contains("master.key") && said.contains("restore"), "{text:?}: {said}");
        std::fs::write(&key, &kept).unwrap();
    }
    house.run().await;
    assert_eq!(house.json(&["whoami"]).await["role"], "OWNER");
}
