-- Repositories at Git hosts: connections, what hosts told, previews of pull requests, and what hosts were told.
CREATE TABLE git_connections (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    project_id UUID NOT NULL UNIQUE REFERENCES projects (id) ON DELETE CASCADE,
    host TEXT NOT NULL CHECK (host IN ('github', 'gitlab')),
    api_url TEXT NOT NULL,
    repository TEXT NOT NULL,
    installation_id BIGINT,
    -- What webhooks are signed with, and by what the API is used.
    sealed_secret BYTEA NOT NULL,
    sealed_token BYTEA,
    branches JSONB NOT NULL,
    previews BOOLEAN NOT NULL,
    preview_hours BIGINT NOT NULL,
    created_by UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX git_connections_installation ON git_connections (installation_id) WHERE installation_id IS NOT NULL;

CREATE TABLE git_deliveries (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL,
    connection_id UUID NOT NULL REFERENCES git_connections (id) ON DELETE CASCADE,
    -- The host's id of it, and the digest of its body: hosts sign the body, not the id.
    delivery TEXT NOT NULL,
    digest TEXT NOT NULL,
    event TEXT NOT NULL,
    happening JSONB NOT NULL,
    -- The branch or pull request that it is about, and when it happened there: what is older than what was done is left.
    subject TEXT,
    happened_at TIMESTAMPTZ,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'ignored', 'failed')),
    outcome TEXT,
    deployment_id UUID,
    received_at TIMESTAMPTZ NOT NULL,
    UNIQUE (connection_id, delivery),
    UNIQUE (connection_id, digest)
);
CREATE INDEX git_deliveries_subject ON git_deliveries (connection_id, subject, happened_at);
CREATE INDEX git_deliveries_received ON git_deliveries (received_at);

CREATE TABLE git_installations (
    id BIGINT PRIMARY KEY,
    account TEXT NOT NULL,
    team_id UUID REFERENCES teams (id) ON DELETE SET NULL,
    suspended BOOLEAN NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE previews (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL,
    project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    connection_id UUID NOT NULL REFERENCES git_connections (id) ON DELETE CASCADE,
    environment_id UUID UNIQUE REFERENCES environments (id) ON DELETE SET NULL,
    number BIGINT NOT NULL,
    title TEXT NOT NULL,
    author TEXT NOT NULL,
    branch TEXT NOT NULL,
    commit_sha TEXT NOT NULL,
    is_fork BOOLEAN NOT NULL,
    comment_id BIGINT,
    closed_because TEXT,
    expires_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (connection_id, number)
);
CREATE INDEX previews_project ON previews (project_id);
CREATE INDEX previews_expiry ON previews (expires_at) WHERE closed_because IS NULL;

-- Deployments of commits whose host is told what becomes of them.
CREATE TABLE git_reports (
    deployment_id UUID PRIMARY KEY REFERENCES deployments (id) ON DELETE CASCADE,
    team_id UUID NOT NULL,
    connection_id UUID NOT NULL REFERENCES git_connections (id) ON DELETE CASCADE,
    preview_id UUID REFERENCES previews (id) ON DELETE CASCADE,
    -- The last state that the host was told.
    reported TEXT
);

-- From then on nothing is deployed to it.
ALTER TABLE environments ADD COLUMN deleting_at TIMESTAMPTZ;

-- Whether somebody outside the team wrote what is to be deployed; then anybody who may approve does.
ALTER TABLE approvals ADD COLUMN from_outside BOOLEAN NOT NULL DEFAULT FALSE;

-- The environment that a route leads to.
ALTER TABLE resources ADD COLUMN environment_id UUID;
