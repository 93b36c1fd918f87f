-- What reports count over a period goes by indexes that hold all that is counted, for a row of obligations is wide and a year has many.

-- By the end of the term. settled_at and counted_due are here so that nothing else is read.
CREATE INDEX obligations_for_reports ON obligations (sort_due, regulation, rule, debtor, creditor, state, settle_kind, counted_due,
    settled_at);
-- By the opening; the pieces of a row never change but for the parties of a case that moves.
CREATE INDEX obligations_by_opening ON obligations (opened_at, regulation, rule, debtor, creditor);
-- What participants sent, rehearsals apart. The gateway's own messages are not counted; the columns of the condition are in the index too,
-- for an older SQLite looks at them once more.
CREATE INDEX messages_for_reports ON messages (business_at, type_name, sender, recipient, channel, test) WHERE channel <> 'internal' AND test = 0;
