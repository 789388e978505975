//! Changes of a team's owners, sent to several processes at once.

use serde_json::{Value, json};

use crate::harness::{Cluster, PATIENCE, Shape};

/// An owner who talks to one of the api processes.
struct Owner {
    api: usize,
    token: String,
    user: String,
}

impl Owner {
    async fn role(&self, cluster: &Cluster) -> Value {
        cluster.ask(self.api, &self.token, "{ me { role } }", json!({})).await["data"]["me"]["role"].take()
    }

    async fn set_role(&self, cluster: &Cluster, of: &Self, role: &str) -> Value {
        let query = "mutation($input: SetMemberRoleInput!) { setMemberRole(input: $input) { done userErrors { code } } }";
        cluster.ask(self.api, &self.token, query, json!({"input": {"userId": of.user, "role": role}})).await
    }

    /// Waits until the process has seen that this is an owner.
    async fn is_owner(&self, cluster: &Cluster) {
        testkit::wait_until(PATIENCE, "the owner", async || self.role(cluster).await == "OWNER").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_owners_that_demote_each_other_at_once_leave_one() {
    let Some(mut cluster) = Cluster::start(Shape { apis: 2, workers: 0, edges: 0 }).await else { return };
    let me = cluster.graphql("{ me { user { id } } }", json!({})).await["me"]["user"]["id"].as_str().unwrap().to_owned();
    let first = Owner { api: 0, token: cluster.token().to_owned(), user: me };
    let add = "mutation { addMember(input: {email: \"ann@example.org\", role: OWNER}) { signInPath member { user { id } } } }";
    let added = cluster.graphql(add, json!({})).await["addMember"].take();
    let token = cluster.sign_in(added["signInPath"].as_str().unwrap().split("token=").nth(1).unwrap()).await;
    let second = Owner { api: 1, token, user: added["member"]["user"]["id"].as_str().unwrap().to_owned() };
    for round in 0..8 {
        first.is_owner(&cluster).await;
        second.is_owner(&cluster).await;
        let answers = tokio::join!(first.set_role(&cluster, &second, "ADMIN"), second.set_role(&cluster, &first, "ADMIN"));
        let left = cluster.rows("SELECT user_id::text FROM memberships WHERE role = 'owner'").await;
        assert_eq!(left.len(), 1, "in round {round}: {answers:?}");
        let first_left = answers.0["data"]["setMemberRole"]["done"] == true;
        let (winner, loser) = if first_left { (&first, &second) } else { (&second, &first) };
        let restored = winner.set_role(&cluster, loser, "OWNER").await;
        assert_eq!(restored["data"]["setMemberRole"]["done"], true, "{restored}");
    }
}
