-- What messages are found by besides their headers. These rows are of the contents, and go with them.

-- Numbers of documents, folded.
CREATE TABLE message_numbers (
    -- outgoing, incoming or registration.
    kind {TEXT} NOT NULL,
    number {TEXT} NOT NULL,
    record_id {TEXT} NOT NULL REFERENCES contents (record_id) ON DELETE CASCADE,
    PRIMARY KEY (kind, number, record_id)
);
CREATE INDEX message_numbers_of ON message_numbers (record_id);

-- People, under a keyed hash.
CREATE TABLE message_people (
    -- snils, name or full-name.
    kind {TEXT} NOT NULL,
    hash {BYTES} NOT NULL,
    record_id {TEXT} NOT NULL REFERENCES contents (record_id) ON DELETE CASCADE,
    PRIMARY KEY (kind, hash, record_id)
);
CREATE INDEX message_people_of ON message_people (record_id);

-- The secret under which people are hashed: one row, made by the node that comes first.
CREATE TABLE search_keys (
    id BIGINT NOT NULL PRIMARY KEY,
    secret {BYTES} NOT NULL,
    -- The last message that was looked at again.
    indexed_to {TEXT}
);
