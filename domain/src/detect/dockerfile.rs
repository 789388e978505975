//! Parser for the parts of a Dockerfile that detection reads.
//!
//! Only as much as is needed; the engine itself reads it for good
//! (<https://docs.docker.com/reference/dockerfile/>).

use std::collections::BTreeSet;

/// The names that a Dockerfile declares with `ARG`, sorted. Only these variables are handed to its build.
pub(super) fn arguments(text: &str) -> Vec<String> {
    let names =
        instructions(text).into_iter().filter(|(keyword, _)| keyword.eq_ignore_ascii_case("ARG")).flat_map(|(_, rest)| {
            let names = rest.split_whitespace().map(|word| word.split('=').next().unwrap_or_default().to_owned());
            names.filter(|name| is_name(name)).collect::<Vec<_>>()
        });
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

/// A name that a shell could give a variable. Anything else in an `ARG` line is a part of a quoted default with spaces.
fn is_name(name: &str) -> bool {
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts_well && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The instructions as keyword and rest, continued lines joined, comments and the text of here-documents left out.
fn instructions(text: &str) -> Vec<(String, String)> {
    let escape = escape(text);
    let mut lines = text.lines();
    let mut instructions = Vec::new();
    while let Some(line) = lines.next() {
        let mut line = line.trim().to_owned();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        while let Some(begun) = line.strip_suffix(escape) {
            // Comments and empty lines within an instruction are skipped.
            let Some(next) = lines.find(|next| !next.trim().is_empty() && !next.trim_start().starts_with('#')) else { break };
            line = format!("{} {}", begun.trim_end(), next.trim());
        }
        let (keyword, rest) = line.split_once(char::is_whitespace).unwrap_or((&line, ""));
        for end in here_documents(keyword, rest) {
            lines.by_ref().find(|line| line.trim_start_matches('\t') == end);
        }
        instructions.push((keyword.to_owned(), rest.to_owned()));
    }
    instructions
}

/// The character that continues a line: a backslash, unless a directive before the first instruction chooses the backtick.
fn escape(text: &str) -> char {
    let directives = text.lines().map_while(|line| line.trim().strip_prefix('#')).filter_map(|line| line.split_once('='));
    let chosen = directives.filter(|(name, _)| name.trim().eq_ignore_ascii_case("escape")).map(|(_, value)| value.trim()).next();
    if chosen == Some("`") { '`' } else { '\\' }
}

/// The words that end the here-documents of an instruction.
fn here_documents(keyword: &str, rest: &str) -> Vec<String> {
    if !["RUN", "COPY", "ADD"].iter().any(|known| keyword.eq_ignore_ascii_case(known)) {
        return Vec::new();
    }
    let begun = rest.split_whitespace().filter_map(|word| word.split_once("<<"));
    let words = begun.map(|(_, end)| end.trim_start_matches('-').trim_matches(['"', '\'']).to_owned());
    words.filter(|end| is_name(end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn declared_arguments_are_found() {
        let table: &[(&str, &[&str])] = &[
            ("FROM scratch", &[]),
            ("ARG VERSION=1\nFROM alpine:$VERSION\narg token", &["VERSION", "token"]),
            ("FROM x\nARG A B=2 \\\n  # a comment\n\n  C=\"two words\"\n", &["A", "B", "C"]),
            ("# escape=`\nFROM x\nARG A `\n  B", &["A", "B"]),
            ("FROM x\n# ARG NO\nRUN echo ARG NO\nENV ARG=NO\nLABEL a=\"ARG\"", &[]),
            ("FROM x\nRUN <<EOF\nARG NO\nEOF\nARG YES", &["YES"]),
            ("FROM x\nCOPY <<-'END' <<MORE /etc/\nARG NO\n\tEND\nARG NO\nMORE\nARG YES", &["YES"]),
            ("ARG A\nFROM x\nARG A\nARG 1X -y\nARG", &["A"]),
            ("ARG A \\", &["A"]),
        ];
        for (text, expected) in table {
            assert_eq!(arguments(text), *expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_names_only(text in "(ARG|RUN|COPY|FROM|#|<<|EOF|escape|[ =\\\\`\"'\n\t]|\\PC){0,60}") {
            for name in arguments(&text) {
                prop_assert!(is_name(&name) && text.contains(&name), "{name}");
            }
        }

        #[test]
        fn what_is_declared_is_found(names in proptest::collection::btree_set("[A-Za-z_][A-Za-z0-9_]{0,8}", 0..5)) {
            let text = names.iter().fold("FROM x\n".to_owned(), |text, name| text + "ARG " + name + "=\"a value\"\nRUN true\n");
            prop_assert_eq!(arguments(&text), names.into_iter().collect::<Vec<_>>());
        }
    }
}
