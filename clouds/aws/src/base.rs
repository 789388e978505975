//! Bases: what the environments of an account and region share.

use clouds_contract::{Base, CloudError, ErrorKind, Outputs, Owner, Progress, Scope, ensure, ready, remove_all};
use domain::id::BaseId;

use crate::catalogue::Kinds;
use crate::client::Client;
use crate::managed::{AccessControl, Bucket, Function, Store, function, store};

/// Output of the base `files`: the bucket.
pub(crate) const BUCKET: &str = "aws_bucket";

/// Output of the base `front`: ARN of the key-value store.
pub(crate) const STORE: &str = "aws_store";

/// Output of the base `front`: ARN of the function.
pub(crate) const FUNCTION: &str = "aws_function";

/// Output of the base `front`: id of the origin access control.
pub(crate) const ACCESS_CONTROL: &str = "aws_access_control";

/// Makes a base, or brings it up to date.
pub(crate) async fn prepare(client: &Client, base: Base, id: BaseId, scope: &Scope<'_>) -> Result<Progress<Outputs>, CloudError> {
    let owner = Owner::Base(id);
    let outputs = match base {
        Base::Front => {
            let access_control = ready!(ensure(&AccessControl { client, owner }, scope).await?).id;
            let found = ready!(ensure(&Store { client, owner }, scope).await?);
            let store = found.outputs.get(store::ARN).cloned().unwrap_or_default();
            let found = ready!(ensure(&Function { client, owner, store: Some(store.clone()) }, scope).await?);
            let function = found.outputs.get(function::ARN).cloned().unwrap_or_default();
            vec![(ACCESS_CONTROL, access_control), (STORE, store), (FUNCTION, function)]
        }
        Base::Files => {
            let tags = Some(scope.whose.tags(owner));
            let bucket = Bucket { client, owner, region: scope.region.to_owned(), tags };
            vec![(BUCKET, ready!(ensure(&bucket, scope).await?).id)]
        }
        Base::Apis | Base::Containers => return Err(unneeded(base)),
    };
    Ok(Progress::Ready(outputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
}

/// Removes a base.
pub(crate) async fn dismantle(client: &Client, id: BaseId, scope: &Scope<'_>) -> Result<Progress, CloudError> {
    remove_all(&Kinds { client, region: scope.region }, scope, Owner::Base(id)).await
}

/// A value that a base gives.
pub(crate) fn of_base(scope: &Scope<'_>, name: &str) -> Result<String, CloudError> {
    scope.base.get(name).cloned().ok_or_else(|| CloudError::internal("a base of the account is not ready", format!("no {name}")))
}

fn unneeded(base: Base) -> CloudError {
    CloudError::new(ErrorKind::Unsupported, "UNSUPPORTED", format!("static sites on AWS need no base `{}`", base.name()))
}
