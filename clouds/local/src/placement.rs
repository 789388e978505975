//! Placement of workloads on machines. Every edge computes it from the same rows, so that no coordinator is needed.

use std::collections::HashMap;

use clouds_contract::{Desired, Observation};
use domain::id::{DeploymentId, EdgeId};
use domain::workload::WorkloadSpec;
use sha2::{Digest, Sha256};

use crate::control::Workload;

/// Returns the number of replicas of a deployment that each edge runs; edges that run none are omitted. By rendezvous hashing
/// (Thaler, Ravishankar 1998): when an edge joins or leaves, only its replicas move.
pub fn share(deployment: DeploymentId, replicas: u32, edges: &[EdgeId]) -> HashMap<EdgeId, u32> {
    let weight = |edge: &EdgeId| -> [u8; 32] {
        Sha256::new().chain_update(deployment.uuid().as_bytes()).chain_update(edge.uuid().as_bytes()).finalize().into()
    };
    let mut ranked: Vec<_> = edges.iter().map(|edge| (weight(edge), *edge)).collect();
    ranked.sort_unstable();
    let mut shares = HashMap::new();
    for (_, edge) in ranked.iter().cycle().take(if ranked.is_empty() { 0 } else { replicas.max(1) as usize }) {
        *shares.entry(*edge).or_insert(0) += 1;
    }
    shares
}

/// Returns the number of replicas that this edge runs now. A replica that moves away stays until it answers at its new place.
pub fn replicas_here(me: EdgeId, deployment: DeploymentId, replicas: u32, edges: &[EdgeId], ready: &[EdgeId]) -> u32 {
    let shares = share(deployment, replicas, edges);
    match shares.get(&me) {
        Some(mine) => *mine,
        None if ready.contains(&me) && !shares.keys().all(|edge| ready.contains(edge)) => 1,
        None => 0,
    }
}

/// An edge that is alive.
#[derive(Debug, Clone)]
pub struct LiveEdge {
    /// Identity.
    pub id: EdgeId,
    /// Its name, as people know it.
    pub name: String,
    /// Address at which other edges reach it, as host:port.
    pub address: String,
}

/// The edges that are alive, and what edges say of each deployment.
#[derive(Debug, Clone, Default)]
pub struct EdgeViews {
    /// Those that are alive.
    pub edges: Vec<LiveEdge>,
    /// Observations of each edge, including those that are no longer alive.
    pub observed: HashMap<DeploymentId, HashMap<EdgeId, Observation>>,
}

impl EdgeViews {
    fn ids(&self) -> Vec<EdgeId> {
        self.edges.iter().map(|edge| edge.id).collect()
    }

    /// The edges on which a deployment answers.
    pub fn ready(&self, deployment: DeploymentId) -> Vec<EdgeId> {
        let observed = self.observed.get(&deployment).into_iter().flatten();
        let ready = observed.filter(|(_, observation)| matches!(observation, Observation::Ready { .. }));
        ready.map(|(edge, _)| *edge).filter(|edge| self.edges.iter().any(|alive| alive.id == *edge)).collect()
    }

    /// The part of a workload that this edge runs.
    pub fn assign(&self, me: EdgeId, mut workload: Workload) -> Option<Workload> {
        let id = workload.desired.deployment_id;
        if let WorkloadSpec::Server(server) = &mut workload.desired.spec {
            server.replicas = replicas_here(me, id, server.replicas, &self.ids(), &self.ready(id));
            if server.replicas == 0 {
                return None;
            }
        }
        let observed = self.observed.get(&id).and_then(|edges| edges.get(&me));
        workload.observed = observed.cloned().unwrap_or_else(|| Observation::Pending { detail: "starting".to_owned() });
        Some(workload)
    }

    /// Aggregates the observations of all edges for a workload: it is ready if every edge that is to run it reports so.
    pub fn aggregate(&self, desired: &Desired<WorkloadSpec>) -> Observation {
        let shares = match &desired.spec {
            WorkloadSpec::Server(server) => share(desired.deployment_id, server.replicas, &self.ids()),
            WorkloadSpec::Static(_) | WorkloadSpec::Functions(_) => self.edges.iter().map(|edge| (edge.id, 1)).collect(),
        };
        if shares.is_empty() {
            let detail = "no edge is alive: start `mikrocloud edge` on a machine that is to run deployments";
            return Observation::Pending { detail: detail.to_owned() };
        }
        let observed = self.observed.get(&desired.deployment_id);
        let mut since = None;
        let mut pending = None;
        for edge in self.edges.iter().filter(|edge| shares.contains_key(&edge.id)) {
            match observed.and_then(|edges| edges.get(&edge.id)) {
                Some(Observation::Ready { since: at }) => since = since.max(Some(*at)),
                Some(Observation::Failed { code, message }) => {
                    return Observation::Failed { code: code.clone(), message: message.clone() };
                }
                Some(Observation::Pending { detail }) => pending = Some(detail.clone()),
                Some(Observation::Absent) | None => pending = Some(format!("waiting for the machine of the edge {}", edge.name)),
            }
        }
        match (pending, since) {
            (None, Some(since)) => Observation::Ready { since },
            (pending, _) => Observation::Pending { detail: pending.unwrap_or_default() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn edges(count: usize) -> Vec<EdgeId> {
        (0..count).map(|_| EdgeId::new()).collect()
    }

    #[test]
    fn what_moves_stays_until_it_answers_elsewhere() {
        let edges = edges(2);
        let deployment = DeploymentId::new();
        let (owner, _) = share(deployment, 1, &edges).into_iter().next().unwrap();
        let other = *edges.iter().find(|edge| **edge != owner).unwrap();
        let here = |ready: &[EdgeId]| replicas_here(other, deployment, 1, &edges, ready);
        assert_eq!((here(&[]), here(&[other]), here(&[other, owner]), here(&[owner])), (0, 1, 0, 0));
        assert_eq!(replicas_here(owner, deployment, 1, &edges, &[]), 1);
        assert_eq!(replicas_here(owner, deployment, 1, &[], &[]), 0);
    }

    proptest! {
        #[test]
        fn replicas_spread_evenly_and_only_what_a_lost_edge_ran_moves(count in 1_usize..8, replicas in 1_u32..12) {
            let deployment = DeploymentId::new();
            let mut edges = edges(count);
            let before = share(deployment, replicas, &edges);
            prop_assert_eq!(before.values().sum::<u32>(), replicas);
            let (least, most) = (before.values().min().unwrap(), before.values().max().unwrap());
            prop_assert!(most - least <= 1);
            let lost = edges.pop().unwrap();
            let after = share(deployment, replicas, &edges);
            if before.contains_key(&lost) {
                prop_assert!(before.iter().filter(|(edge, _)| **edge != lost).all(|(edge, count)| after[edge] >= *count));
            } else {
                prop_assert_eq!(before, after);
            }
        }
    }
}
