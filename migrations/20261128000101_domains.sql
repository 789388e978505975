-- Domains of teams' own (docs/adr/0021).
CREATE TABLE domains (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    environment_id UUID NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    -- In ASCII and small letters, without a dot at its end.
    name TEXT NOT NULL,
    -- What the owner shows in the DNS.
    token TEXT NOT NULL,
    problem TEXT,
    checked_at TIMESTAMPTZ,
    next_check_at TIMESTAMPTZ,
    verified_at TIMESTAMPTZ,
    created_by UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (team_id, name)
);
-- Several teams may say that a name is theirs; one at a time is served under it.
CREATE UNIQUE INDEX domains_served ON domains (name) WHERE verified_at IS NOT NULL;
CREATE INDEX domains_project ON domains (project_id);
CREATE INDEX domains_environment ON domains (environment_id);
CREATE INDEX domains_due ON domains (next_check_at) WHERE next_check_at IS NOT NULL;
