-- Where teams are told of what happens, and what is on its way there.
CREATE TABLE notification_channels (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    -- NULL for all the team has.
    project_id UUID REFERENCES projects (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('webhook', 'slack', 'discord', 'email')),
    events JSONB NOT NULL,
    templates JSONB NOT NULL,
    -- The address and the secrets that sign messages to it; NULL where there are recipients.
    sealed BYTEA,
    recipients JSONB NOT NULL,
    -- As much of the address as may be shown.
    shown TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    disabled_reason TEXT,
    failing_since TIMESTAMPTZ,
    paused_until TIMESTAMPTZ,
    created_by UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX notification_channels_team ON notification_channels (team_id, name) WHERE project_id IS NULL;
CREATE UNIQUE INDEX notification_channels_project ON notification_channels (project_id, name) WHERE project_id IS NOT NULL;
CREATE INDEX notification_channels_of_team ON notification_channels (team_id, id);

-- Written in the transaction of what it tells of. No foreign key to the channel: one that is deleted at the same moment must not undo that
-- transaction. What is left of a deleted channel goes with the next purge.
CREATE TABLE notification_deliveries (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    channel_id UUID NOT NULL,
    recipient_id UUID,
    event TEXT NOT NULL,
    event_at TIMESTAMPTZ NOT NULL,
    data JSONB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    tries BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at TIMESTAMPTZ,
    error TEXT,
    finished_at TIMESTAMPTZ
);
CREATE INDEX notification_deliveries_channel ON notification_deliveries (channel_id, id);
CREATE INDEX notification_deliveries_pending ON notification_deliveries (next_attempt_at) WHERE state = 'pending';
CREATE INDEX notification_deliveries_finished ON notification_deliveries (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE notification_attempts (
    delivery_id UUID NOT NULL REFERENCES notification_deliveries (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    duration_ms BIGINT NOT NULL,
    status BIGINT,
    error TEXT,
    excerpt TEXT,
    PRIMARY KEY (delivery_id, number)
);

-- Letters with links in them, until they are sent: nobody but who they are for reads the links.
CREATE TABLE letters (
    id UUID PRIMARY KEY,
    team_id UUID NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    sealed BYTEA NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
