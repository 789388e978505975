//! Symbolic links in trees that others send us.

use std::path::{Component, Path};

/// Returns true if a symbolic link at `link` (relative to the tree's root, none of its parents a link) with this target stays
/// inside the tree. `..` may stand only before all names: `a/../b` passes through `a`, which may itself be a link to elsewhere in
/// the tree, and the directory above that is not the one that the text names.
pub fn stays_inside(link: &Path, target: &Path) -> bool {
    let mut depth = link.components().count().saturating_sub(1);
    let mut named = false;
    for part in target.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(_) => named = true,
            Component::ParentDir if !named && depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_inside_by_what_they_say_and_by_what_they_pass_through() {
        for (link, target) in [("a", "b"), ("a", "./b/c"), ("bin/x", "../lib/x.js"), ("a/b/c", "../../d"), ("a/b", "..")] {
            assert!(stays_inside(Path::new(link), Path::new(target)), "{link} -> {target}");
        }
        for (link, target) in [("a", ".."), ("a", "/etc/passwd"), ("a/b", "../../etc"), ("a", "b/../../etc"), ("a", "b/..")] {
            assert!(!stays_inside(Path::new(link), Path::new(target)), "{link} -> {target}");
        }
    }
}
