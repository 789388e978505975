//! Remarks in the log of a build about its static site, before anybody sees it.

use std::path::Path;

use clouds_contract::CloudError;
use domain::workload::WorkloadSpec;

use super::log::Log;
use crate::edge::prepare_site;

/// Prepares the site in the output of a project's build, if there is one, and says what of its rules and files is not followed.
pub(super) async fn prepare(project: &Path, workload: &WorkloadSpec, output: &Path, log: &mut Log<'_>) -> Result<(), CloudError> {
    let site = match workload {
        WorkloadSpec::Static(site) => Some(site),
        WorkloadSpec::Functions(functions) => functions.site.as_ref(),
        WorkloadSpec::Server(_) => None,
    };
    let Some(site) = site else { return Ok(()) };
    let (project, directory) = (project.to_owned(), output.join(site.root.trim_start_matches('/')));
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
