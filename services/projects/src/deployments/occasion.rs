use async_trait::async_trait;
use domain::deployment::Deployment;
use domain::environment::Environment;
use domain::source::Reference;
use services_core::Result;
use services_core::unit_of_work::UnitOfWork;

/// Occasion of a deployment: a request, a schedule, a push. It is recorded in the transaction of the deployment, so that nothing
/// triggers twice.
#[async_trait]
pub(crate) trait Occasion: Send + Sync {
    /// Refuses an occasion that was overtaken. The project is locked.
    async fn check(&self, _tx: &mut UnitOfWork) -> Result<()> {
        Ok(())
    }

    /// The commit to deploy, where the occasion names it.
    fn commit(&self) -> Option<&Reference> {
        None
    }

    /// The author of what is deployed, when they do not belong to the team.
    fn author(&self) -> Option<&str> {
        None
    }

    /// Records that the deployment was triggered, and ends the job that did it.
    async fn record(&self, _tx: &mut UnitOfWork, _deployment: &Deployment, _environment: &Environment) -> Result<()> {
        Ok(())
    }
}

/// A request of the actor; nothing else has to be recorded.
pub(crate) struct Requested;

impl Occasion for Requested {}
