-- What came of trying the way to a participant; the latest ones of each are kept.
CREATE TABLE pings (
    -- The id of the record, if the ping was signed.
    id {TEXT} NOT NULL PRIMARY KEY,
    participant {TEXT} NOT NULL,
    author {TEXT} NOT NULL,
    node {TEXT} NOT NULL,
    started_at BIGINT NOT NULL,
    -- NULL: it runs, or its node died.
    ended_at BIGINT,
    outcome {TEXT},
    -- The steps, JSON.
    steps {TEXT} NOT NULL
);
CREATE INDEX pings_of ON pings (participant, id);
