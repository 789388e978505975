//! Lists of nodes that are answered without a future per field where the query asks only for what the rows hold.

use std::borrow::Cow;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::resolve_list;
use async_graphql::{ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value};

/// Something that lists are of.
pub trait Node: ObjectType {
    /// Where it stands in its list.
    fn cursor(&self) -> String;

    /// What its row holds for a field, the same as the field's resolver would answer; `None` when that takes more.
    fn in_row(&self, _field: &str) -> Option<Value> {
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
        if let Some(list) = self.from_rows(context) {
            return Ok(list);
        }
        resolve_list(context, field, &self.0, Some(self.0.len())).await
    }
}

impl<T: Node> Nodes<T> {
    /// The list, if every field asked for is in the rows. Whatever is special about a query is left to the library, which gives each
    /// field a future of its own.
    fn from_rows(&self, context: &ContextSelectionSet<'_>) -> Option<Value> {
        let fields: Option<Vec<&Field>> = context.item.node.items.iter().map(|selection| plain(&selection.node)).collect();
        let fields = fields?;
        let object = |node: &T| {
            let mut object = IndexMap::with_capacity(fields.len());
            for field in &fields {
                object.insert(field.response_key().node.clone(), node.in_row(&field.name.node)?);
            }
            Some(Value::Object(object))
        };
        self.0.iter().map(object).collect::<Option<_>>().map(Value::List)
    }
}

fn plain(selection: &Selection) -> Option<&Field> {
    match selection {
        Selection::Field(field) if field.node.directives.is_empty() => Some(&field.node),
        _ => None,
    }
}
