-- Changes of the master key (docs/adr/0019). One at a time is not finished.
CREATE TABLE key_rotations (
    id UUID PRIMARY KEY,
    old_fingerprint TEXT NOT NULL,
    new_fingerprint TEXT NOT NULL,
    -- The new key, sealed under the old one; NULL once it has taken its place.
    sealed_new BYTEA,
    -- The old key, sealed under the new one; NULL a day after that.
    sealed_old BYTEA,
    -- Who carries it out, and until when they are taken to live.
    runner UUID NOT NULL,
    runner_until TIMESTAMPTZ NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX key_rotations_unfinished ON key_rotations (old_fingerprint) WHERE finished_at IS NULL;
