-- What the messages say of a case, and the months for which its measures are reported.

ALTER TABLE cases ADD COLUMN facts {TEXT};
ALTER TABLE cases ADD COLUMN curator {TEXT};
ALTER TABLE cases ADD COLUMN level {TEXT};
ALTER TABLE cases ADD COLUMN closed_at BIGINT;
CREATE INDEX cases_by_curator ON cases (curator) WHERE curator IS NOT NULL;

-- The roles for which the parties were found: they are found anew when the case moves.
ALTER TABLE obligations ADD COLUMN debtor_role {TEXT};
ALTER TABLE obligations ADD COLUMN creditor_role {TEXT};

-- A row is one debtor's months under one rule in one case; next_at is the first instant of the month that is opened next.
CREATE TABLE schedules (
    regulation {TEXT} NOT NULL,
    rule {TEXT} NOT NULL,
    case_id {TEXT} NOT NULL,
    debtor {TEXT} NOT NULL,
    territory {TEXT} NOT NULL,
    spans {TEXT} NOT NULL,
    next_period {TEXT},
    next_at BIGINT,
    PRIMARY KEY (case_id, rule, debtor, regulation)
);
CREATE INDEX schedules_next ON schedules (next_at) WHERE next_at IS NOT NULL;
