-- Lines of ended deployments, moved from `log_lines` into an object.
CREATE TABLE log_archives (
    deployment_id UUID NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    first_number BIGINT NOT NULL,
    last_number BIGINT NOT NULL,
    team_id UUID NOT NULL,
    object_id UUID NOT NULL,
    size_bytes BIGINT NOT NULL,
    -- Which lines are where in the object, each piece with its digest.
    chunks JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (deployment_id, last_number)
);
CREATE INDEX log_archives_team ON log_archives (team_id);
