//! Caddyfiles as trees of directives.

/// A directive with its arguments and what stands in its braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directive {
    pub name: String,
    pub arguments: Vec<String>,
    pub block: Vec<Directive>,
}

/// Reads a Caddyfile; the error names the line.
pub(super) fn parse(text: &str) -> Result<Vec<Directive>, String> {
    let mut open: Vec<(Vec<String>, Vec<Directive>)> = vec![(Vec::new(), Vec::new())];
    for (number, line) in text.lines().enumerate() {
        let wrong = |what: &str| format!("line {} of the Caddyfile {what}", number + 1);
        let mut words = words(line).ok_or_else(|| wrong("has a quotation without an end"))?;
        if words.is_empty() {
            continue;
        }
        if words == ["}"] {
            let (head, block) = open.pop().filter(|_| !open.is_empty()).ok_or_else(|| wrong("closes what is not open"))?;
            add(&mut open, head, block);
        } else if words.last().is_some_and(|word| word == "{") {
            words.pop();
            open.push((words, Vec::new()));
        } else {
            add(&mut open, words, Vec::new());
        }
    }
    match open.len() {
        1 => Ok(open.pop().map(|(_, block)| block).unwrap_or_default()),
        _ => Err("the Caddyfile ends within a block".to_owned()),
    }
}

fn add(open: &mut [(Vec<String>, Vec<Directive>)], words: Vec<String>, block: Vec<Directive>) {
    let mut words = words.into_iter();
    let name = words.next().unwrap_or_default();
    if let Some((_, outer)) = open.last_mut() {
        outer.push(Directive { name, arguments: words.collect(), block });
    }
}

/// Words of a line. In quotes only `\"` is an escape; a comment begins with `#` at the beginning of a word.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (word, after) = if let Some(quoted) = rest.strip_prefix('"') {
            quotation(quoted)?
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            (rest[..end].to_owned(), &rest[end..])
        };
        words.push(word);
        rest = after.trim_start();
    }
    Some(words)
}

fn quotation(text: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((word, &text[at + 1..])),
            '\\' if text[at + 1..].starts_with('"') => {
                word.push('"');
                letters.next();
            }
            letter => word.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_have_arguments_and_blocks() {
        let text = "{\n\tadmin off\n}\n\n:8080 {\n\troot * \"/srv/a b\" # files\n\t@m path /x {path}\n\theader @m {\n\t\tx-a \"a\\\" \\{b} \\x\"\n\t}\n}\n";
        let parsed = parse(text).unwrap();
        assert_eq!(parsed.len(), 2);
        let site = &parsed[1];
        assert_eq!((site.name.as_str(), site.block.len()), (":8080", 3));
        assert_eq!(site.block[0].arguments, ["*", "/srv/a b"]);
        assert_eq!(site.block[1].arguments, ["path", "/x", "{path}"]);
        assert_eq!(site.block[2].block[0].arguments, ["a\" \\{b} \\x"]);
        assert!(parse("a {\n").is_err() && parse("}").is_err() && parse("a \"b").is_err());
    }
}
