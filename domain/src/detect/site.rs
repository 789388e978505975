//! Sites of plain files.

use super::{DetectError, Project, plan};
use crate::build::BuildPlan;

/// A site with an `index.html`, at the root or in `public`.
#[expect(clippy::unnecessary_wraps, reason = "one form for all detectors")]
pub(super) fn with_index(project: &Project<'_>) -> Result<Option<BuildPlan>, DetectError> {
    let places = [("index.html", ""), ("public/index.html", "public")];
    let found = places.into_iter().find(|(file, _)| project.tree.exists(file));
    Ok(found.map(|(file, output)| plan::site("Static HTML", format!("there is {file}"), Vec::new(), output)))
}

/// A site with any page at all.
#[expect(clippy::unnecessary_wraps, reason = "one form for all detectors")]
pub(super) fn with_any_page(project: &Project<'_>) -> Result<Option<BuildPlan>, DetectError> {
    let page = project.tree.list("").into_iter().find(|entry| {
        let name = entry.name.to_ascii_lowercase();
        !entry.is_directory && name.rsplit_once('.').is_some_and(|(_, ending)| matches!(ending, "html" | "htm"))
    });
    Ok(page.map(|page| plan::site("Static HTML", format!("there is {}", page.name), Vec::new(), "")))
}
