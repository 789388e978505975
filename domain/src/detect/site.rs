//! Sites of plain files.

use super::{DetectError, Project, Reading, Weight, plan};

/// A site with an `index.html`, at the root or in `public`, or with any page at all.
#[expect(clippy::unnecessary_wraps, reason = "one form for all detectors")]
pub(super) fn detect(project: &Project<'_>) -> Result<Option<Reading>, DetectError> {
    if !project.may_be_site() {
        return Ok(None);
    }
    let site = |weight, file: &str, output| {
        Reading::new(weight, plan::site("Static HTML", format!("there is {file}"), Vec::new(), output))
    };
    let places = [("index.html", ""), ("public/index.html", "public")];
    if let Some((file, output)) = places.into_iter().find(|(file, _)| project.tree.exists(file)) {
        return Ok(Some(site(Weight::Index, file, output)));
    }
    // Where the project file names the directory, nothing is to be guessed.
    if project.manifest.build.output.is_some() {
        return Ok(None);
    }
    let page = project.tree.list("").into_iter().find(|entry| {
        let name = entry.name.to_ascii_lowercase();
        !entry.is_directory && name.rsplit_once('.').is_some_and(|(_, ending)| matches!(ending, "html" | "htm"))
    });
    Ok(page.map(|page| site(Weight::Page, &page.name, "")))
}
