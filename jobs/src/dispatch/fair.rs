//! The order in which jobs are tried: teams in turn, within a team by priority and age.

use std::collections::{BTreeSet, HashMap, VecDeque};

use domain::id::{JobId, TeamId};
use domain::job::DueJob;

/// Jobs that wait. Adding one that waits already changes nothing, so that waking twice is harmless.
#[derive(Debug, Default)]
pub(super) struct FairQueue {
    /// Lower priority numbers first; ids sort by the time they were made.
    teams: HashMap<TeamId, BTreeSet<(i64, JobId)>>,
    /// Each team that has a job waiting, once.
    turns: VecDeque<TeamId>,
}

impl FairQueue {
    /// Adds a job.
    pub fn push(&mut self, job: DueJob) {
        let waiting = self.teams.entry(job.team_id).or_default();
        if waiting.is_empty() {
            self.turns.push_back(job.team_id);
        }
        waiting.insert((job.priority, job.id));
    }

    /// The first job of the team whose turn it is.
    pub fn pop(&mut self) -> Option<JobId> {
        let team = self.turns.pop_front()?;
        let waiting = self.teams.get_mut(&team)?;
        let (_, id) = waiting.pop_first()?;
        if waiting.is_empty() {
            self.teams.remove(&team);
        } else {
            self.turns.push_back(team);
        }
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(team_id: TeamId, priority: i64) -> DueJob {
        DueJob { id: JobId::new(), team_id, priority }
    }

    fn drain(queue: &mut FairQueue) -> Vec<JobId> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn a_team_with_a_thousand_jobs_does_not_hold_up_one_with_one() {
        let (many, one) = (TeamId::new(), TeamId::new());
        let mut queue = FairQueue::default();
        let crowd: Vec<_> = (0..1000).map(|_| job(many, 100)).collect();
        for job in &crowd {
            queue.push(*job);
        }
        let single = job(one, 100);
        queue.push(single);
        let order = drain(&mut queue);
        assert_eq!(order[..3], [crowd[0].id, single.id, crowd[1].id]);
        assert_eq!(order.len(), 1001);
    }

    #[test]
    fn within_a_team_urgent_ones_come_first_then_old_ones_and_none_twice() {
        let team = TeamId::new();
        let (late, early, urgent) = (job(team, 100), job(team, 100), job(team, 1));
        let (late, early) = if late.id < early.id { (early, late) } else { (late, early) };
        let mut queue = FairQueue::default();
        for job in [late, early, urgent, late, early] {
            queue.push(job);
        }
        assert_eq!(drain(&mut queue), [urgent.id, early.id, late.id]);
        queue.push(late);
        assert_eq!(drain(&mut queue), [late.id]);
    }
}
