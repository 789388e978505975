//! Site generators that are programs of their own.

use super::package::Package;
use super::{DetectError, Project, Reading, Weight, node, plan, python};

/// A site of Hugo, `MkDocs` or Sphinx.
pub(super) fn detect(project: &Project<'_>) -> Result<Option<Reading>, DetectError> {
    if !project.may_be_site() {
        return Ok(None);
    }
    let site = |plan| Ok(Some(Reading::new(Weight::Site, plan)));
    if let Some(file) = hugo(project)? {
        let mut steps = node::assets(project)?;
        steps.push(plan::step(["hugo", "--minify"]));
        return site(plan::site("Hugo", format!("there is {file}"), steps, "public"));
    }
    if let Some(file) = ["mkdocs.yml", "mkdocs.yaml"].into_iter().find(|file| project.tree.exists(file)) {
        let text: String = project.tree.read(file).unwrap_or_default().split_whitespace().collect();
        let needs: &[&str] =
            if text.contains("theme:material") || text.contains("name:material") { &["mkdocs-material"] } else { &["mkdocs"] };
        let words = ["-m", "mkdocs", "build", "--site-dir", "site"];
        return site(python::generator(project, "MkDocs", format!("there is {file}"), needs, &words, "site")?);
    }
    if project.tree.read("conf.py").is_some_and(|text| text.contains("extensions") || text.contains("html_theme")) {
        let words = ["-m", "sphinx", "-b", "html", ".", ".mikrocloud/site"];
        return site(python::generator(
            project,
            "Sphinx",
            "there is conf.py".to_owned(),
            &["sphinx"],
            &words,
            ".mikrocloud/site",
        )?);
    }
    Ok(None)
}

/// The configuration of Hugo, where package.json does not call it itself.
fn hugo(project: &Project<'_>) -> Result<Option<&'static str>, DetectError> {
    let own = ["hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json", "config/_default/hugo.toml"];
    // Its name of old is one of many programs.
    let old = || {
        ["config.toml", "config.yaml"]
            .into_iter()
            .filter(|_| project.tree.exists("content") && (project.tree.exists("archetypes") || project.tree.exists("layouts")))
    };
    let Some(file) =
        own.into_iter().find(|file| project.tree.exists(file)).or_else(|| old().find(|file| project.tree.exists(file)))
    else {
        return Ok(None);
    };
    let calls_it =
        Package::read(project)?.is_some_and(|package| package.script("build").is_some_and(|script| script.contains("hugo")));
    Ok((!calls_it).then_some(file))
}
