//! A site before its first release: what is served in another way than its files say, so that the log of the build tells of it.

use std::fs;
use std::io;
use std::path::Path;

use super::header_rules::HeaderRules;
use super::listing::Listing;
use super::path::MatchPath;
use super::rules::{OTHERS, Rules};
use super::site::address;
use super::stored::is_stored;

/// The most lines about things of one kind; the rest is counted.
const MAX_LINES: usize = 10;

/// Takes the files of other hosts from the project's directory, where those read them, into the site's, where they are read here, and
/// returns a line for each thing that is not as the site's files say.
pub(crate) fn prepare(project: &Path, site: &Path) -> io::Result<Vec<String>> {
    let (project, site) = (project.canonicalize()?, site.canonicalize()?);
    if project != site {
        for file in OTHERS {
            let from = project.join(file);
            if fs::symlink_metadata(&from).is_ok_and(|meta| meta.is_file()) {
                fs::copy(from, site.join(file))?;
            }
        }
    }
    let listing = Listing::of(&site)?;
    let Rules { headers, trailing_slash, complaints, .. } = Rules::read(&site);
    let mut lines = shortened(complaints);
    lines.extend(trailing_slash.and_then(|wanted| other_slashes(&listing, wanted)));
    lines.extend(shortened(not_stored(&listing, &headers, &site)));
    lines.extend(shortened(listing.omitted));
    Ok(lines)
}

fn shortened(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() > MAX_LINES {
        let more = lines.len() - MAX_LINES;
        lines.truncate(MAX_LINES);
        lines.push(format!("... and {more} more like this"));
    }
    lines
}

/// Here directories end in a slash and pages do not: that is another thing than all with it or all without, if there are both.
fn other_slashes(listing: &Listing, wanted: bool) -> Option<String> {
    let other = |path: &str| match path.rsplit('/').next().unwrap_or(path) {
        "index.html" => path.contains('/') && !wanted,
        "404.html" | "200.html" => false,
        name => wanted && Path::new(name).extension().is_some_and(|extension| extension == "html"),
    };
    let path = &listing.files.iter().find(|file| other(&file.path))?.path;
    let here =
        if wanted { "pages are shown without a slash at the end" } else { "directories are shown with a slash at the end" };
    Some(format!("vercel.json: not followed here: trailingSlash = {wanted} (`{path}`: {here})"))
}

/// The files of which a rule says an encoding that they are not in.
fn not_stored(listing: &Listing, headers: &HeaderRules, site: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for file in &listing.files {
        let address = address(&file.path);
        let Some(path) = MatchPath::new(&address) else { continue };
        let wrong = headers.codings(&path).find(|coding| !is_stored(&site.join(&file.path), *coding));
        lines.extend(wrong.map(|coding| {
            let coding = coding.name();
            format!(
                "`{}` is not stored as {coding}: the headers of the rule with `Content-Encoding: {coding}` are left out",
                file.path
            )
        }));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::tests::tree;
    use super::*;

    #[test]
    fn what_is_not_as_the_files_say_is_told() {
        let project = tree(&[
            ("netlify.toml", "[[plugins]]\npackage = 'x'"),
            ("vercel.json", r#"{"trailingSlash": false}"#),
            ("dist/index.html", "x"),
            ("dist/docs/index.html", "x"),
            ("dist/_redirects", "/a id=:id /b"),
            ("dist/_headers", "/*.gz\n  Content-Encoding: gzip"),
            ("dist/app.js.gz", "plain"),
        ]);
        std::os::unix::fs::symlink("nowhere", project.path().join("dist/link")).unwrap();
        let lines = prepare(project.path(), &project.path().join("dist")).unwrap();
        insta::assert_snapshot!(lines.join("\n"), @"
        _redirects line 1 is ignored: conditions on queries, countries, languages or roles are not known here
        netlify.toml: not followed here: plugins
        vercel.json: not followed here: trailingSlash = false (`docs/index.html`: directories are shown with a slash at the end)
        `app.js.gz` is not stored as gzip: the headers of the rule with `Content-Encoding: gzip` are left out
        `link` is left out: the link leads nowhere
        ");
        assert!(project.path().join("dist/vercel.json").exists());
        assert_eq!(prepare(project.path(), &project.path().join("dist")).unwrap(), lines);
    }

    #[test]
    fn a_site_that_is_as_its_files_say_needs_no_words() {
        let project = tree(&[
            ("index.html", "x"),
            ("404.html", "x"),
            ("docs/index.html", "x"),
            ("vercel.json", r#"{"cleanUrls": true, "trailingSlash": true}"#),
            ("_redirects", "/a /b"),
            ("mikrocloud.toml", ""),
        ]);
        assert_eq!(prepare(project.path(), project.path()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn many_lines_of_one_kind_are_counted() {
        let redirects = "/only\n".repeat(15);
        let project = tree(&[("index.html", "x"), ("_redirects", &redirects)]);
        let lines = prepare(project.path(), project.path()).unwrap();
        assert_eq!((lines.len(), lines[10].as_str()), (11, "... and 5 more like this"));
    }
}
