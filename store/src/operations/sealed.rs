//! Every column that holds something sealed, and how its rows are sealed anew when keys change. A test compares the list with the schema.

use domain::id::TeamId;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::db::{Store, Tx};
use crate::error::Result;

/// By which key a column is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedBy {
    /// By the data key of the team in `team_id`.
    TeamKey,
    /// By the master key, as what belongs to no team.
    MasterKey,
    /// By the master key: the data keys themselves.
    TeamKeys,
}

/// Type of a key column's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// An id, printed with this prefix.
    Id(&'static str),
    /// A text.
    Text,
    /// A number, which is no part of the identity that the value is bound to.
    Version,
}

/// A column that holds something sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedColumn {
    /// Its table.
    pub table: &'static str,
    /// Its name.
    pub column: &'static str,
    /// Key that seals it.
    pub by: SealedBy,
    /// Prefix of the identity that values are bound to; the parts of the key follow, with a space between two, and then `after`.
    pub before: &'static str,
    /// Suffix of the identity.
    pub after: &'static str,
    /// The columns that tell the rows of one team apart.
    pub key: &'static [(&'static str, KeyKind)],
}

/// All of them. The data keys come first: once they are sealed anew, the old master key opens nothing of a team any more.
pub const SEALED: &[SealedColumn] = &[
    SealedColumn {
        table: "team_keys",
        column: "sealed",
        by: SealedBy::TeamKeys,
        before: "",
        after: "",
        key: &[("team_id", KeyKind::Id(TeamId::PREFIX)), ("version", KeyKind::Version)],
    },
    SealedColumn {
        table: "signing_keys",
        column: "sealed",
        by: SealedBy::MasterKey,
        before: "signing key ",
        after: "",
        key: &[("id", KeyKind::Text)],
    },
    SealedColumn {
        table: "second_factors",
        column: "sealed",
        by: SealedBy::MasterKey,
        before: "second factor ",
        after: "",
        key: &[("user_id", KeyKind::Id("user"))],
    },
    SealedColumn {
        table: "sign_in_flows",
        column: "sealed",
        by: SealedBy::MasterKey,
        before: "",
        after: "",
        key: &[("hash", KeyKind::Text)],
    },
    SealedColumn {
        table: "environment_variables",
        column: "sealed",
        by: SealedBy::TeamKey,
        before: "",
        after: "",
        key: &[("id", KeyKind::Id("var"))],
    },
    SealedColumn {
        table: "idempotency_keys",
        column: "answer",
        by: SealedBy::TeamKey,
        before: "idempotency ",
        after: "",
        key: &[("user_id", KeyKind::Id("user")), ("name", KeyKind::Text)],
    },
    SealedColumn {
        table: "notification_channels",
        column: "sealed",
        by: SealedBy::TeamKey,
        before: "",
        after: "",
        key: &[("id", KeyKind::Id("chn"))],
    },
    SealedColumn {
        table: "letters",
        column: "sealed",
        by: SealedBy::TeamKey,
        before: "",
        after: "",
        key: &[("id", KeyKind::Id("ltr"))],
    },
    SealedColumn {
        table: "git_connections",
        column: "sealed_secret",
        by: SealedBy::TeamKey,
        before: "",
        after: ":secret",
        key: &[("id", KeyKind::Id("git"))],
    },
    SealedColumn {
        table: "git_connections",
        column: "sealed_token",
        by: SealedBy::TeamKey,
        before: "",
        after: ":token",
        key: &[("id", KeyKind::Id("git"))],
    },
    SealedColumn {
        table: "acme_accounts",
        column: "sealed",
        by: SealedBy::MasterKey,
        before: "ACME account ",
        after: "",
        key: &[("directory", KeyKind::Text)],
    },
    SealedColumn {
        table: "acme_certificates",
        column: "sealed",
        by: SealedBy::MasterKey,
        before: "ACME certificate ",
        after: "",
        key: &[("directory", KeyKind::Text), ("domains", KeyKind::Text)],
    },
    SealedColumn {
        table: "cloud_accounts",
        column: "sealed",
        by: SealedBy::TeamKey,
        before: "",
        after: ":credential",
        key: &[("id", KeyKind::Id("cla"))],
    },
];

/// Columns that are named like sealed ones and are not sealed anew, because the change of the master key that they belong to ends them.
pub const ENDED_BY_ROTATION: &[(&str, &str)] = &[("key_rotations", "sealed_new"), ("key_rotations", "sealed_old")];

#[derive(Debug, Clone, PartialEq, Eq)]
enum KeyValue {
    Id(Uuid),
    Text(String),
    Version(i64),
}

/// A row with something sealed in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRow {
    /// The team whose key seals it.
    pub team: Option<TeamId>,
    key: Vec<KeyValue>,
}

impl SealedColumn {
    /// Returns the identity that the value of a row is bound to.
    pub fn identity(&self, row: &SealedRow) -> String {
        let parts = self.key.iter().zip(&row.key).filter_map(|((_, kind), value)| match (kind, value) {
            (KeyKind::Id(prefix), KeyValue::Id(id)) => Some(format!("{prefix}_{}", id.simple())),
            (_, KeyValue::Text(text)) => Some(text.clone()),
            _ => None,
        });
        format!("{}{}{}", self.before, parts.collect::<Vec<_>>().join(" "), self.after)
    }

    fn has_team(&self) -> bool {
        self.by == SealedBy::TeamKey
    }

    /// The condition that finds a row, with its first parameter's number.
    fn is_row(&self, first: usize) -> String {
        let team = self.has_team().then_some("team_id");
        let names = self.key.iter().map(|(name, _)| *name).chain(team);
        let conditions: Vec<_> = names.enumerate().map(|(place, name)| format!("{name} = ${}", first + place)).collect();
        conditions.join(" AND ")
    }
}

/// Reads a key's columns from a row of either database, and the team after them.
macro_rules! read_row {
    ($column:expr, $row:expr) => {{
        use sqlx::Row as _;
        let keys = $column.key.iter().enumerate().map(|(place, (_, kind))| match kind {
            KeyKind::Id(_) => $row.try_get(place).map(KeyValue::Id),
            KeyKind::Text => $row.try_get(place).map(KeyValue::Text),
            KeyKind::Version => $row.try_get(place).map(KeyValue::Version),
        });
        let key = keys.collect::<std::result::Result<Vec<_>, sqlx::Error>>();
        let team = $column.has_team().then(|| $row.try_get($column.key.len())).transpose();
        key.and_then(|key| Ok(SealedRow { key, team: team? }))
    }};
}

/// Binds what finds a row.
macro_rules! bind_row {
    ($query:expr, $row:expr) => {{
        let mut query = $query;
        for value in &$row.key {
            query = match value {
                KeyValue::Id(id) => query.bind(*id),
                KeyValue::Text(text) => query.bind(text.clone()),
                KeyValue::Version(number) => query.bind(*number),
            };
        }
        match $row.team {
            Some(team) => query.bind(team),
            None => query,
        }
    }};
}

impl Store {
    /// Lists the rows that have a sealed value in a column.
    pub async fn sealed_rows(&self, column: &SealedColumn) -> Result<Vec<SealedRow>> {
        let team = if column.has_team() { ", team_id" } else { "" };
        let keys: Vec<_> = column.key.iter().map(|(name, _)| *name).collect();
        let sql = format!("SELECT {}{team} FROM {} WHERE {} IS NOT NULL", keys.join(", "), column.table, column.column);
        Ok(db!(self, |pool| {
            let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(pool).await?;
            rows.iter().map(|row| read_row!(column, row)).collect::<std::result::Result<Vec<_>, _>>()
        })?)
    }
}

impl Tx {
    /// Returns the sealed value of a row; `None` if it is gone.
    pub async fn sealed_get(&mut self, column: &SealedColumn, row: &SealedRow) -> Result<Option<Vec<u8>>> {
        let sql = format!("SELECT {} FROM {} WHERE {}", column.column, column.table, column.is_row(1));
        let found: Option<Option<Vec<u8>>> = tx!(self, |conn| {
            let query = sqlx::query_scalar(AssertSqlSafe(sql));
            bind_row!(query, row).fetch_optional(conn).await
        })?;
        Ok(found.flatten())
    }

    /// Puts a value in the place of another; `false` when the other is not there any more.
    pub async fn sealed_put(&mut self, column: &SealedColumn, row: &SealedRow, old: &[u8], new: &[u8]) -> Result<bool> {
        let sql = format!("UPDATE {} SET {2} = $1 WHERE {2} = $2 AND {1}", column.table, column.is_row(3), column.column);
        let done = tx!(self, |conn| {
            let query = sqlx::query(AssertSqlSafe(sql)).bind(new).bind(old);
            bind_row!(query, row).execute(conn).await.map(|done| done.rows_affected())
        })?;
        Ok(done == 1)
    }
}
