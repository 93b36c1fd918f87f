-- What people decide about queues and deliveries, and which participants are away.

-- What a person said last about a participant's queue. No row: it runs.
CREATE TABLE queues (
    participant {TEXT} NOT NULL PRIMARY KEY,
    state {TEXT} NOT NULL,
    author {TEXT} NOT NULL,
    reason {TEXT} NOT NULL,
    changed_at BIGINT NOT NULL
);
-- And all that was said before it.
CREATE TABLE queue_acts (
    id {TEXT} NOT NULL PRIMARY KEY,
    participant {TEXT} NOT NULL,
    state {TEXT} NOT NULL,
    author {TEXT} NOT NULL,
    reason {TEXT} NOT NULL,
    acted_at BIGINT NOT NULL
);
CREATE INDEX queue_acts_of ON queue_acts (participant, id);

-- Participants that are away, as some node found; whoever moves probe_at on may probe.
CREATE TABLE breakers (
    participant {TEXT} NOT NULL PRIMARY KEY,
    opened_at BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    reason {TEXT} NOT NULL,
    node {TEXT} NOT NULL,
    probe_at BIGINT NOT NULL,
    probes BIGINT NOT NULL
);

-- When a person put it back: it is tried for as long again.
ALTER TABLE deliveries ADD COLUMN replayed_at BIGINT;
-- What ended without having been delivered and waits for a person.
CREATE INDEX deliveries_dead ON deliveries (record_id, id) WHERE state IN ('parked', 'refused', 'expired');

-- Written and taken out again to see whether there is room after the disk was full.
CREATE TABLE room (
    id BIGINT NOT NULL PRIMARY KEY,
    filler {BYTES} NOT NULL
);
