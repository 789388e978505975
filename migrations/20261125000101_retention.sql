-- Artifacts are given up deployment by deployment, then removed when no deployment needs them.
-- Set when a deployment's artifact was given up: it cannot be rolled back to any more.
ALTER TABLE deployments ADD COLUMN artifact_removed_at TIMESTAMPTZ;
-- The object that holds the content; none for the first one, whose name is the digest alone.
ALTER TABLE artifacts ADD COLUMN object_id UUID;
-- Decided first, done afterwards: the object may be there until `deleted_at` is set.
ALTER TABLE artifacts ADD COLUMN removed_at TIMESTAMPTZ;
ALTER TABLE artifacts ADD COLUMN deleted_at TIMESTAMPTZ;
CREATE INDEX artifacts_removed ON artifacts (removed_at) WHERE removed_at IS NOT NULL;
