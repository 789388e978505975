//! Values of columns as JSON, the same from both databases.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Kind of a column's content, and its representation in a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CellKind {
    /// As its hyphenated text.
    Uuid,
    /// As it is.
    Text,
    /// As a number.
    Integer,
    /// As `true` or `false`.
    Boolean,
    /// As RFC 3339 text, in UTC, to the microsecond.
    Time,
    /// As hexadecimal digits.
    Bytes,
    /// As the text of the document with sorted keys: `null` stands for no value, `"null"` for the document null.
    Json,
}

impl CellKind {
    /// The kind of a column by the name of its type: as migrations write it, which SQLite keeps, or as PostgreSQL calls it.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "uuid" => Self::Uuid,
            "text" => Self::Text,
            "bigint" => Self::Integer,
            "boolean" => Self::Boolean,
            "timestamptz" | "timestamp with time zone" => Self::Time,
            "bytea" => Self::Bytes,
            "jsonb" => Self::Json,
            _ => return None,
        })
    }
}

/// The value of one column of a row of either database.
macro_rules! read_cell {
    ($row:expr, $place:expr, $kind:expr) => {{
        use serde_json::Value;
        use sqlx::Row as _;
        use $crate::dump::cells;
        match $kind {
            CellKind::Uuid => {
                $row.try_get::<Option<uuid::Uuid>, _>($place).map(|value| Value::from(value.map(|id| id.to_string())))
            }
            CellKind::Text => $row.try_get::<Option<String>, _>($place).map(Value::from),
            CellKind::Integer => $row.try_get::<Option<i64>, _>($place).map(Value::from),
            CellKind::Boolean => $row.try_get::<Option<bool>, _>($place).map(Value::from),
            CellKind::Time => {
                $row.try_get::<Option<domain::time::Timestamp>, _>($place).map(|value| value.map(cells::time).into())
            }
            CellKind::Bytes => $row.try_get::<Option<Vec<u8>>, _>($place).map(|value| value.map(hex::encode).into()),
            CellKind::Json => {
                let value = $row.try_get::<Option<sqlx::types::Json<Value>>, _>($place);
                value.map(|value| value.map(|document| cells::sorted(document.0).to_string()).into())
            }
        }
    }};
}

/// Binds a value of a backup to the next place of a query on either database.
macro_rules! bind_cell {
    ($query:expr, $kind:expr, $cell:expr) => {{
        use $crate::dump::cells;
        match $kind {
            CellKind::Uuid => $query.bind(cells::parsed($cell, |text| uuid::Uuid::parse_str(text).ok())?),
            CellKind::Text => $query.bind(cells::parsed($cell, |text| Some(text.to_owned()))?),
            CellKind::Integer => $query.bind(cells::optional($cell, serde_json::Value::as_i64)?),
            CellKind::Boolean => $query.bind(cells::optional($cell, serde_json::Value::as_bool)?),
            CellKind::Time => $query.bind(cells::parsed($cell, |text| text.parse::<domain::time::Timestamp>().ok())?),
            CellKind::Bytes => $query.bind(cells::parsed($cell, |text| hex::decode(text).ok())?),
            CellKind::Json => $query
                .bind(cells::parsed($cell, |text| serde_json::from_str(text).ok().map(sqlx::types::Json::<serde_json::Value>))?),
        }
    }};
}

pub(crate) fn time(moment: domain::time::Timestamp) -> String {
    moment.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// A document whose objects have their keys in order: PostgreSQL keeps no order of its own.
pub(crate) fn sorted(document: Value) -> Value {
    match document {
        Value::Object(object) => {
            let mut members: Vec<_> = object.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            members.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(members.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// A value that is not there, or what `read` makes of it.
pub(crate) fn optional<T>(cell: &Value, read: impl FnOnce(&Value) -> Option<T>) -> Result<Option<T>, sqlx::Error> {
    if cell.is_null() {
        return Ok(None);
    }
    let unfit = || sqlx::Error::Decode("a value of the backup does not fit its column".into());
    read(cell).map(Some).ok_or_else(unfit)
}

/// Like [`optional`], for what is written down as text.
pub(crate) fn parsed<T>(cell: &Value, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, sqlx::Error> {
    optional(cell, |cell| cell.as_str().and_then(read))
}
