-- The ground: one text for both engines. {BYTES} is BLOB or BYTEA; {TEXT} carries the byte-wise collation, so that ids
-- order alike on both. Instants are microseconds since 1970 in UTC; flags are 0 or 1.

CREATE TABLE messages (
    record_id {TEXT} NOT NULL PRIMARY KEY,
    sender {TEXT} NOT NULL,
    message_id {TEXT} NOT NULL,
    recipient {TEXT} NOT NULL,
    conversation_id {TEXT} NOT NULL,
    case_id {TEXT},
    in_reply_to {TEXT},
    derived_from {TEXT},
    type_name {TEXT} NOT NULL,
    type_version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    priority BIGINT NOT NULL,
    test BIGINT NOT NULL,
    accepted_at BIGINT NOT NULL,
    business_at BIGINT NOT NULL,
    digest {BYTES} NOT NULL,
    certificate {BYTES},
    participants_revision BIGINT NOT NULL,
    bundle_revision BIGINT NOT NULL,
    channel {TEXT} NOT NULL,
    UNIQUE (sender, message_id)
);
CREATE INDEX messages_by_id ON messages (message_id);
CREATE INDEX messages_by_conversation ON messages (conversation_id, record_id);
CREATE INDEX messages_by_case ON messages (case_id, record_id) WHERE case_id IS NOT NULL;

-- Apart from the rows that are listed, so that listings stay small and a body can be destroyed alone.
CREATE TABLE contents (
    record_id {TEXT} NOT NULL PRIMARY KEY,
    bytes {BYTES} NOT NULL,
    canonical {BYTES},
    receipt {BYTES}
);

CREATE TABLE deliveries (
    id {TEXT} NOT NULL PRIMARY KEY,
    record_id {TEXT} NOT NULL,
    recipient {TEXT} NOT NULL,
    conversation_id {TEXT} NOT NULL,
    priority BIGINT NOT NULL,
    in_order BIGINT NOT NULL,
    state {TEXT} NOT NULL,
    -- When a claim may take the row: the next attempt, the lease's end or the receipt's deadline. NULL: never.
    next_at BIGINT,
    attempts BIGINT NOT NULL,
    lease_owner {TEXT},
    lease_epoch BIGINT NOT NULL,
    claimed_from {TEXT},
    reason {TEXT},
    fault_code {TEXT},
    detail {TEXT},
    sent_at BIGINT,
    settled_at BIGINT,
    expires_at BIGINT,
    mailbox BIGINT NOT NULL,
    pull_id {TEXT},
    pull_until BIGINT,
    out_digest {BYTES},
    out_certificate {BYTES}
);
CREATE INDEX deliveries_due ON deliveries (recipient, priority, next_at, record_id) WHERE next_at IS NOT NULL;
CREATE INDEX deliveries_next ON deliveries (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX deliveries_by_message ON deliveries (record_id, id);
CREATE INDEX deliveries_in_order ON deliveries (recipient, conversation_id, record_id) WHERE in_order = 1;
CREATE INDEX deliveries_in_mailbox ON deliveries (recipient, priority, record_id) WHERE mailbox = 1 AND state = 'sent';
CREATE INDEX deliveries_not_handed ON deliveries (record_id, id) WHERE state IN ('queued', 'leased', 'parked', 'expired');

-- What goes out and what came back, written once and read seldom: apart from the row that changes at every step.
CREATE TABLE outgoing (
    delivery_id {TEXT} NOT NULL PRIMARY KEY,
    unsigned {BYTES} NOT NULL,
    signed {BYTES} NOT NULL
);
CREATE TABLE partner_answers (
    delivery_id {TEXT} NOT NULL PRIMARY KEY,
    bytes {BYTES} NOT NULL
);
CREATE TABLE delivery_attempts (
    delivery_id {TEXT} NOT NULL,
    epoch BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    state {TEXT} NOT NULL,
    reason {TEXT},
    detail {TEXT},
    node {TEXT},
    PRIMARY KEY (delivery_id, epoch)
);

CREATE TABLE obligations (
    id {TEXT} NOT NULL PRIMARY KEY,
    -- Regulation, rule, subject and period, parted by U+001F.
    obligation_key {TEXT} NOT NULL UNIQUE,
    regulation {TEXT} NOT NULL,
    rule {TEXT} NOT NULL,
    subject {TEXT} NOT NULL,
    period {TEXT} NOT NULL,
    case_id {TEXT},
    conversation_id {TEXT},
    record_id {TEXT},
    debtor {TEXT} NOT NULL,
    creditor {TEXT} NOT NULL,
    state {TEXT} NOT NULL,
    -- 0 overdue, 1 running, 2 pending, 3 done: the groups that people page through.
    phase BIGINT NOT NULL,
    plan {TEXT},
    started_at BIGINT,
    due_at BIGINT,
    -- due_at, or the largest instant when there is none: what listings order by.
    sort_due BIGINT NOT NULL,
    next_at BIGINT,
    warns {TEXT} NOT NULL,
    term {TEXT} NOT NULL,
    explanation {TEXT},
    opened_at BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    warned_at BIGINT,
    overdue_at BIGINT,
    settled_at BIGINT,
    settled_record {TEXT},
    settle_kind {TEXT}
);
CREATE INDEX obligations_next ON obligations (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX obligations_by_phase ON obligations (phase, sort_due, id);
CREATE INDEX obligations_by_debtor ON obligations (debtor, phase, sort_due, id);
CREATE INDEX obligations_pending ON obligations (record_id) WHERE state = 'pending';
CREATE INDEX obligations_by_conversation ON obligations (conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX obligations_by_case ON obligations (case_id) WHERE case_id IS NOT NULL;

CREATE TABLE settlements (
    obligation_key {TEXT} NOT NULL,
    debtor {TEXT} NOT NULL,
    acted_at BIGINT NOT NULL,
    record_id {TEXT} NOT NULL,
    PRIMARY KEY (obligation_key, record_id)
);

CREATE TABLE cases (
    id {TEXT} NOT NULL PRIMARY KEY,
    regulation {TEXT} NOT NULL,
    territory {TEXT} NOT NULL,
    kind {TEXT} NOT NULL,
    opened_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);

CREATE TABLE mailbox_pulls (
    participant {TEXT} NOT NULL,
    pull_id {TEXT} NOT NULL,
    pulled_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    answer {BYTES},
    PRIMARY KEY (participant, pull_id)
);
CREATE INDEX mailbox_pulls_by_age ON mailbox_pulls (pulled_at);

CREATE TABLE tickets (
    token_hash {BYTES} NOT NULL PRIMARY KEY,
    participant {TEXT} NOT NULL,
    method {TEXT} NOT NULL,
    resource {TEXT} NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX tickets_by_age ON tickets (expires_at);

CREATE TABLE refusals (
    id {TEXT} NOT NULL PRIMARY KEY,
    refused_at BIGINT NOT NULL,
    peer {TEXT} NOT NULL,
    code {TEXT} NOT NULL,
    digest {BYTES} NOT NULL,
    sender {TEXT},
    message_id {TEXT},
    answer {BYTES}
);
CREATE INDEX refusals_by_age ON refusals (refused_at);

CREATE TABLE config_revisions (
    kind {TEXT} NOT NULL,
    number BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    author {TEXT} NOT NULL,
    comment {TEXT} NOT NULL,
    digest {BYTES} NOT NULL,
    files {BYTES} NOT NULL,
    PRIMARY KEY (kind, number)
);

CREATE TABLE journal (
    id {TEXT} NOT NULL PRIMARY KEY,
    happened_at BIGINT NOT NULL,
    kind {TEXT} NOT NULL,
    actor {TEXT} NOT NULL,
    record_id {TEXT},
    delivery_id {TEXT},
    obligation_id {TEXT},
    participant {TEXT},
    detail {TEXT},
    -- Given by the sealer.
    seq BIGINT,
    hash {BYTES}
);
CREATE INDEX journal_unsealed ON journal (id) WHERE seq IS NULL;
CREATE INDEX journal_nothing_to_open ON journal (id) WHERE kind = 'nothing-to-open';
CREATE UNIQUE INDEX journal_by_seq ON journal (seq) WHERE seq IS NOT NULL;

CREATE TABLE journal_head (
    id BIGINT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash {BYTES}
);
INSERT INTO journal_head (id, seq, hash) VALUES (1, 0, NULL);

CREATE TABLE leases (
    name {TEXT} NOT NULL PRIMARY KEY,
    owner {TEXT} NOT NULL,
    lease_until BIGINT NOT NULL,
    epoch BIGINT NOT NULL
);

CREATE TABLE nodes (
    node {TEXT} NOT NULL PRIMARY KEY,
    seen_at BIGINT NOT NULL,
    participants_revision BIGINT NOT NULL,
    bundle_revision BIGINT NOT NULL
);
