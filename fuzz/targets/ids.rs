//! Ids: what is accepted prints the same, is of one kind only, and what is refused is not repeated at length.
#![no_main]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use domain::id::{
    AlertId, ApiKeyId, DeploymentId, DomainId, EdgeId, EnvironmentId, GrantId, IdError, InvitationId, JobId, ObjectId, ProjectId,
    ResourceId, RoleId, ScheduleId, SecurityEventId, SessionId, TeamId, UserId, VariableId,
};
use libfuzzer_sys::fuzz_target;

fn accepted<I>(text: &str) -> usize
where
    I: FromStr<Err = IdError> + Display + Debug + PartialEq + serde::Serialize + serde::de::DeserializeOwned,
{
    match text.parse::<I>() {
        Ok(id) => {
            assert_eq!(id.to_string(), text);
            let json = serde_json::to_string(&id).expect("an id is a text");
            assert_eq!(serde_json::from_str::<I>(&json).expect("an id is read back"), id);
            1
        }
        Err(error) => {
            assert!(error.to_string().chars().count() < 200, "{error}");
            0
        }
    }
}

macro_rules! kinds {
    ($text:expr, $($id:ty),*) => { 0 $(+ accepted::<$id>($text))* };
}

fuzz_target!(|text: &str| {
    let kinds = kinds!(
        text,
        AlertId,
        ApiKeyId,
        DeploymentId,
        DomainId,
        EdgeId,
        EnvironmentId,
        GrantId,
        InvitationId,
        JobId,
        ObjectId,
        ProjectId,
        ResourceId,
        RoleId,
        ScheduleId,
        SecurityEventId,
        SessionId,
        TeamId,
        UserId,
        VariableId
    );
    assert!(kinds <= 1, "{text} is an id of {kinds} kinds");
});
