//! The committed SDL is the schema.

#[test]
fn the_committed_sdl_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, schema::sdl()).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(committed == schema::sdl(), "schema.graphql is stale: run `make schema` and commit it");
}
