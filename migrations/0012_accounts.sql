-- People who use the console: accounts, their sessions and tokens. Nothing that opens a door is kept, only its SHA-256.

CREATE TABLE accounts (
    id {TEXT} NOT NULL PRIMARY KEY,
    login {TEXT} NOT NULL UNIQUE,
    name {TEXT} NOT NULL,
    -- Argon2id in PHC form. NULL: nobody signs in with a password.
    password {TEXT},
    -- The password was given by somebody else and must be changed first.
    must_change BIGINT NOT NULL,
    -- Words with a space between them.
    roles {TEXT} NOT NULL,
    -- JSON.
    scope {TEXT} NOT NULL,
    -- Words with a space between them; NULL: all.
    data_classes {TEXT},
    -- Of the provider that vouches for the person, where there is one.
    issuer {TEXT},
    subject {TEXT},
    created_at BIGINT NOT NULL,
    password_at BIGINT,
    disabled_at BIGINT,
    signed_in_at BIGINT,
    -- Grows with every change.
    version BIGINT NOT NULL,
    UNIQUE (issuer, subject)
);

CREATE TABLE sessions (
    token_hash {BYTES} NOT NULL PRIMARY KEY,
    account_id {TEXT} NOT NULL,
    begun_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address {TEXT} NOT NULL,
    agent {TEXT} NOT NULL
);
CREATE INDEX sessions_of_account ON sessions (account_id, begun_at);
CREATE INDEX sessions_by_age ON sessions (expires_at);

CREATE TABLE access_tokens (
    id {TEXT} NOT NULL PRIMARY KEY,
    account_id {TEXT} NOT NULL,
    token_hash {BYTES} NOT NULL UNIQUE,
    title {TEXT} NOT NULL,
    -- Words with a space between them.
    rights {TEXT} NOT NULL,
    made_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX access_tokens_of_account ON access_tokens (account_id, made_at);

-- Links with which a person sets a password once.
CREATE TABLE password_links (
    token_hash {BYTES} NOT NULL PRIMARY KEY,
    account_id {TEXT} NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX password_links_of_account ON password_links (account_id);

-- Failed sign-ins by login (its SHA-256, for people type passwords there) and by address.
CREATE TABLE sign_in_failures (
    subject {TEXT} NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL
);
CREATE INDEX sign_in_failures_by_age ON sign_in_failures (last_at);

-- The journal is read by kind and by person. Most entries are of participants and nodes, and are not in the second index.
CREATE INDEX journal_by_kind ON journal (kind, id);
CREATE INDEX journal_by_account ON journal (actor, id) WHERE substr(actor, 1, 8) = 'account:';
