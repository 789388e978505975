-- Accounts at vendors of clouds, the places in them that environments have, and the journal of what exists there because of us
-- (docs/adr/0025).
CREATE TABLE cloud_accounts (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    cloud TEXT NOT NULL,
    name TEXT NOT NULL,
    -- The vendor's id: an account number, a subscription, a project id.
    identity TEXT NOT NULL,
    credential_kind TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    -- Counts the credentials that it had.
    credential_version BIGINT NOT NULL,
    region TEXT NOT NULL,
    -- A simulated cloud; the vendor's own without one.
    endpoint TEXT,
    state TEXT NOT NULL,
    problem TEXT,
    principal TEXT,
    checks JSONB NOT NULL,
    verified_at TIMESTAMPTZ,
    next_check_at TIMESTAMPTZ,
    is_default BOOLEAN NOT NULL,
    created_by UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (team_id, cloud, name)
);
CREATE UNIQUE INDEX cloud_accounts_default ON cloud_accounts (team_id, cloud) WHERE is_default;
CREATE INDEX cloud_accounts_due ON cloud_accounts (next_check_at) WHERE next_check_at IS NOT NULL;

CREATE TABLE cloud_bases (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    account_id UUID NOT NULL REFERENCES cloud_accounts (id),
    region TEXT NOT NULL,
    base TEXT NOT NULL,
    state TEXT NOT NULL,
    outputs JSONB NOT NULL,
    problem TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    UNIQUE (account_id, region, base)
);
CREATE INDEX cloud_bases_team ON cloud_bases (team_id);

-- An environment's place in an account and region. What runs on one's own machines has none.
CREATE TABLE placements (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    -- No foreign keys: what is in the cloud outlives the rows of its project until it is removed.
    project_id UUID NOT NULL,
    environment_id UUID NOT NULL,
    account_id UUID NOT NULL REFERENCES cloud_accounts (id),
    cloud TEXT NOT NULL,
    region TEXT NOT NULL,
    label TEXT NOT NULL,
    url TEXT,
    shown_deployment_id UUID,
    shown_kind TEXT,
    state TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (environment_id, account_id, region)
);
CREATE INDEX placements_team ON placements (team_id);
CREATE INDEX placements_project ON placements (project_id);
CREATE INDEX placements_account ON placements (account_id);

-- A deployment in a placement. One without runs on one's own machines.
CREATE TABLE deployment_targets (
    deployment_id UUID PRIMARY KEY,
    placement_id UUID NOT NULL REFERENCES placements (id) ON DELETE CASCADE,
    team_id UUID NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    detail TEXT,
    url TEXT,
    changed_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX deployment_targets_placement ON deployment_targets (placement_id);
CREATE INDEX deployment_targets_team ON deployment_targets (team_id);

-- The journal. A row is written before the call that makes the thing.
CREATE TABLE cloud_resources (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    account_id UUID NOT NULL REFERENCES cloud_accounts (id),
    region TEXT NOT NULL,
    -- The environment's, or none: a base's.
    placement_id UUID,
    owner_kind TEXT NOT NULL,
    owner_id UUID NOT NULL,
    kind TEXT NOT NULL,
    purpose TEXT NOT NULL,
    name TEXT NOT NULL,
    generation BIGINT NOT NULL,
    state TEXT NOT NULL,
    token UUID NOT NULL,
    external_id TEXT,
    operation JSONB,
    outputs JSONB NOT NULL,
    revision BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    UNIQUE (account_id, region, owner_id, kind, purpose)
);
CREATE INDEX cloud_resources_team ON cloud_resources (team_id);
CREATE INDEX cloud_resources_owner ON cloud_resources (owner_id);
CREATE INDEX cloud_resources_placement ON cloud_resources (placement_id) WHERE placement_id IS NOT NULL;

-- The cloud that a deployment was asked for by name; without it, the project file or the environment says.
ALTER TABLE deployments ADD COLUMN wanted_cloud TEXT;

-- A job that comes back later, and may hold its exclusion key meanwhile.
ALTER TABLE jobs ADD COLUMN suspended_at TIMESTAMPTZ;
ALTER TABLE jobs ADD COLUMN waits_for TEXT;
CREATE UNIQUE INDEX jobs_exclusion_held ON jobs (exclusion_key)
    WHERE state = 'running' OR (state = 'pending' AND suspended_at IS NOT NULL);

-- A key that may do all there was may connect clouds, too: the command line on the server's machine stays whole.
UPDATE api_keys SET added_scopes = '["deployment-approve", "audit-read", "cloud-read", "cloud-write"]'
    WHERE CAST(added_scopes AS TEXT) LIKE '%"deployment-approve"%' AND CAST(added_scopes AS TEXT) LIKE '%"audit-read"%'
    AND CAST(scopes AS TEXT) LIKE '%"project-read"%'
    AND CAST(scopes AS TEXT) LIKE '%"project-write"%'
    AND CAST(scopes AS TEXT) LIKE '%"project-delete"%'
    AND CAST(scopes AS TEXT) LIKE '%"deployment-write"%'
    AND CAST(scopes AS TEXT) LIKE '%"variable-read"%'
    AND CAST(scopes AS TEXT) LIKE '%"variable-write"%'
    AND CAST(scopes AS TEXT) LIKE '%"member-read"%'
    AND CAST(scopes AS TEXT) LIKE '%"member-write"%'
    AND CAST(scopes AS TEXT) LIKE '%"api-key-write"%'
    AND CAST(scopes AS TEXT) LIKE '%"job-write"%';
