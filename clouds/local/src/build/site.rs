//! What the log of a build says of its static site before anybody sees it.

use std::path::Path;

use clouds_contract::{BuildRequest, CloudError};
use domain::workload::WorkloadSpec;

use super::log::Log;
use crate::edge::prepare_site;

/// Prepares the site in a build's output, if there is one, and says what of its rules and files is not followed.
pub(super) async fn prepare(request: &BuildRequest, output: &Path, log: &mut Log<'_>) -> Result<(), CloudError> {
    let site = match &request.plan.workload {
        WorkloadSpec::Static(site) => Some(site),
        WorkloadSpec::Functions(functions) => functions.site.as_ref(),
        WorkloadSpec::Server(_) => None,
    };
    let Some(site) = site else { return Ok(()) };
    let (project, directory) = (request.directory.clone(), output.join(site.root.trim_start_matches('/')));
    // The release says what to do about a directory that is not there.
    if !directory.is_dir() {
        return Ok(());
    }
    let prepared = tokio::task::spawn_blocking(move || prepare_site(&project, &directory)).await;
    let lines = prepared.map_err(std::io::Error::from).flatten();
    for line in lines.map_err(|error| CloudError::internal("the site's files could not be read", error))? {
        log.system(line).await?;
    }
    Ok(())
}
