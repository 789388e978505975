//! Exactly one, or none.

/// What a rule selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match<T> {
    /// The only one.
    One(T),
    /// Nothing.
    None,
    /// More than one, by name: none of them is taken, neither the first nor the cheapest.
    Many(Vec<String>),
}

/// The only candidate, if there is exactly one.
pub fn exactly_one<T>(candidates: impl IntoIterator<Item = (String, T)>) -> Match<T> {
    let mut found: Vec<(String, T)> = candidates.into_iter().collect();
    match found.pop() {
        None => Match::None,
        Some((_, only)) if found.is_empty() => Match::One(only),
        Some((last, _)) => Match::Many(found.into_iter().map(|(name, _)| name).chain([last]).collect()),
    }
}

/// Text that a pattern's `*` or `{class}` stand for, if the pattern matches the whole text; the last of several.
pub(crate) fn capture<'a>(pattern: &str, text: &'a str) -> Option<&'a str> {
    let pattern = pattern.replace("{class}", "*");
    let Some((head, rest)) = pattern.split_once('*') else { return (pattern == text).then_some("") };
    let tail = text.strip_prefix(head)?;
    if rest.is_empty() {
        return Some(tail);
    }
    if !rest.contains('*') {
        return tail.strip_suffix(rest);
    }
    let next = &rest[..rest.find('*')?];
    let matches = tail.match_indices(next).map(|(at, _)| at).filter_map(|at| capture(rest, &tail[at..]));
    matches.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_candidate_is_taken() {
        let named = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), name.len())).collect::<Vec<_>>();
        assert_eq!(exactly_one(named(&["one"])), Match::One(3));
        assert_eq!(exactly_one(named(&[])), Match::None);
        assert_eq!(exactly_one(named(&["a", "b"])), Match::Many(vec!["a".to_owned(), "b".to_owned()]));
    }

    #[test]
    fn patterns_match_whole_texts() {
        assert_eq!(capture("a", "a"), Some(""));
        assert_eq!(capture("a", "ab"), None);
        assert_eq!(capture("*", "anything"), Some("anything"));
        assert_eq!(capture("db.{class} Single-AZ", "db.t4g.micro Single-AZ"), Some("t4g.micro"));
        assert_eq!(capture("db.{class} Single-AZ", "db.t4g.micro Multi-AZ"), None);
        assert_eq!(capture("*/ * vCore ({class})", "General / 2 vCore (D2ds_v5)"), Some("D2ds_v5"));
        assert_eq!(capture("*Bytes 0-10 TB", "EU-Out-Bytes 0-10 TB"), Some("EU-Out-"));
        assert_eq!(capture("*vCPU-Hours*", "Fargate-vCPU-Hours:perCPU"), Some(":perCPU"));
    }
}
