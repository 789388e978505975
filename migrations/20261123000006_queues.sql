-- How queues are run over all workers, and what is known of each attempt of a job.
CREATE TABLE queues (
    name TEXT PRIMARY KEY,
    paused_at TIMESTAMPTZ,
    concurrency BIGINT,
    team_concurrency BIGINT
);

ALTER TABLE jobs ADD COLUMN started_at TIMESTAMPTZ;
ALTER TABLE jobs ADD COLUMN worker TEXT;
-- Of jobs with the same key, one waits or runs; writing another does nothing.
ALTER TABLE jobs ADD COLUMN deduplication_key TEXT;
CREATE UNIQUE INDEX jobs_deduplication ON jobs (deduplication_key) WHERE state IN ('pending', 'running');
CREATE INDEX jobs_running ON jobs (queue, team_id) WHERE state = 'running';
CREATE INDEX jobs_excluded ON jobs (exclusion_key) WHERE state = 'pending' AND exclusion_key IS NOT NULL;
CREATE INDEX jobs_team ON jobs (team_id, id);

CREATE TABLE job_failures (
    job_id UUID NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    attempt BIGINT NOT NULL,
    worker TEXT,
    error TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL
);
CREATE INDEX job_failures_job ON job_failures (job_id, at);
