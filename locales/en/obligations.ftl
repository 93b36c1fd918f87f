# The overview and the deadlines.

overview-title = Overview
overview-overdue = overdue
overview-stuck = not handed over
overview-all = All
overview-no-overdue = Nothing is overdue.
overview-no-soon = Nothing is open.
overview-stuck-title = Not handed over
overview-stuck-note = Accepted by the gateway and not yet handed to the recipient. The recipient's term does not run, and the delay is not the recipient's.
overview-no-stuck = All that was accepted was handed over.
overview-quiet-title = Nothing to ask
overview-quiet-note = Applications for which the citizen brought all documents: no obligation to ask is opened.
overview-no-quiet = There is no such application.
overview-quiet-row = case { $case }, accepted
overview-acts-title = Entered by people and participants
overview-acts-note = Met outside of the gateway, waived, extended: the latest, newest first.
overview-no-acts = Nothing was met outside of the gateway, waived or extended.
overview-overdue-title = Overdue
overview-soon-title = Due soon

obligations-title = Deadlines
obligations-groups = Groups
group-overdue = Overdue
group-running = Running
group-pending = Waits to be handed over
group-done = Closed
obligations-none = There are no such obligations.
obligations-none-filtered = Nothing fits these filters.

say-participant = participant
say-rule = rule
say-case = case
say-conversation = conversation
say-from = due from
say-to = due until
say-page = page
filter-unreadable = A filter could not be read: { $field }. Mend it or clear the filters.

column-debtor = Who owes
column-what = What
column-due = Due
column-state = State
column-creditor = To whom
column-source = Written in
column-to = To whom
column-message = Message
column-accepted = Accepted
column-reason = Reason
column-done = What was done
column-when = When
column-by = Entered by

citizen = The citizen
wish = wish: { $text }
moved-from = moved; first due { $due }
was-due = was { $due }
conversation-of = conversation
case-of = case
message-from = { $type } from { $sender }
attempts = { $n ->
    [one] { $n } attempt
   *[other] { $n } attempts
}
first-attempt-ahead = the first attempt is ahead
source-unchecked = { $place } (edition not checked)
late-files = answer accepted { $claimed }, its files have not come yet; in time until { $until }
document-of = No. { $number } of { $date }
document-number = No. { $number }
