-- What exists in clouds because of us, and the desired state of the local cloud.
CREATE TABLE resources (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL,
    project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    deployment_id UUID,
    cloud TEXT NOT NULL,
    kind TEXT NOT NULL,
    external_id TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (cloud, kind, external_id)
);
CREATE INDEX resources_project ON resources (project_id);

CREATE TABLE local_workloads (
    deployment_id UUID PRIMARY KEY,
    team_id UUID NOT NULL,
    project_id UUID NOT NULL,
    desired JSONB NOT NULL,
    observed JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE local_routes (
    label TEXT PRIMARY KEY,
    team_id UUID NOT NULL,
    project_id UUID NOT NULL,
    environment_id UUID NOT NULL,
    deployment_id UUID NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL
);
