-- Projects, their environments, and the variables of those.
CREATE TABLE projects (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    -- Unique over all teams: it is the first label of the project's host names.
    name TEXT NOT NULL UNIQUE,
    repository TEXT,
    reference TEXT,
    event_count BIGINT NOT NULL,
    deployment_count BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    deleting_at TIMESTAMPTZ
);
CREATE INDEX projects_team ON projects (team_id, id);

CREATE TABLE environments (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL,
    project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    live_deployment_id UUID,
    config_version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (project_id, name)
);

-- Each row is a value over a range of configuration versions: set by version valid_from, gone with version valid_to.
CREATE TABLE environment_variables (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL,
    environment_id UUID NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_to BIGINT,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX environment_variables_current ON environment_variables (environment_id, name) WHERE valid_to IS NULL;
CREATE INDEX environment_variables_versions ON environment_variables (environment_id, valid_from);
