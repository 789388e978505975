//! Relay connections over pages: [`Connection`] counts its nodes and writes them at once, [`connection()`] is the library's for all
//! others. A cursor is the id of its node.

use std::borrow::Cow;

use async_graphql::connection::{self, EmptyFields, PageInfo};
use async_graphql::{Context, Object, OutputType, Result, TypeName};
use domain::id::ProjectId;
use services::Page;

use crate::context::caller;
use crate::error::to_graphql;
use crate::nodes::{Node, Nodes};

/// A page of a list. What costs something - cursors, the count - is made only for queries that ask for it.
pub struct Connection<T> {
    nodes: Nodes<T>,
    is_first: bool,
    has_more: bool,
    all: All,
}

/// Set that a connection is a page of.
#[derive(Debug, Clone, Copy)]
pub enum All {
    /// The team's projects.
    Projects,
    /// A project's deployments.
    Deployments(ProjectId),
}

/// An edge in a connection.
pub struct Edge<'c, T>(&'c T);

impl<T: Node> Connection<T> {
    /// A page of rows, each shown as a node.
    pub fn new<R>(page: Page<R>, is_first: bool, all: All, node: impl Fn(R) -> T) -> Self {
        let nodes = Nodes(page.items.into_iter().map(node).collect());
        Self { nodes, is_first, has_more: page.has_more, all }
    }
}

#[Object(name_type)]
impl<T: Node> Connection<T> {
    /// Information to aid in pagination.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_previous_page: !self.is_first,
            has_next_page: self.has_more,
            start_cursor: self.nodes.0.first().map(Node::cursor),
            end_cursor: self.nodes.0.last().map(Node::cursor),
        }
    }

    /// A list of edges.
    async fn edges(&self) -> Vec<Edge<'_, T>> {
        self.nodes.0.iter().map(Edge).collect()
    }

    /// A list of nodes.
    async fn nodes(&self) -> &Nodes<T> {
        &self.nodes
    }

    /// Returns the number of nodes over all pages.
    async fn total_count(&self, context: &Context<'_>) -> Result<i64> {
        let (services, actor) = caller(context)?;
        let count = match self.all {
            All::Projects => services.projects().count(actor).await,
            All::Deployments(project) => services.deployments().count(actor, project).await,
        };
        count.map_err(to_graphql)
    }
}

/// An edge in a connection.
#[Object(name_type)]
impl<T: Node> Edge<'_, T> {
    /// The item at the end of the edge
    async fn node(&self) -> &T {
        self.0
    }

    /// A cursor for use in pagination
    async fn cursor(&self) -> String {
        self.0.cursor()
    }
}

impl<T: Node> TypeName for Connection<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", T::type_name()).into()
    }
}

impl<T: Node> TypeName for Edge<'_, T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", T::type_name()).into()
    }
}

/// A connection of the library's over a page whose cursors are the ids of its nodes.
pub fn connection<R, N: OutputType>(
    page: Page<R>,
    is_first: bool,
    node: impl Fn(R) -> (String, N),
) -> connection::Connection<String, N, EmptyFields, EmptyFields> {
    let mut relay = connection::Connection::new(!is_first, page.has_more);
    relay.edges.extend(page.items.into_iter().map(|row| {
        let (cursor, node) = node(row);
        connection::Edge::new(cursor, node)
    }));
    relay
}
