-- Files that messages list by digest without carrying them. The bytes lie in the vault, never here.

-- A row for each digest that a message lists or somebody uploaded; who changes anything about a digest takes this row first, so that a
-- message and an upload that cross each other on two nodes cannot both miss the other. Without a file: listed, not uploaded.
CREATE TABLE attachments (
    digest {BYTES} NOT NULL PRIMARY KEY,
    size_bytes BIGINT,
    -- The name in the vault. Every upload has a name of its own, so that removing an old file cannot touch a newer one.
    file {TEXT},
    stored_at BIGINT
);
CREATE UNIQUE INDEX attachments_by_file ON attachments (file) WHERE file IS NOT NULL;

-- Who has shown that it has the bytes. To know a digest is not to have the file.
CREATE TABLE attachment_holdings (
    digest {BYTES} NOT NULL,
    participant {TEXT} NOT NULL,
    size_bytes BIGINT NOT NULL,
    held_at BIGINT NOT NULL,
    -- Whether a message of this participant lists it.
    listed BIGINT NOT NULL,
    PRIMARY KEY (digest, participant)
);
CREATE INDEX attachment_holdings_unlisted ON attachment_holdings (held_at) WHERE listed = 0;
CREATE INDEX attachment_holdings_of ON attachment_holdings (participant) WHERE listed = 0;

CREATE TABLE listed_attachments (
    record_id {TEXT} NOT NULL,
    digest {BYTES} NOT NULL,
    sender {TEXT} NOT NULL,
    recipient {TEXT} NOT NULL,
    size_bytes BIGINT NOT NULL,
    -- awaited: the sender has not uploaded it; whole; wrong: it has, and the size is another than listed.
    state {TEXT} NOT NULL,
    PRIMARY KEY (record_id, digest)
);
CREATE INDEX listed_attachments_of_sender ON listed_attachments (digest, sender);
CREATE INDEX listed_attachments_of_recipient ON listed_attachments (digest, recipient);
