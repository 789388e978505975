-- Certificates of the API from an authority (docs/adr/0020).
CREATE TABLE acme_accounts (
    directory TEXT PRIMARY KEY,
    -- The account with its key.
    sealed BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE acme_certificates (
    directory TEXT NOT NULL,
    -- In order, with commas between them.
    domains TEXT NOT NULL,
    -- PEM, the certificate itself first.
    chain TEXT NOT NULL,
    -- Its private key.
    sealed BYTEA NOT NULL,
    not_before TIMESTAMPTZ NOT NULL,
    not_after TIMESTAMPTZ NOT NULL,
    stored_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (directory, domains)
);

-- Who orders, and until when nobody else does: as long as the order may take, or until the next try after one that failed.
CREATE TABLE acme_orders (
    directory TEXT NOT NULL,
    domains TEXT NOT NULL,
    runner UUID NOT NULL,
    leased_until TIMESTAMPTZ NOT NULL,
    -- How many tries failed in a row.
    failures BIGINT NOT NULL,
    PRIMARY KEY (directory, domains)
);

-- What the authority is shown that looks whether a name leads here (RFC 8737). It is no secret: whoever asks is shown it.
CREATE TABLE acme_challenges (
    domain TEXT PRIMARY KEY,
    digest BYTEA NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
