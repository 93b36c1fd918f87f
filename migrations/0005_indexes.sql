-- What is asked most goes by an index to the end, so that it costs what it finds and not what is stored beside it.

-- The watcher takes what is due in this order: nothing is left to sort.
DROP INDEX obligations_next;
CREATE INDEX obligations_next ON obligations (next_at, id) WHERE next_at IS NOT NULL;
DROP INDEX schedules_next;
CREATE INDEX schedules_next ON schedules (next_at, case_id, rule, debtor) WHERE next_at IS NOT NULL;

-- Lists of every group, in the order in which they are shown.
CREATE INDEX obligations_by_due ON obligations (sort_due, id);

-- What a message opened, whatever has become of it: the index of pending ones alone left a withdrawal to read the whole table.
DROP INDEX obligations_pending;
CREATE INDEX obligations_by_record ON obligations (record_id) WHERE record_id IS NOT NULL;
