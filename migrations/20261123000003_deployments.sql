-- Deployments, what happened to them, what they logged, what was built.
CREATE TABLE artifacts (
    digest TEXT PRIMARY KEY,
    size_bytes BIGINT NOT NULL,
    file_count BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

-- Directories that clients uploaded, until a deployment has been built from them.
CREATE TABLE uploads (
    digest TEXT NOT NULL,
    team_id UUID NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    size_bytes BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (team_id, digest)
);

CREATE TABLE deployments (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL,
    project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    environment_id UUID NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('queued', 'building', 'releasing', 'live', 'superseded', 'failed', 'cancelled')),
    trigger TEXT NOT NULL,
    source JSONB NOT NULL,
    commit_sha TEXT,
    origin_id UUID,
    artifact_digest TEXT REFERENCES artifacts (digest),
    workload JSONB,
    config_version BIGINT NOT NULL,
    failure JSONB,
    -- Set in one step before the environment is switched; from then on the deployment can no longer be cancelled.
    switching BOOLEAN NOT NULL,
    created_by UUID,
    created_at TIMESTAMPTZ NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    deadline TIMESTAMPTZ,
    event_count BIGINT NOT NULL,
    log_count BIGINT NOT NULL,
    UNIQUE (project_id, number)
);
CREATE INDEX deployments_environment ON deployments (environment_id, number);
CREATE INDEX deployments_moving ON deployments (status) WHERE status IN ('queued', 'building', 'releasing');
CREATE UNIQUE INDEX deployments_live ON deployments (environment_id) WHERE status = 'live';
CREATE INDEX deployments_artifact ON deployments (artifact_digest);

CREATE TABLE deployment_events (
    deployment_id UUID NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    team_id UUID NOT NULL,
    project_id UUID NOT NULL,
    environment_id UUID NOT NULL,
    project_number BIGINT NOT NULL,
    status TEXT NOT NULL,
    message TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (deployment_id, number),
    UNIQUE (project_id, project_number)
);

CREATE TABLE log_lines (
    deployment_id UUID NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    team_id UUID NOT NULL,
    stream TEXT NOT NULL,
    text TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (deployment_id, number)
);
