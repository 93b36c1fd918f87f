-- Who is told of a deadline, and what went out because of it. Instants are microseconds since 1970 in UTC.

-- One step of the ladder for one target; written in the transaction that marks the obligation, and never twice.
CREATE TABLE notifications (
    id {TEXT} NOT NULL PRIMARY KEY,
    obligation_id {TEXT} NOT NULL,
    -- warning, overdue or escalation, and the step in the regulation's words ('3 working days after').
    stage {TEXT} NOT NULL,
    rung {TEXT} NOT NULL,
    -- What the step is counted from: the warning's instant or the due one. A term that is moved is told of anew.
    anchor BIGINT NOT NULL,
    -- mail or webhook, with its address, and the group of the settings for which it was chosen.
    channel {TEXT} NOT NULL,
    target {TEXT} NOT NULL,
    to_group {TEXT} NOT NULL,
    -- Business time: when the step came, and before when it is not told.
    event_at BIGINT NOT NULL,
    send_at BIGINT NOT NULL,
    -- What told it. NULL: it waits, unless it was dropped (business time), for there is nothing to tell any more.
    mailing_id {TEXT},
    dropped_at BIGINT,
    UNIQUE (obligation_id, rung, anchor, channel, target)
);
CREATE INDEX notifications_waiting ON notifications (send_at, id) WHERE mailing_id IS NULL AND dropped_at IS NULL;
CREATE INDEX notifications_waiting_for ON notifications (channel, target, send_at, id)
    WHERE mailing_id IS NULL AND dropped_at IS NULL;
CREATE INDEX notifications_by_mailing ON notifications (mailing_id, id) WHERE mailing_id IS NOT NULL;

-- What goes over the wire: one notification or a digest of many. Its id is the Message-ID and the webhook-id of every attempt.
CREATE TABLE mailings (
    id {TEXT} NOT NULL PRIMARY KEY,
    channel {TEXT} NOT NULL,
    target {TEXT} NOT NULL,
    to_group {TEXT} NOT NULL,
    digest BIGINT NOT NULL,
    -- Machine time, like all instants here.
    made_at BIGINT NOT NULL,
    -- queued, leased, sent or parked.
    state {TEXT} NOT NULL,
    -- When a claim may take the row: the next attempt or the lease's end. NULL: never.
    next_at BIGINT,
    attempts BIGINT NOT NULL,
    lease_owner {TEXT},
    lease_epoch BIGINT NOT NULL,
    reason {TEXT},
    detail {TEXT},
    settled_at BIGINT
);
CREATE INDEX mailings_next ON mailings (next_at, id) WHERE next_at IS NOT NULL;
CREATE INDEX mailings_for ON mailings (channel, target, made_at);
