-- What requests that named an Idempotency-Key were answered, for a day. A row without an answer is a request under way, until its lease
-- runs out.
CREATE TABLE idempotency_keys (
    team_id UUID NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    request_digest TEXT NOT NULL,
    lease_token UUID NOT NULL,
    lease_until TIMESTAMPTZ NOT NULL,
    -- Set by the transaction that does what was asked for.
    carried_out BOOLEAN NOT NULL DEFAULT FALSE,
    -- The id of what it made, with which a lost answer is given anew.
    made TEXT,
    -- Sealed.
    answer BYTEA,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (team_id, user_id, name)
);
CREATE INDEX idempotency_keys_expires ON idempotency_keys (expires_at);
