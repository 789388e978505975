-- What is deployed to a protected environment waits, without a job, until somebody else agrees.
ALTER TABLE environments ADD COLUMN protected BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE approvals (
    deployment_id UUID PRIMARY KEY REFERENCES deployments (id) ON DELETE CASCADE,
    team_id UUID NOT NULL,
    project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    environment_id UUID NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'rejected', 'expired', 'withdrawn')),
    requested_by UUID NOT NULL,
    requested_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    decided_by UUID,
    decided_at TIMESTAMPTZ,
    reason TEXT
);
CREATE INDEX approvals_pending ON approvals (team_id, requested_at) WHERE state = 'pending';
