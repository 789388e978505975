-- What is done again and again, the ledger of what is expected, and alerts on what did not happen.
CREATE TABLE schedules (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL,
    project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    environment TEXT NOT NULL,
    name TEXT NOT NULL,
    cron TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    action JSONB NOT NULL,
    missed TEXT NOT NULL CHECK (missed IN ('skip', 'latest', 'all')),
    enabled BOOLEAN NOT NULL,
    timeout_seconds BIGINT NOT NULL,
    next_due_at TIMESTAMPTZ,
    created_by UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (project_id, name)
);
CREATE INDEX schedules_due ON schedules (next_due_at) WHERE next_due_at IS NOT NULL;

-- A row per due time: the second process that wants to write it finds that it is there.
CREATE TABLE expected_runs (
    schedule_id UUID NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
    due_at TIMESTAMPTZ NOT NULL,
    team_id UUID NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'skipped')),
    deadline TIMESTAMPTZ NOT NULL,
    outcome TEXT,
    started_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ,
    PRIMARY KEY (schedule_id, due_at)
);
CREATE INDEX expected_runs_open ON expected_runs (deadline) WHERE state IN ('waiting', 'running');

CREATE TABLE alerts (
    id UUID PRIMARY KEY,
    team_id UUID,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    message TEXT NOT NULL,
    raised_at TIMESTAMPTZ NOT NULL,
    resolved_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX alerts_open ON alerts (kind, subject) WHERE resolved_at IS NULL;
CREATE INDEX alerts_team ON alerts (team_id, id);

-- Who runs the installation: queues are everybody's.
ALTER TABLE users ADD COLUMN operator BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE users SET operator = TRUE WHERE created_at = (SELECT MIN(created_at) FROM users);
