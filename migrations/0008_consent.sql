-- What goes with a consent only, and what stopped when the consent ended.

-- The classes of personal data that a delivery carries on a consent alone, with spaces between them; NULL: it rests on the law.
ALTER TABLE deliveries ADD COLUMN on_consent {TEXT};
-- The message by which the consent ended; what was not handed over by then never goes out.
ALTER TABLE deliveries ADD COLUMN stopped_by {TEXT};
