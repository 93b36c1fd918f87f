-- The parts of a message that was sent to the gateway to be parted.
CREATE INDEX messages_derived ON messages (derived_from) WHERE derived_from IS NOT NULL;
