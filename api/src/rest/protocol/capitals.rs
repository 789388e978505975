//! Enums of the domain in answers and questions: the names are those of GraphQL, so that both APIs have one source.

use std::borrow::Cow;

use async_graphql::OutputType;
use async_graphql::registry::{MetaType, Registry};
use async_graphql::resolver_utils::EnumType;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A value of an enum that REST writes as GraphQL does, in capitals. Views name it by an alias (`type JobState = Capitals<job::JobState>`),
/// because the OpenAPI document would give a generic type a name of its own.
#[derive(Debug, Clone, Copy)]
pub(in crate::rest) struct Capitals<T>(pub T);

impl<T> From<T> for Capitals<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

fn names<T: EnumType>() -> impl Iterator<Item = &'static str> {
    T::items().iter().map(|item| item.name)
}

impl<T: EnumType> Serialize for Capitals<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let item = T::items().iter().find(|item| item.value == self.0);
        item.map(|item| item.name).serialize(serializer)
    }
}

impl<'de, T: EnumType> Deserialize<'de> for Capitals<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let found = T::items().iter().find(|item| item.name == text);
        found.map(|item| Self(item.value)).ok_or_else(|| {
            let known: Vec<_> = names::<T>().map(|name| format!("`{name}`")).collect();
            let expected = if known.len() > 2 { format!("one of {}", known.join(", ")) } else { known.join(" or ") };
            D::Error::custom(format!("unknown variant `{text}`, expected {expected}"))
        })
    }
}

impl<T: EnumType + OutputType> PartialSchema for Capitals<T> {
    fn schema() -> RefOr<Schema> {
        let mut registry = Registry::default();
        T::create_type_info(&mut registry);
        let description = match registry.types.get(T::type_name().as_ref()) {
            Some(MetaType::Enum { description, .. }) => description.clone(),
            _ => None,
        };
        ObjectBuilder::new().schema_type(Type::String).description(description).enum_values(Some(names::<T>())).into()
    }
}

impl<T: EnumType + OutputType> ToSchema for Capitals<T> {
    fn name() -> Cow<'static, str> {
        T::type_name()
    }
}
