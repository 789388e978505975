//! Which machine runs what. Every edge computes it from the same rows, so nobody has to decide it.

use std::collections::HashMap;

use domain::id::{DeploymentId, EdgeId};
use sha2::{Digest, Sha256};

/// How many replicas of a deployment each edge runs; edges that run none are not named. By rendezvous hashing (Thaler, Ravishankar 1998):
/// when an edge comes or goes, only what it runs moves.
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

/// How many replicas this edge runs now. What moves away stays until it answers at its new place.
pub fn replicas_here(me: EdgeId, deployment: DeploymentId, replicas: u32, edges: &[EdgeId], ready: &[EdgeId]) -> u32 {
    let shares = share(deployment, replicas, edges);
    match shares.get(&me) {
        Some(mine) => *mine,
        None if ready.contains(&me) && !shares.keys().all(|edge| ready.contains(edge)) => 1,
        None => 0,
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
