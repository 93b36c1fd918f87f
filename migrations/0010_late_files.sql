-- Settlements by messages whose files were not all here when the message was accepted. Such a settlement settles nothing until they are.

-- Until when (business time) they may come so that it settles as of acted_at. NULL: the message was whole when it was accepted.
ALTER TABLE settlements ADD COLUMN grace_until BIGINT;
-- When the last of them came (business time). NULL beside grace_until: not yet.
ALTER TABLE settlements ADD COLUMN whole_at BIGINT;
-- The instant by the rule, as of acceptance, once the files came; acted_at is the one that counts: this one within the grace, else whole_at.
ALTER TABLE settlements ADD COLUMN claimed_at BIGINT;
CREATE INDEX settlements_of_record ON settlements (record_id) WHERE grace_until IS NOT NULL;
