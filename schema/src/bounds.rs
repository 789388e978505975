//! Bounds of a document before the library processes it. Its parser descends into nested values, and its depth check into every
//! use of a fragment, as far as a document demands: a short text could take the stack, or hours.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextPrepareRequest};
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Name, Request, ServerError, ServerResult};

use crate::MAX_COMPLEXITY;

/// Maximum nesting of brackets of all kinds. Fields are at most 15 deep, the rest is for values and fragments.
const MAX_NESTING: usize = 64;

/// Maximum number of root fields of an operation, under whatever aliases. Each is perhaps a database query of its own.
const MAX_ROOTS: usize = 100;

/// Maximum number of operations in a document; one of them is executed.
const MAX_OPERATIONS: usize = 16;

/// Refuses documents that are nested too deep, or too large once each use of a fragment is written out.
pub struct Bounds;

impl ExtensionFactory for Bounds {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait::async_trait]
impl Extension for Bounds {
    async fn prepare_request(
        &self,
        context: &ExtensionContext<'_>,
        mut request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        if !is_shallow(&request.query) {
            let message = format!("the query is nested too deep: keep brackets within {MAX_NESTING} levels");
            return Err(ServerError::new(message, None));
        }
        check(request.parsed_query()?)?;
        next.run(context, request).await
    }
}

/// Returns true if the brackets of a text are nested no deeper than the maximum. Those in strings and comments do not count: they
/// would hide others.
pub fn is_shallow(text: &str) -> bool {
    let (mut depth, mut rest) = (0_usize, text.as_bytes());
    while let Some((byte, after)) = rest.split_first() {
        rest = match byte {
            b'"' => after_string(after),
            b'#' => &after[after.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(after.len())..],
            _ => after,
        };
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NESTING {
            return false;
        }
    }
    true
}

/// Returns the text after a string whose first quotation mark was read (GraphQL, section 2.9.4).
fn after_string(text: &[u8]) -> &[u8] {
    let (end, mut rest): (&[u8], _) = match text {
        [b'"', b'"', block @ ..] => (b"\"\"\"", block),
        line => (b"\"", line),
    };
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(end) {
            return after;
        }
        // In a block only the mark of its end can be escaped, in a line whatever follows.
        let escaped = if end.len() == 1 { 2 } else { 1 + end.len() };
        let is_escape = rest[0] == b'\\' && (end.len() == 1 || rest[1..].starts_with(end));
        rest = &rest[if is_escape { escaped.min(rest.len()) } else { 1 }..];
    }
    rest
}

fn check(document: &ExecutableDocument) -> ServerResult<()> {
    let operations = document.operations.iter().count();
    if operations > MAX_OPERATIONS {
        return Err(ServerError::new(format!("the document holds {operations} operations: send at most {MAX_OPERATIONS}"), None));
    }
    let mut sizes = Sizes { document, known: HashMap::new() };
    let mut total = 0_usize;
    // Fragments that no operation uses are looked at by the library all the same.
    for fragment in document.fragments.keys() {
        total = total.saturating_add(sizes.of_fragment(fragment)?);
    }
    for (_, operation) in document.operations.iter() {
        total = total.saturating_add(sizes.of(&operation.node.selection_set.node)?);
    }
    if total > MAX_COMPLEXITY {
        let message =
            format!("the query is too large: with each use of a fragment written out it may have {MAX_COMPLEXITY} fields");
        return Err(ServerError::new(message, None));
    }
    for (_, operation) in document.operations.iter() {
        let count = roots(document, &operation.node.selection_set.node);
        if count > MAX_ROOTS {
            let message = format!(
                "the operation asks for {count} fields at once: ask for at most {MAX_ROOTS}, and for the rest after them"
            );
            return Err(ServerError::new(message, Some(operation.pos)));
        }
    }
    Ok(())
}

/// Returns the number of root fields of an operation. Call it only for a document whose size is known to be bounded.
fn roots(document: &ExecutableDocument, selection: &SelectionSet) -> usize {
    let count = |item: &Selection| match item {
        Selection::Field(_) => 1,
        Selection::InlineFragment(fragment) => roots(document, &fragment.node.selection_set.node),
        Selection::FragmentSpread(spread) => document
            .fragments
            .get(&spread.node.fragment_name.node)
            .map_or(0, |fragment| roots(document, &fragment.node.selection_set.node)),
    };
    selection.items.iter().map(|item| count(&item.node)).sum()
}

/// Numbers of selections in parts of a document, with each use of a fragment expanded.
struct Sizes<'d> {
    document: &'d ExecutableDocument,
    /// By the fragment's name; `None` while it is being looked at.
    known: HashMap<&'d Name, Option<usize>>,
}

impl<'d> Sizes<'d> {
    fn of(&mut self, selection: &'d SelectionSet) -> ServerResult<usize> {
        selection.items.iter().try_fold(0_usize, |sum, item| {
            let below = match &item.node {
                Selection::Field(field) => self.of(&field.node.selection_set.node)?,
                Selection::InlineFragment(fragment) => self.of(&fragment.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => self.of_fragment(&spread.node.fragment_name.node)?,
            };
            Ok(sum.saturating_add(1).saturating_add(below))
        })
    }

    /// A fragment that is not there has no size: the library says so.
    fn of_fragment(&mut self, name: &'d Name) -> ServerResult<usize> {
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(0) };
        match self.known.get(name) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => {
                return Err(ServerError::new(
                    format!("the fragment `{name}` uses itself: take that use out"),
                    Some(fragment.pos),
                ));
            }
            None => {}
        }
        // Each level of the way down is another fragment: were there many, this would take the stack as the library would.
        if self.known.values().filter(|size| size.is_none()).count() >= MAX_NESTING {
            return Err(ServerError::new(format!("fragments are nested too deep: keep them within {MAX_NESTING} levels"), None));
        }
        self.known.insert(name, None);
        let size = self.of(&fragment.node.selection_set.node)?;
        self.known.insert(name, Some(size));
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn refusal(text: &str) -> Option<String> {
        check(&parse_query(text).unwrap()).err().map(|error| error.message)
    }

    fn doubling(levels: usize) -> String {
        let fragment = |level: usize| format!("fragment F{level} on Query {{ ...F{0} ...F{0} }} ", level + 1);
        let fragments = (0..levels).map(fragment).collect::<Vec<_>>().concat();
        format!("{{ ...F0 }} {fragments} fragment F{levels} on Query {{ me {{ role }} }}")
    }

    #[test]
    fn fragments_that_double_at_each_level_are_refused_at_once() {
        assert_eq!(refusal(&doubling(5)), None);
        assert!(refusal(&doubling(30)).unwrap().contains("too large"));
        assert!(refusal(&doubling(60)).unwrap().contains("too large"));
        assert!(refusal(&doubling(500)).unwrap().contains("nested too deep"));
    }

    #[test]
    fn fragments_that_use_themselves_are_named() {
        for text in
            ["{ ...A } fragment A on Query { ...A }", "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A ...A }"]
        {
            assert!(refusal(text).unwrap().contains("uses itself"), "{text}");
        }
    }

    #[test]
    fn a_hundred_operations_are_refused() {
        let operations: Vec<_> = (0..100).map(|number| format!("query Q{number} {{ me {{ role }} }} ")).collect();
        assert!(refusal(&operations.concat()).unwrap().contains("100 operations"));
    }

    #[test]
    fn a_thousand_aliases_are_refused_also_behind_fragments() {
        let alias = |number: usize| format!("a{number}: me {{ role }} ");
        let aliases = |count: usize| (0..count).map(alias).collect::<Vec<_>>().concat();
        assert_eq!(refusal(&format!("{{ {} }}", aliases(MAX_ROOTS))), None);
        for text in [
            format!("{{ {} }}", aliases(1000)),
            format!("{{ ... {{ {} }} }}", aliases(1000)),
            format!("{{ ...F ...F }} fragment F on Query {{ {} }}", aliases(MAX_ROOTS / 2 + 1)),
        ] {
            assert!(refusal(&text).unwrap().contains("at once"), "{text}");
        }
    }

    #[test]
    fn brackets_count_whatever_they_are() {
        assert!(is_shallow(&"{a(b:[{c:1}])}".repeat(MAX_NESTING)));
        for open in ["{", "[", "(", "{a(b:["] {
            assert!(!is_shallow(&open.repeat(MAX_NESTING + 1)), "{open}");
        }
        for hidden in
            [r#""]]]]""#, r#""\"]]]]""#, r#""\\" "]]]]""#, r#""""]]\""" ]] """"#, "#]]]]\n", "#]]]]\r", r#""""]"]"]]""""#]
        {
            assert!(!is_shallow(&format!("[[[[{hidden}").repeat(MAX_NESTING / 4 + 1)), "{hidden}");
        }
        assert!(is_shallow(&r#""[[[[" "\\" """[[\"""[[""" #[[[["#.repeat(100)), "brackets in strings are none");
    }

    #[tokio::test]
    async fn what_would_take_the_stack_or_hours_is_answered_with_an_error() {
        let schema = crate::builder().finish();
        for text in [
            format!("{{ projects(first: {}", "[".repeat(1 << 20)),
            format!("{{ projects(first: {}1{}) {{ totalCount }} }}", "[".repeat(1 << 19), "]".repeat(1 << 19)),
            "{a".repeat(1 << 19),
            format!("query($a: {}Int) {{ me {{ role }} }}", "[".repeat(1 << 20)),
            doubling(31),
            doubling(5000),
        ] {
            let response = schema.execute(Request::new(text)).await;
            assert_eq!(response.errors.len(), 1);
            assert!(response.errors[0].message.len() < 200, "{:?}", response.errors);
        }
    }
}
