//! The declaration of a job: its payload and, beside it, its rules.

use chrono::SecondsFormat;
use domain::id::{
    ChannelId, DeliveryId, DeploymentId, DomainId, EnvironmentId, GitDeliveryId, LetterId, PreviewId, ProjectId, ScheduleId,
    SecurityEventId, TeamId,
};
use domain::time::Timestamp;
use serde_json::Value;

/// A field of a payload, written without a way to fail and as serde writes it.
pub(super) trait Field {
    fn value(&self) -> Value;
}

impl Field for u8 {
    fn value(&self) -> Value {
        Value::from(*self)
    }
}

impl Field for Timestamp {
    fn value(&self) -> Value {
        Value::from(self.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

macro_rules! id_fields {
    ($($id:ty),* $(,)?) => {$(
        impl Field for $id {
            fn value(&self) -> Value {
                Value::from(self.to_string())
            }
        }
    )*};
}

id_fields!(
    TeamId,
    ProjectId,
    EnvironmentId,
    DeploymentId,
    ScheduleId,
    GitDeliveryId,
    PreviewId,
    DomainId,
    ChannelId,
    DeliveryId,
    SecurityEventId,
    LetterId,
);

/// A payload with its constants. `subject` names the field of the entity that is stuck without the job, `exclusion` the prefix and the
/// field of its exclusion key.
macro_rules! job {
    (
        $(#[$doc:meta])*
        $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }
        kind: $kind:literal, queue: $queue:expr, attempts: $attempts:literal, timeout: $timeout:expr
        $(, subject: $subject:ident)?
        $(, exclusion: $prefix:literal of $key:ident)?
        $(,)?
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize)]
        pub struct $name {
            /// Version of this payload.
            pub version: u8,
            /// The team.
            pub team_id: ::domain::id::TeamId,
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl $crate::payload::Payload for $name {
            const KIND: &'static str = $kind;
            const QUEUE: $crate::payload::Queue = $queue;
            const MAX_ATTEMPTS: i64 = $attempts;
            const TIMEOUT: ::std::time::Duration = $timeout;

            fn value(&self) -> ::serde_json::Value {
                use $crate::payload::declare::Field;
                let mut object = ::serde_json::Map::new();
                object.insert("version".to_owned(), Field::value(&self.version));
                object.insert("team_id".to_owned(), Field::value(&self.team_id));
                $(object.insert(stringify!($field).to_owned(), Field::value(&self.$field));)*
                ::serde_json::Value::Object(object)
            }

            fn team_id(&self) -> ::domain::id::TeamId {
                self.team_id
            }

            $(fn subject_id(&self) -> Option<::uuid::Uuid> {
                Some(self.$subject.uuid())
            })?

            $(fn exclusion_key(&self) -> Option<String> {
                Some(format!(concat!($prefix, ":{}"), self.$key))
            })?
        }
    };
}
