-- What operators look for: messages of a party or a type, newest first, and what people or a consent stopped.
CREATE INDEX messages_by_sender ON messages (sender, record_id);
CREATE INDEX messages_by_recipient ON messages (recipient, record_id);
CREATE INDEX messages_by_type ON messages (type_name, record_id);
CREATE INDEX deliveries_given_up ON deliveries (record_id, id) WHERE state IN ('stopped', 'discarded');
