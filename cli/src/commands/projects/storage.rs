//! Storage of the team.

use serde_json::{Value, json};

use crate::arguments::StorageCommandOptions;
use crate::client::api::Api;
use crate::client::output;
use server::Failure;

/// Shows what the team stores.
pub async fn run(options: StorageCommandOptions) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    let query = "{ storage { artifacts artifactBytes artifactBudgetBytes logArchiveBytes } }";
    let data = api.run(query, json!({})).await?;
    let storage = &data["storage"];
    if options.output.json {
        output::json(storage);
        return Ok(());
    }
    let count = output::text(&storage["artifacts"]);
    let rows = vec![
        vec![format!("{count} artifacts"), size(&storage["artifactBytes"]), size(&storage["artifactBudgetBytes"])],
        vec!["archived logs".to_owned(), size(&storage["logArchiveBytes"]), "-".to_owned()],
    ];
    output::table(&["STORED", "SIZE", "BUDGET"], rows, "");
    Ok(())
}

/// A size in MiB, rounded up.
fn size(bytes: &Value) -> String {
    format!("{} MiB", bytes.as_u64().unwrap_or(0).div_ceil(1 << 20))
}
