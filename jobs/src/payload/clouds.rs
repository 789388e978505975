//! Jobs that work in clouds of vendors. They are in a queue of their own: workers of before serve it not at all, rather than wrongly.

use std::time::Duration;

use domain::id::{BaseId, CloudAccountId, DeploymentId, EnvironmentId, PlacementId};

use super::Queue;

/// Work in clouds of vendors; it mostly waits.
pub const CLOUD: Queue = Queue { name: "cloud", concurrency: 16 };

job! {
    /// Starts what was built in a vendor's cloud and switches its environment to it.
    ReleaseToJob {
        /// The environment that is switched; one release at a time.
        environment_id: EnvironmentId,
        /// The deployment to release.
        deployment_id: DeploymentId,
    }
    kind: "release_to", queue: CLOUD, attempts: 6, timeout: Duration::from_mins(30),
    subject: deployment_id,
    exclusion: "release" of environment_id,
}

// Under the key of releases: services of a vendor are read, changed and written.
job! {
    /// Lets a deployment rest that nobody sees any more.
    RestJob {
        /// Its environment.
        environment_id: EnvironmentId,
        /// The deployment that another took the place of.
        deployment_id: DeploymentId,
    }
    kind: "rest", queue: CLOUD, attempts: 12, timeout: Duration::from_mins(5),
    exclusion: "release" of environment_id,
}

job! {
    /// Removes from a vendor's cloud what a failed, cancelled or long superseded deployment left there.
    RetireFromJob {
        /// Its environment.
        environment_id: EnvironmentId,
        /// The deployment whose things go.
        deployment_id: DeploymentId,
    }
    kind: "retire_from", queue: CLOUD, attempts: 50, timeout: Duration::from_mins(10),
    exclusion: "release" of environment_id,
}

job! {
    /// Removes everything that an environment has in an account.
    CleanPlacementJob {
        /// The environment, which may be gone.
        environment_id: EnvironmentId,
        /// Its place in the account.
        placement_id: PlacementId,
    }
    kind: "clean_placement", queue: CLOUD, attempts: 50, timeout: Duration::from_mins(10),
    exclusion: "release" of environment_id,
}

job! {
    /// Makes what several environments share in an account.
    PrepareBaseJob {
        /// The base.
        base_id: BaseId,
    }
    kind: "prepare_base", queue: CLOUD, attempts: 12, timeout: Duration::from_mins(10),
    exclusion: "base" of base_id,
}

job! {
    /// Removes what several environments shared, once none of them is left.
    DismantleBaseJob {
        /// The base.
        base_id: BaseId,
    }
    kind: "dismantle_base", queue: CLOUD, attempts: 50, timeout: Duration::from_mins(10),
    exclusion: "base" of base_id,
}

job! {
    /// Asks an account who we are in it and what we may do.
    VerifyAccountJob {
        /// The account.
        account_id: CloudAccountId,
    }
    kind: "verify_account", queue: CLOUD, attempts: 6, timeout: Duration::from_mins(2),
    exclusion: "account" of account_id,
}
