-- Work that is written down before it is done. The queue only wakes workers; this table is the truth.
CREATE TABLE jobs (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL,
    kind TEXT NOT NULL,
    queue TEXT NOT NULL,
    payload JSONB NOT NULL,
    -- The entity the job moves forward, such as a deployment; the sweeper asks whether an entity still has a job.
    subject_id UUID,
    priority BIGINT NOT NULL,
    exclusion_key TEXT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'done', 'dead', 'cancelled')),
    run_at TIMESTAMPTZ NOT NULL,
    attempts BIGINT NOT NULL,
    max_attempts BIGINT NOT NULL,
    lease_token UUID,
    lease_until TIMESTAMPTZ,
    last_error TEXT,
    trace TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ
);
CREATE INDEX jobs_due ON jobs (queue, priority, run_at, id) WHERE state = 'pending';
CREATE INDEX jobs_leases ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_subject ON jobs (subject_id);
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
-- Jobs with the same key never run at once: the second claim fails.
CREATE UNIQUE INDEX jobs_exclusion ON jobs (exclusion_key) WHERE state = 'running';
