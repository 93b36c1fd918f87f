-- What was done to obligations by people and by participants' own word, beside the messages that open and settle them.

-- The first due instant, once the due was moved; NULL while it never was.
ALTER TABLE obligations ADD COLUMN original_due BIGINT;

-- Append-only: an act is never changed, and a later one stands beside it.
CREATE TABLE obligation_acts (
    id {TEXT} NOT NULL PRIMARY KEY,
    obligation_id {TEXT} NOT NULL,
    kind {TEXT} NOT NULL,
    -- Business time at which it took effect, and the machine's time at which it was entered.
    effective_at BIGINT NOT NULL,
    entered_at BIGINT NOT NULL,
    -- Who entered it: an operator, a participant, a rule.
    author {TEXT} NOT NULL,
    -- The participant by whose signed word it was entered.
    actor {TEXT},
    -- The message of the exchange that did it, where a rule did.
    record_id {TEXT},
    ground {TEXT},
    document {TEXT},
    document_number {TEXT},
    -- A date such as 2026-05-12.
    document_date {TEXT},
    -- Of what was done outside of the gateway: how, when, by whom, to whom, its number, SHA-256 of its scan.
    way {TEXT},
    acted_at BIGINT,
    acted_by {TEXT},
    acted_to {TEXT},
    number {TEXT},
    scan {BYTES},
    note {TEXT},
    due_before BIGINT,
    due_after BIGINT,
    state_before {TEXT} NOT NULL,
    state_after {TEXT} NOT NULL
);
CREATE INDEX obligation_acts_by_obligation ON obligation_acts (obligation_id, id);
CREATE INDEX obligation_acts_to_show ON obligation_acts (id) WHERE kind IN ('outside', 'waive', 'extend');

-- The signed envelopes by which participants entered acts: the proof, and what a repeat is known by. Apart, so that listings stay
-- small and a body can be destroyed alone.
CREATE TABLE obligation_act_messages (
    act_id {TEXT} NOT NULL PRIMARY KEY,
    sender {TEXT} NOT NULL,
    message_id {TEXT} NOT NULL,
    digest {BYTES} NOT NULL,
    bytes {BYTES},
    UNIQUE (sender, message_id)
);

CREATE INDEX obligations_by_creditor ON obligations (creditor, phase, sort_due, id);
CREATE INDEX obligations_by_rule ON obligations (rule, phase, sort_due, id);
-- Few among many: what was settled otherwise than by a message.
CREATE INDEX obligations_outside ON obligations (sort_due, id) WHERE settle_kind = 'outside';
CREATE INDEX obligations_waived ON obligations (sort_due, id) WHERE settle_kind = 'waiver';
