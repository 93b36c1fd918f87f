-- Where in a trace (W3C Trace Context) what follows from a message belongs: `traceparent`, and `tracestate` after a space. NULL: it
-- belongs to none.
ALTER TABLE messages ADD COLUMN trace {TEXT};
