//! The declaration of a job: its payload and, beside it, its rules.

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
