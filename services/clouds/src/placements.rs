//! Places of environments in accounts: chosen when a deployment is asked for.

use std::collections::HashMap;

use domain::cloud::{CloudAccount, LOCAL, PlaceDetails, Placement, PlacementState};
use domain::environment::{Environment, environment_label};
use domain::id::{CloudAccountId, DeploymentId, EnvironmentId, PlacementId, TeamId};
use domain::name::ProjectName;
use domain::region;
use domain::time::now;
use services_core::unit_of_work::UnitOfWork;
use services_core::{Result, ServiceError};

use crate::Placements;
use crate::open::check_usable;

/// A cloud, account and region that a deployment goes to; `None` where a [`Place`] is expected means one's own machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The cloud, such as `gcp`.
    pub cloud: String,
    /// The account.
    pub account: CloudAccountId,
    /// The vendor's name of the region.
    pub region: String,
}

impl Placements {
    /// The place that a deployment asks for: `local`, a cloud such as `gcp`, or one of its accounts such as `gcp:backup`, with a region.
    pub async fn choose(&self, team: TeamId, wanted: &str, region: Option<&str>) -> Result<Option<Place>> {
        let (cloud, name) = wanted.split_once(':').map_or((wanted, None), |(cloud, name)| (cloud, Some(name)));
        if wanted == LOCAL {
            return match region {
                None => Ok(None),
                Some(_) => Err(ServiceError::invalid("region", "NO_REGIONS", "`local` has no regions: leave the region out")),
            };
        }
        let about = self.vendor(cloud)?.about();
        let accounts = self.store().cloud_account_list(team).await?;
        let account = pick(&accounts, cloud, name)?;
        check_usable(account).map_err(|message| ServiceError::invalid("cloud", "ACCOUNT_UNUSABLE", message))?;
        let wanted = region.unwrap_or(&account.region);
        let (_, vendors) = region::named(about.regions, wanted).ok_or_else(|| {
            let known: Vec<_> = about.regions.iter().map(|(neutral, _)| *neutral).collect();
            let message = format!("`{cloud}` has no region `{}` here: use one of {}", wanted.escape_debug(), known.join(", "));
            ServiceError::invalid("region", "UNKNOWN_REGION", message)
        })?;
        Ok(Some(Place { cloud: cloud.to_owned(), account: account.id, region: vendors.to_owned() }))
    }

    /// The place where an environment's deployments go when nothing else is said: where the live one is, or else where they went last.
    pub async fn of_environment(&self, tx: &mut UnitOfWork, environment: &Environment) -> Result<Option<Place>> {
        if let Some(live) = environment.live_deployment_id {
            return self.of_origin(tx, environment.team_id, live).await;
        }
        let placements = tx.placement_list(environment.team_id, environment.id).await?;
        let used = placements.into_iter().rev().find(|placement| placement.state == PlacementState::Used);
        Ok(used.map(Place::from))
    }

    /// The place where a deployment went, within a transaction; `None` for one's own machines.
    pub async fn of_origin(&self, tx: &mut UnitOfWork, team: TeamId, deployment: DeploymentId) -> Result<Option<Place>> {
        let placement = tx.placement_of_deployment(team, deployment).await?;
        if placement.is_none() && tx.deployment_target_find(team, deployment).await?.is_some() {
            let message =
                "that deployment went to a cloud account that is disconnected: deploy again, and say where with `--cloud`";
            return Err(ServiceError::invalid("deploymentId", "ACCOUNT_GONE", message));
        }
        Ok(placement.map(Place::from))
    }

    /// The places of environments that their deployments go to, by environment. What somebody may see of an environment they may see of its
    /// place.
    pub async fn of_environments(&self, team: TeamId, ids: &[EnvironmentId]) -> Result<HashMap<EnvironmentId, PlaceDetails>> {
        let found = self.store().place_list_of_environments(team, ids).await?;
        Ok(found.into_iter().map(|place| (place.environment_id, place)).collect())
    }

    /// The places of deployments, by deployment; those on one's own machines have none.
    pub async fn of_deployments(&self, team: TeamId, ids: &[DeploymentId]) -> Result<HashMap<DeploymentId, PlaceDetails>> {
        let found = self.store().place_list_of_deployments(team, ids).await?;
        Ok(found.into_iter().filter_map(|place| Some((place.deployment_id?, place))).collect())
    }

    /// The place of a deployment.
    pub async fn of_deployment(&self, team: TeamId, deployment: DeploymentId) -> Result<Option<Placement>> {
        let Some(target) = self.store().deployment_target_get(team, deployment).await? else { return Ok(None) };
        Ok(self.store().placement_get(team, target.placement_id).await?)
    }

    /// Sends a deployment to a place, within the transaction that writes the deployment.
    pub async fn send(
        &self,
        tx: &mut UnitOfWork,
        (project, environment): (&ProjectName, &Environment),
        deployment: DeploymentId,
        place: &Place,
    ) -> Result<Placement> {
        let wanted = Placement {
            id: PlacementId::new(),
            team_id: environment.team_id,
            project_id: environment.project_id,
            environment_id: environment.id,
            account_id: place.account,
            cloud: place.cloud.clone(),
            region: place.region.clone(),
            label: environment_label(project, &environment.name),
            url: None,
            shown_deployment_id: None,
            shown_kind: None,
            state: PlacementState::Used,
            created_at: now(),
        };
        let placement = tx.placement_open(&wanted).await?;
        tx.deployment_target_put(environment.team_id, deployment, placement.id).await?;
        Ok(placement)
    }
}

impl From<Placement> for Place {
    fn from(placement: Placement) -> Self {
        Self { cloud: placement.cloud, account: placement.account_id, region: placement.region }
    }
}

/// The account of a cloud that is meant by its name, or by none.
fn pick<'a>(accounts: &'a [CloudAccount], cloud: &str, name: Option<&str>) -> Result<&'a CloudAccount> {
    let own: Vec<_> = accounts.iter().filter(|account| account.cloud == cloud).collect();
    if own.is_empty() {
        let message = format!("your team has no account of `{cloud}`: connect one with `mikrocloud clouds connect {cloud}`");
        return Err(ServiceError::invalid("cloud", "NO_ACCOUNT", message));
    }
    let found = own.iter().find(|account| name.map_or(account.is_default, |name| account.name == name));
    found.copied().ok_or_else(|| {
        let names: Vec<_> = own.iter().map(|account| format!("{cloud}:{}", account.name)).collect();
        let message = match name {
            Some(name) => format!("your team has no account `{}` of `{cloud}`: use {}", name.escape_debug(), names.join(", ")),
            None => format!("none of your accounts of `{cloud}` is the default one: say which, of {}", names.join(", ")),
        };
        ServiceError::invalid("cloud", "NO_ACCOUNT", message)
    })
}
