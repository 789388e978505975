-- How people sign in: their sessions, what protects them from guessing, second factors, and the keys that sign access tokens.

-- NULL in sessions of programs of before.
ALTER TABLE sessions ADD COLUMN method TEXT;
ALTER TABLE sessions ADD COLUMN address TEXT;
ALTER TABLE sessions ADD COLUMN agent TEXT;
ALTER TABLE sessions ADD COLUMN used_at TIMESTAMPTZ;

-- Failed attempts in a row, by the digest of the address that was tried, whether there is such a user or not.
CREATE TABLE sign_in_attempts (
    subject TEXT PRIMARY KEY,
    failures BIGINT NOT NULL,
    failed_at TIMESTAMPTZ NOT NULL
);

-- What users are told about their accounts.
CREATE TABLE security_events (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    address TEXT,
    agent TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ
);
CREATE INDEX security_events_user ON security_events (user_id, id);

-- The keys of access tokens. The private half is sealed by the master key.
CREATE TABLE signing_keys (
    id TEXT PRIMARY KEY,
    public_key BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    active_from TIMESTAMPTZ NOT NULL
);

-- A time-based one-time password (RFC 6238) per user.
CREATE TABLE second_factors (
    user_id UUID PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    sealed BYTEA NOT NULL,
    -- NULL until a first code proved that the user has it.
    confirmed_at TIMESTAMPTZ,
    -- The time step of the last code that was taken: none is taken twice.
    last_step BIGINT NOT NULL
);

CREATE TABLE recovery_codes (
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash TEXT NOT NULL,
    used_at TIMESTAMPTZ,
    PRIMARY KEY (user_id, hash)
);

-- Sign-ins that wait for something: a second factor, a provider's answer, a consent. Whoever shows the token goes on.
CREATE TABLE sign_in_flows (
    hash TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);

-- Command lines that wait until somebody signs in for them in a browser (RFC 8628).
CREATE TABLE device_logins (
    hash TEXT PRIMARY KEY,
    user_code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    polled_at TIMESTAMPTZ,
    decided_at TIMESTAMPTZ,
    -- Both NULL when it was denied.
    user_id UUID REFERENCES users (id) ON DELETE CASCADE,
    team_id UUID REFERENCES teams (id) ON DELETE CASCADE
);

-- Who users are elsewhere.
CREATE TABLE identities (
    provider TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    email TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (provider, subject)
);
CREATE INDEX identities_user ON identities (user_id);

-- Users of other teams that were asked to join this one.
CREATE TABLE invitations (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'viewer')),
    role_id UUID REFERENCES roles (id) ON DELETE CASCADE,
    invited_by UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash TEXT NOT NULL UNIQUE,
    expires_at TIMESTAMPTZ NOT NULL,
    UNIQUE (team_id, user_id)
);
CREATE INDEX invitations_user ON invitations (user_id);

-- Keys of command lines that signed in: they end when their user signs out everywhere.
ALTER TABLE api_keys ADD COLUMN login BOOLEAN NOT NULL DEFAULT FALSE;

-- By which provider's groups a membership came and goes; NULL for those that people give.
ALTER TABLE memberships ADD COLUMN provider TEXT;
