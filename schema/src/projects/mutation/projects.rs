use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use services::{NewProject, ProjectEdit};

use crate::context::caller;
use crate::error::{UserError, user_errors};
use crate::input::parse_id;
use crate::projects::model::project::Project;

#[derive(Default)]
pub struct ProjectMutation;

#[derive(InputObject)]
struct CreateProjectInput {
    /// The unique name: 1 to 30 of a-z, 0-9 and single hyphens.
    name: String,
    /// The repository it is deployed from by default.
    repository: Option<String>,
    /// The branch, tag or commit used by default.
    reference: Option<String>,
}

#[derive(InputObject)]
struct UpdateProjectInput {
    /// The project.
    project_id: ID,
    /// The new name.
    name: Option<String>,
    /// The new repository; empty for none.
    repository: Option<String>,
    /// The new branch, tag or commit; empty for none.
    reference: Option<String>,
}

#[derive(InputObject)]
struct DeleteProjectInput {
    /// The project.
    project_id: ID,
}

#[derive(SimpleObject)]
struct ProjectPayload {
    /// The project, when it went well.
    project: Option<Project>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

fn payload(result: services::Result<domain::project::Project>) -> Result<ProjectPayload> {
    let (project, user_errors) = user_errors(result)?;
    Ok(ProjectPayload { project: project.map(Project::from), user_errors })
}

#[Object]
impl ProjectMutation {
    /// Creates a project with its production environment.
    async fn create_project(&self, context: &Context<'_>, input: CreateProjectInput) -> Result<ProjectPayload> {
        let (services, actor) = caller(context)?;
        let CreateProjectInput { name, repository, reference } = input;
        payload(services.projects().create(actor, NewProject { name, repository, reference }).await)
    }

    /// Changes a project; fields that are left out stay.
    async fn update_project(&self, context: &Context<'_>, input: UpdateProjectInput) -> Result<ProjectPayload> {
        let (services, actor) = caller(context)?;
        let change = async {
            let id = parse_id("projectId", &input.project_id)?;
            let UpdateProjectInput { name, repository, reference, .. } = input;
            services.projects().update(actor, id, ProjectEdit { name, repository, reference }, None).await
        };
        payload(change.await)
    }

    /// Deletes a project and all it has in clouds. It is gone once `project` no longer finds it.
    async fn delete_project(&self, context: &Context<'_>, input: DeleteProjectInput) -> Result<ProjectPayload> {
        let (services, actor) = caller(context)?;
        let change = async { services.projects().delete(actor, parse_id("projectId", &input.project_id)?, None).await };
        payload(change.await)
    }
}
