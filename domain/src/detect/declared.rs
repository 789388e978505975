//! Projects of which only the project file or a Procfile says what they are.

use super::{DetectError, Project, Reading, Weight, plan};

/// The program that is named, or the directory of files.
#[expect(clippy::unnecessary_wraps, reason = "one form for all detectors")]
pub(super) fn detect(project: &Project<'_>) -> Result<Option<Reading>, DetectError> {
    if let Some(start) = project.start.as_ref().filter(|_| project.may_serve()) {
        let plan = plan::server("Server", format!("{} names the program", start.file), Vec::new(), start.command.clone());
        return Ok(Some(Reading::new(Weight::Server, plan)));
    }
    let output = project.manifest.build.output.as_deref().filter(|_| project.may_be_site());
    Ok(output
        .map(|output| Reading::new(Weight::Page, plan::site("Files", "mikrocloud.toml names the directory", Vec::new(), output))))
}
