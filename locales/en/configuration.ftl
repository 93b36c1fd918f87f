# Regulation, calendar, adapters.

nav-regulations = Regulation
nav-calendar = Calendar
nav-adapters = Adapters
regulations-title = Regulation
regulation-from = In force since { $date }
regulation-calendar = calendar { $name }
regulation-revision = revision { $n }
regulation-checked = compared on { $date }
regulation-unchecked = edition not checked
regulation-by-table = by the table { $id }
regulation-no-term = without a term
regulation-rules = Rules
regulation-rule = Rule
regulation-term = Term
regulation-source = Source
regulation-state = State
regulation-off = off
regulation-on = in force
regulation-documents = Documents
regulation-rules-count = { $n ->
    [one] { $n } rule
   *[other] { $n } rules
}
regulation-off-count = { $n } off
calculator-title = What if: count a term
calculator-note = Counts by the regulation’s calendar in the region’s zone. The term is written as in the regulation’s file: 3 working days, 2 weeks, day 5 of next month.
calculator-term = Term
calculator-from = From a day or instant: 2026-05-06
calculator-roll = When it falls on a day off
calculator-count = Count
calculator-from-unreadable = The start cannot be read; allowed are 2026-05-06, 2026-05-06T10:00:00+05:00, 2026-06, 2026-Q4.
roll-none = stays
roll-forward = to the working day after
roll-back = to the working day before
calendar-title = Calendar: { $year }
calendar-which = Calendars
calendar-years = Years
calendar-no-year = There are no data for this year: terms that touch it are not counted until they are added.
calendar-working = { $n ->
    [one] { $n } working day
   *[other] { $n } working days
}
calendar-doubt = Doubt: { $text }
calendar-legend = Beside a month: its working days. Coloured: days off, shorter days, and weekend days that are worked; the tooltip says what a day is.
day-working = working day
day-short = shorter day
day-weekend = weekend
day-nonworking = day off
day-moved = worked weekend day
month-name-1 = January
month-name-2 = February
month-name-3 = March
month-name-4 = April
month-name-5 = May
month-name-6 = June
month-name-7 = July
month-name-8 = August
month-name-9 = September
month-name-10 = October
month-name-11 = November
month-name-12 = December
adapters-title = Adapters
adapters-note = An adapter’s folder translates between the canonical form and a participant’s own.
adapter-name = Adapter
adapter-form = Form
adapter-types = Message types
adapter-used-by = Used by
adapter-unused = nobody
adapter-canonical = canonical
adapter-samples = Golden samples
adapter-passed = passed: { $n }
adapter-failed = failed: { $n }
adapter-preview = Take a sample through
adapter-preview-note = Paste a body in the canonical form or in the participant’s. It is kept nowhere; better paste no real people.
adapter-type = Message type
adapter-body = Body
adapter-try = Translate
adapter-to-partner = → to the participant
adapter-to-canonical = ← from the participant
say-paste-a-sample = Choose the message type and paste a body.
preview-input = The sample
preview-conversion = Conversion
preview-translation = Translation
preview-back = Back
preview-comparison = Comparison
