-- Roles that teams make, roles that members have on a project or an environment, and service accounts.
CREATE TABLE roles (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    permissions JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (team_id, name)
);

-- The team's own role counts where there is one. Programs of before read `role`, which is 'viewer' then.
ALTER TABLE memberships ADD COLUMN role_id UUID REFERENCES roles (id);

CREATE TABLE role_grants (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL,
    user_id UUID NOT NULL,
    project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    -- All of the project's when it is absent.
    environment_id UUID REFERENCES environments (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('admin', 'developer', 'viewer')),
    role_id UUID REFERENCES roles (id),
    created_at TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (team_id, user_id) REFERENCES memberships (team_id, user_id) ON DELETE CASCADE
);
CREATE INDEX role_grants_member ON role_grants (team_id, user_id);
CREATE UNIQUE INDEX role_grants_project ON role_grants (team_id, user_id, project_id) WHERE environment_id IS NULL;
CREATE UNIQUE INDEX role_grants_environment ON role_grants (team_id, user_id, environment_id) WHERE environment_id IS NOT NULL;

-- Who made a service account: a user without a password that never does more than they may. NULL for people.
ALTER TABLE users ADD COLUMN created_by UUID;

-- Scopes that programs of before do not know: they could not read a list that names them.
ALTER TABLE api_keys ADD COLUMN added_scopes JSONB;
-- A key that deploys and says who may do what could have a new one made with it. This keeps the command line of before whole.
UPDATE api_keys SET added_scopes = '["deployment-approve"]'
    WHERE CAST(scopes AS TEXT) LIKE '%"member-write"%' AND CAST(scopes AS TEXT) LIKE '%"deployment-write"%';
