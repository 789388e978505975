//! The machines that run workloads themselves. They work for all teams.

use domain::id::{DeploymentId, EdgeId};
use domain::time::{Timestamp, now};
use serde_json::Value;
use sqlx::types::Json;

use crate::db::{Store, Tx};
use crate::error::Result;

/// A machine that runs workloads itself.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct EdgeRow {
    /// Identity, the same after every restart.
    pub id: EdgeId,
    /// Display name of the edge: its host name.
    pub name: String,
    /// Address to which other edges forward requests, such as `10.0.0.2:8081`.
    pub address: String,
    /// The version of MikroCloud that runs there.
    pub version: String,
    /// Time since which it runs.
    pub started_at: Timestamp,
    /// Time of its last heartbeat.
    pub seen_at: Timestamp,
    /// Time at which it was stopped by somebody.
    pub stopped_at: Option<Timestamp>,
}

/// Observation of a deployment by an edge.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EdgeObservation {
    /// The edge.
    pub edge_id: EdgeId,
    /// The deployment.
    pub deployment_id: DeploymentId,
    /// Observation, as a JSON object.
    #[sqlx(json)]
    pub observed: Value,
}

impl Store {
    /// The edges that gave a sign of life after this moment and were not stopped, in the order of their ids.
    pub async fn edge_list_alive(&self, seen_after: Timestamp) -> Result<Vec<EdgeRow>> {
        let sql = "SELECT id, name, address, version, started_at, seen_at, stopped_at FROM edges
            WHERE seen_at > $1 AND stopped_at IS NULL ORDER BY id";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(seen_after).fetch_all(pool).await)?)
    }

    /// Lists the observations of all edges; only of one deployment if it is given.
    pub async fn edge_observation_list(&self, deployment: Option<DeploymentId>) -> Result<Vec<EdgeObservation>> {
        let all = "SELECT edge_id, deployment_id, observed FROM edge_observations";
        let one = "SELECT edge_id, deployment_id, observed FROM edge_observations WHERE deployment_id = $1";
        Ok(match deployment {
            None => db!(self, |pool| sqlx::query_as(all).fetch_all(pool).await)?,
            Some(id) => db!(self, |pool| sqlx::query_as(one).bind(id).fetch_all(pool).await)?,
        })
    }

    /// Lists the deployment that each edge serves under a label.
    pub async fn edge_route_list(&self, label: &str) -> Result<Vec<(EdgeId, DeploymentId)>> {
        let sql = "SELECT edge_id, deployment_id FROM edge_routes WHERE label = $1";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(label).fetch_all(pool).await)?)
    }
}

impl Tx {
    /// Records that an edge runs.
    pub async fn edge_put(&mut self, edge: &EdgeRow) -> Result<()> {
        let sql = "INSERT INTO edges (id, name, address, version, started_at, seen_at) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, address = excluded.address, version = excluded.version,
                started_at = excluded.started_at, seen_at = excluded.seen_at, stopped_at = NULL";
        tx!(self, |conn| sqlx::query(sql)
            .bind(edge.id)
            .bind(&edge.name)
            .bind(&edge.address)
            .bind(&edge.version)
            .bind(edge.started_at)
            .bind(edge.seen_at)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Records that an edge was stopped: it shows nothing any more, and others take over what it ran.
    pub async fn edge_stop(&mut self, edge: EdgeId) -> Result<()> {
        let stop = "UPDATE edges SET stopped_at = $2 WHERE id = $1";
        tx!(self, |conn| sqlx::query(stop).bind(edge).bind(now()).execute(conn).await.map(drop))?;
        self.edge_hide(edge).await
    }

    /// Records that an edge shows nothing.
    pub async fn edge_hide(&mut self, edge: EdgeId) -> Result<()> {
        let sql = "DELETE FROM edge_routes WHERE edge_id = $1";
        tx!(self, |conn| sqlx::query(sql).bind(edge).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Deletes edges that gave no sign of life after this moment.
    pub async fn edge_purge(&mut self, before: Timestamp) -> Result<()> {
        let sql = "DELETE FROM edges WHERE seen_at < $1";
        tx!(self, |conn| sqlx::query(sql).bind(before).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Records what an edge observes.
    pub async fn edge_observe(&mut self, edge: EdgeId, deployment: DeploymentId, observed: &Value) -> Result<()> {
        let sql = "INSERT INTO edge_observations (edge_id, deployment_id, observed) VALUES ($1, $2, $3)
            ON CONFLICT (edge_id, deployment_id) DO UPDATE SET observed = excluded.observed";
        tx!(self, |conn| sqlx::query(sql).bind(edge).bind(deployment).bind(Json(observed)).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Records that an edge has nothing of a deployment any more.
    pub async fn edge_unobserve(&mut self, edge: EdgeId, deployment: DeploymentId) -> Result<()> {
        let sql = "DELETE FROM edge_observations WHERE edge_id = $1 AND deployment_id = $2";
        tx!(self, |conn| sqlx::query(sql).bind(edge).bind(deployment).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Records what an edge shows under a label; nothing where there is no deployment.
    pub async fn edge_route_put(&mut self, edge: EdgeId, label: &str, deployment: Option<DeploymentId>) -> Result<()> {
        let put = "INSERT INTO edge_routes (edge_id, label, deployment_id) VALUES ($1, $2, $3)
            ON CONFLICT (edge_id, label) DO UPDATE SET deployment_id = excluded.deployment_id";
        let delete = "DELETE FROM edge_routes WHERE edge_id = $1 AND label = $2";
        match deployment {
            Some(id) => tx!(self, |conn| sqlx::query(put).bind(edge).bind(label).bind(id).execute(conn).await.map(drop))?,
            None => tx!(self, |conn| sqlx::query(delete).bind(edge).bind(label).execute(conn).await.map(drop))?,
        }
        Ok(())
    }
}
