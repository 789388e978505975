//! Lists of nodes that are written as JSON at once where the query asks only for what the rows hold: no future, no value and no map for
//! each field of each node.

use std::borrow::Cow;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::resolve_list;
use async_graphql::{ContextSelectionSet, Name, ObjectType, OutputType, Positioned, ServerResult, Value};
use async_graphql_value::RAW_VALUE_TOKEN;

use crate::documents::Distinct;

/// Something that lists are of.
pub trait Node: ObjectType {
    /// Returns the position in the list.
    fn cursor(&self) -> String;

    /// Writes the JSON of what its row holds for a field, the same as the field's resolver would answer; `None` when that takes more.
    fn write_in_row(&self, _field: &str, _json: &mut Vec<u8>) -> Option<()> {
        None
    }
}

/// A list of nodes.
pub struct Nodes<T>(pub Vec<T>);

impl<T: Node> OutputType for Nodes<T> {
    fn type_name() -> Cow<'static, str> {
        <Vec<T> as OutputType>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<T> as OutputType>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<T> as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, context: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        // What is written cannot be merged with another answer under the same key.
        if context.data_opt::<Distinct>().is_some()
            && let Some(json) = self.written(&context.item.node.items)
        {
            return Ok(Value::Object(IndexMap::from([(Name::new(RAW_VALUE_TOKEN), Value::String(json))])));
        }
        resolve_list(context, field, &self.0, Some(self.0.len())).await
    }
}

impl<T: Node> Nodes<T> {
    /// The list in JSON, if every field asked for is in the rows. Whatever is special about a query is left to the library.
    fn written(&self, selection: &[Positioned<Selection>]) -> Option<String> {
        let fields: Vec<_> = selection.iter().map(|selection| plain(&selection.node)).collect::<Option<_>>()?;
        let mut json = vec![b'['];
        for (index, node) in self.0.iter().enumerate() {
            json.extend_from_slice(if index == 0 { b"{" } else { b",{" });
            for (index, (key, field)) in fields.iter().enumerate() {
                // A name in GraphQL has nothing that JSON would escape.
                json.extend_from_slice(if index == 0 { b"\"" } else { b",\"" });
                json.extend_from_slice(key.as_bytes());
                json.extend_from_slice(b"\":");
                node.write_in_row(field, &mut json)?;
            }
            json.push(b'}');
        }
        json.push(b']');
        String::from_utf8(json).ok()
    }
}

/// The key and the name of a field without directives.
fn plain(selection: &Selection) -> Option<(&str, &str)> {
    match selection {
        Selection::Field(field) if field.node.directives.is_empty() => {
            Some((&field.node.response_key().node, &field.node.name.node))
        }
        _ => None,
    }
}
