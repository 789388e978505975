//! Bases: what the environments of an account and region share.

use clouds_contract::{Base, CloudError, ErrorKind, Outputs, Owner, Progress, Scope, ensure, ready, remove_all};
use domain::id::BaseId;

use crate::catalogue::Kinds;
use crate::client::Client;
use crate::managed::{
    AccessControl, Allowed, BalancerWanted, Bucket, Cluster, Function, Listener, LoadBalancer, Role, SecurityGroup, Store,
    ensure_at, function, listener, load_balancer, store,
};
use crate::network::{Network, visitors};

/// Output of the base `files`: the bucket.
pub(crate) const BUCKET: &str = "aws_bucket";

/// Output of the base `front`: ARN of the key-value store.
pub(crate) const STORE: &str = "aws_store";

/// Output of the base `front`: ARN of the function.
pub(crate) const FUNCTION: &str = "aws_function";

/// Output of the base `front`: id of the origin access control.
pub(crate) const ACCESS_CONTROL: &str = "aws_access_control";

/// Output of the base `containers`: id of the network.
pub(crate) const NETWORK: &str = "aws_network";

/// Output of the base `containers`: ids of its subnets, with commas in between.
pub(crate) const SUBNETS: &str = "aws_subnets";

/// Output of the base `containers`: id of the tasks' security group.
pub(crate) const TASK_GROUP: &str = "aws_task_group";

/// Output of the base `containers`: ARN of the role by which tasks are started.
pub(crate) const ROLE: &str = "aws_role";

/// Output of the base `containers`: ARN of the cluster.
pub(crate) const CLUSTER: &str = "aws_cluster";

/// Output of the base `containers`: host of the load balancer.
pub(crate) const BALANCER_HOST: &str = "aws_balancer_host";

/// Output of the base `containers`: ARN of the load balancer's listener.
pub(crate) const LISTENER: &str = "aws_listener";

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
        Base::Containers => ready!(containers(client, owner, scope).await?),
        Base::Apis => return Err(unneeded(base)),
    };
    Ok(Progress::Ready(outputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
}

/// A place for servers: a load balancer, a cluster, and the role by which tasks are started.
async fn containers(
    client: &Client,
    owner: Owner,
    scope: &Scope<'_>,
) -> Result<Progress<Vec<(&'static str, String)>>, CloudError> {
    let (region, tags) = (scope.region, scope.whose.tags(owner));
    let network = Network::find(client, region).await?;
    let group = |purpose: &str, allowed| SecurityGroup {
        client,
        owner,
        region,
        purpose: purpose.to_owned(),
        wanted: Some((network.id.clone(), allowed, tags.clone())),
    };
    let visitors = Allowed::PrefixList(visitors(client, region).await?);
    let outer = ready!(ensure(&group("balancer", visitors), scope).await?).id;
    let inner = ready!(ensure(&group("tasks", Allowed::Group(outer.clone())), scope).await?).id;
    let role = Role { client, owner, region, tags: Some(tags.clone()) };
    let role = ready!(ensure(&role, scope).await?).id;
    let cluster = Cluster { client, owner, region, tags: Some(tags.clone()) };
    let cluster = ready!(ensure(&cluster, scope).await?).id;
    let wanted = BalancerWanted { subnets: network.subnets.clone(), group: outer, tags };
    let balancer = ready!(ensure(&LoadBalancer { client, owner, region, wanted: Some(wanted) }, scope).await?);
    let host = balancer.outputs.get(load_balancer::HOST).cloned().unwrap_or_default();
    let place = [(listener::BALANCER, balancer.id.as_str())];
    let listener = ready!(ensure_at(&Listener { client, owner, region }, scope, &place).await?).id;
    Ok(Progress::Ready(vec![
        (NETWORK, network.id),
        (SUBNETS, network.subnets.join(",")),
        (TASK_GROUP, inner),
        (ROLE, role),
        (CLUSTER, cluster),
        (BALANCER_HOST, host),
        (LISTENER, listener),
    ]))
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
    CloudError::new(ErrorKind::Unsupported, "UNSUPPORTED", format!("AWS needs no base `{}`", base.name()))
}
