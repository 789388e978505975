-- The audit log: a chain of entries for each team. Nothing here refers to rows that can go, and names stand in the entries.
CREATE TABLE audit_chains (
    team_id UUID PRIMARY KEY,
    -- The last entry and its hash. Whoever appends locks this row.
    last_sequence BIGINT NOT NULL,
    last_hash TEXT NOT NULL,
    -- Entries before this one are no longer kept.
    first_sequence BIGINT NOT NULL,
    -- The last entry that a checkpoint was signed for, and when.
    checkpoint_sequence BIGINT NOT NULL,
    checkpoint_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE audit_entries (
    team_id UUID NOT NULL,
    sequence BIGINT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    -- What is looked for; the entry says all of it, and more.
    user_id UUID,
    email TEXT,
    credential_id TEXT,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL,
    target_id TEXT,
    target_name TEXT,
    -- The canonical text (RFC 8785) that was hashed, and its hash.
    entry TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (team_id, sequence)
);
CREATE INDEX audit_entries_at ON audit_entries (team_id, at);

CREATE TABLE audit_checkpoints (
    team_id UUID NOT NULL,
    sequence BIGINT NOT NULL,
    -- The signed statement, as an export has it.
    statement TEXT NOT NULL,
    hash TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (team_id, sequence)
);

-- The keys that ever signed: what they signed can be checked after they changed.
CREATE TABLE audit_keys (
    public_key TEXT PRIMARY KEY,
    created_at TIMESTAMPTZ NOT NULL
);

-- A key that may do all there was may read the log, too: the command line on the server's machine stays whole.
UPDATE api_keys SET added_scopes = '["deployment-approve", "audit-read"]'
    WHERE CAST(added_scopes AS TEXT) LIKE '%"deployment-approve"%'
    AND CAST(scopes AS TEXT) LIKE '%"project-read"%' AND CAST(scopes AS TEXT) LIKE '%"project-write"%'
    AND CAST(scopes AS TEXT) LIKE '%"project-delete"%' AND CAST(scopes AS TEXT) LIKE '%"deployment-write"%'
    AND CAST(scopes AS TEXT) LIKE '%"variable-read"%' AND CAST(scopes AS TEXT) LIKE '%"variable-write"%'
    AND CAST(scopes AS TEXT) LIKE '%"member-read"%' AND CAST(scopes AS TEXT) LIKE '%"member-write"%'
    AND CAST(scopes AS TEXT) LIKE '%"api-key-write"%' AND CAST(scopes AS TEXT) LIKE '%"job-write"%';
